"""Checks whether a facilitator can lead a group in a time: they are free in its slot, lead no more groups than they can, and reach it.

Invariant: every group that they lead or will lead in that time is read, guarded, so that two commands that both saw them free cannot both
take them.
"""

from collections.abc import Iterable
from datetime import date

from grouping.domain import Facilitator, Group, Place
from grouping.fitting import held_between, held_by, most_held
from services.kernel import Refused
from services.programmes import Programme, distance_km
from services.store.work import Work


async def facilitator_is_free(
    facilitator: Facilitator, place: Place, slot: str, days: tuple[date, date], work: Work, beside: str = ""
) -> None:
    """Refuse a facilitator who cannot lead a group at this place and slot between two days (both included). `beside`: a group that does
    not count. Refused as `can_lead`."""
    latest = await work.where(Group, facilitator=facilitator.id)
    ever = await work.where(Group, led__facilitator=facilitator.id)
    groups = {each.id: each for each in (*latest, *ever) if each.id != beside}
    can_lead(facilitator, place, slot, days, groups.values(), work.rules)


def can_lead(
    facilitator: Facilitator,
    place: Place,
    slot: str,
    days: tuple[date, date],
    groups: Iterable[Group],
    rules: Programme,
) -> None:
    """Refuse a facilitator who leads these groups. Refused: facilitator-not-free, facilitator-full, out-of-reach."""
    held = held_between(held_by(facilitator.id, groups, rules), *days)
    free = {rules.slot_id(each) for each in facilitator.slots} - {each.slot for each in held}
    if rules.slot_id(slot) not in free:
        raise Refused("facilitator-not-free", f"Facilitator {facilitator.id} is not free in {slot}.")
    if (number := most_held(held, *days)) >= facilitator.groups:
        raise Refused("facilitator-full", f"Facilitator {facilitator.id} leads {number} groups already.")
    if distance_km(rules, facilitator.municipality, place.municipality) > facilitator.travel_km:
        raise Refused("out-of-reach", f"Facilitator {facilitator.id} does not reach place {place.id}.")
