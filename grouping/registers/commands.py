"""Commands that register a place or a facilitator, or correct one."""

from grouping.domain import Facilitator, Place
from services.contracts.base import Slug
from services.contracts.grouping import PlaceRegistered
from services.kernel import Command, Refusal, Refused
from services.programmes import refuse_unless_active
from services.store.work import Work


class RegisterPlace(Command):
    """A place where groups can meet. `rooms`: how many groups can meet there at a time; `access`: step-free. `fresh`: it is a new one;
    `seen`: the version that was corrected."""

    place: Slug
    title: str
    address: str
    municipality: Slug
    rooms: int
    access: bool
    fresh: bool = False
    seen: int | None = None


async def register_place(command: RegisterPlace, work: Work) -> None:
    """Add the place, or correct it. Refused: id-taken, changed-meanwhile, no-such-municipality, municipality-retired."""
    described = PlaceRegistered.model_validate(command.model_dump())
    place = await work.find(Place, command.place)
    _as_it_was_seen(command, place, work)
    _refuse_retired(command.municipality, place, work)
    if place is None:
        await _not_taken(Facilitator, command.place, work)
        place = Place.new(command.place, described)
        work.add(place)
    place.register(described)


class RegisterFacilitator(Command):
    """A leader of groups. `groups`: how many at a time; `slots`: when they are free. `fresh`: it is a new one; `seen`: the version that
    was corrected."""

    facilitator: Slug
    municipality: Slug
    travel_km: float
    slots: frozenset[Slug]
    groups: int
    fresh: bool = False
    seen: int | None = None


async def register_facilitator(command: RegisterFacilitator, work: Work) -> None:
    """Add the facilitator, or correct them. Refused: id-taken, changed-meanwhile, no-such-municipality, municipality-retired,
    no-such-slot, slot-retired."""
    described = command.model_dump(exclude={"at", "facilitator", "fresh", "seen"})
    facilitator = await work.find(Facilitator, command.facilitator)
    _as_it_was_seen(command, facilitator, work)
    _refuse_retired(command.municipality, facilitator, work)
    refuse_unless_active(work.rules, "slots", command.slots, facilitator.slots if facilitator else ())
    if facilitator is None:
        await _not_taken(Place, command.facilitator, work)
        facilitator = Facilitator(id=command.facilitator, **described)
        work.add(facilitator)
    facilitator.register(**described)


def _as_it_was_seen(
    command: RegisterPlace | RegisterFacilitator, there: Place | Facilitator | None, work: Work
) -> None:
    """Refuse to overwrite what is there with what was to be new, or a correction of another version."""
    if there is None:
        return
    if command.fresh:
        raise Refused("id-taken", f"{there.id} is a {there.noun} already: choose another id.")
    if command.seen not in {None, work.version(there)}:
        raise Refused("changed-meanwhile", f"{there.id} was changed meanwhile.", Refusal.STALE)


async def _not_taken(other: type[Place] | type[Facilitator], id: str, work: Work) -> None:
    """Refuse an id of the other kind. Both publish on one topic, where consumers would take one's events for repeats of the other's."""
    if await work.find(other, id) is not None:
        raise Refused("id-taken", f"{id} is a {other.noun} already: choose another id.")


def _refuse_retired(municipality: str, before: Place | Facilitator | None, work: Work) -> None:
    """Refuse a municipality that takes nothing new, unless it is the one before: a correction of something else is possible."""
    refuse_unless_active(work.rules, "municipalities", [municipality], [before.municipality] if before else ())
