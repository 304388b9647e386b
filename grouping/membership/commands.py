"""What can be done about groups: each command beside its one handler. A decision reads everything anew, guarded."""

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field

from grouping.domain import Facilitator, Group, Place, Seeker, State, right_size
from grouping.fitting import are_colleagues, can_come, can_join, can_sit_together
from grouping.wishes import pairs_of
from grouping.pool import drawn
from services.contracts.base import Id, Slug
from services.contracts.grouping import GroupFormed, Kind, PlaceRegistered
from services.kernel import Command, Refusal, Refused, new_id
from services.programmes import distance_km
from services.store.work import Work


class RegisterPlace(Command):
    """A place where groups can meet, new or corrected."""

    place: Slug
    title: str
    address: str
    municipality: Slug
    rooms: int
    access: bool


async def register_place(command: RegisterPlace, work: Work) -> None:
    """Keep it."""
    _known_municipality(command.municipality, work)
    described = PlaceRegistered.model_validate(command.model_dump())
    place = await work.find(Place, command.place)
    if place is None:
        await _not_taken(Facilitator, command.place, work)
        place = Place.new(command.place, described)
        work.add(place)
    place.register(described)


class RegisterFacilitator(Command):
    """Somebody who leads groups, new or corrected."""

    facilitator: Slug
    municipality: Slug
    travel_km: float
    slots: frozenset[Slug]
    groups: int


async def register_facilitator(command: RegisterFacilitator, work: Work) -> None:
    """Keep them."""
    _known_municipality(command.municipality, work)
    _known_slots(command.slots, work)
    described = command.model_dump(exclude={"at", "facilitator"})
    facilitator = await work.find(Facilitator, command.facilitator)
    if facilitator is None:
        await _not_taken(Place, command.facilitator, work)
        facilitator = Facilitator(id=command.facilitator, **described)
        work.add(facilitator)
    facilitator.register(**described)


class Form(Command):
    """These people, in this slot, at this place, with this facilitator, from this day on."""

    members: list[Id] = Field(min_length=1)
    slot: Slug
    place: Slug
    facilitator: Slug
    first: date
    kind: Kind = Kind.HETEROGENEOUS


async def form(command: Form, work: Work) -> dict[str, str]:
    """Every rule is checked again: what was proposed may be old by now."""
    _known_slots([command.slot], work)
    right_size(len(set(command.members)), work.rules.sizes.min, work.rules.sizes.max)
    if command.first.isoweekday() != next(slot.isoweekday for slot in work.rules.slots if slot.id == command.slot):
        raise Refused("wrong-weekday", f"{command.first} is not a day of slot {command.slot}.", Refusal.INVALID)
    place, facilitator = await work.get(Place, command.place), await work.get(Facilitator, command.facilitator)
    await _room_is_free(place, command.slot, work)
    await _facilitator_is_free(facilitator, place, command.slot, work)
    workers = sorted(set(command.members))
    seekers = [await work.get(Seeker, worker) for worker in workers]
    await _all_stand(seekers, work)
    pairs = await pairs_of(workers, work)
    problem = await drawn(work, command.first, seekers=seekers, places=[place], pairs=pairs)
    for person in problem.people:
        can_come(problem, person, command.slot, problem.places[0])
    can_sit_together(problem, problem.people)
    if command.kind is Kind.HOMOGENEOUS:
        are_colleagues(problem.people)
    group = Group.form(new_id(), GroupFormed.model_validate(command.model_dump()), workers)
    work.add(group)
    work.link(seeker.trace for seeker in seekers if seeker.trace)
    return {"group": group.id}


class Join(Command):
    """Somebody comes late into a group that exists: from this day on, else from now on, and not before it first meets."""

    group: Id
    worker: Id
    since: date | None = None


async def join(command: Join, work: Work) -> dict[str, str]:
    """One seat more, if no rule is broken by it. Who sits there is only looked at: their seats are the group's, which is guarded."""
    group = await work.get(Group, command.group)
    if group.state is not State.FORMED:
        raise Refused("concluded", f"Group {group.id} does not meet any more.")
    seeker = await work.get(Seeker, command.worker)
    await _all_stand([seeker], work)
    since = max(group.first, command.since or work.rules.day_of(work.at))
    if since > work.rules.ends:
        raise Refused("programme-over", f"{work.programme} ends on {work.rules.ends}.")
    sitting = [found for each in group.sitting() if (found := await work.peek(Seeker, each)) is not None]
    place, leader = await work.get(Place, group.place), await work.get(Facilitator, group.facilitator)
    problem = await drawn(
        work,
        since,
        seekers=[*sitting, seeker],
        places=[place],
        facilitators=[leader],
        groups=[group],
        pairs=await pairs_of([seeker.id], work),
    )
    can_join(problem, problem.frozen[0], next(each for each in problem.people if each.id == seeker.id))
    group.join(seeker.id, since)
    work.link([seeker.trace] if seeker.trace else [])
    return {"group": group.id, "worker": seeker.id, "since": since.isoformat()}


async def _all_stand(seekers: Sequence[Seeker], work: Work) -> None:
    """They wait for a seat, and have none yet."""
    for seeker in seekers:
        if not seeker.waits or seeker.profile is None:
            raise Refused("not-waiting", f"Worker {seeker.id} does not wait for a seat.", worker=seeker.id)
    workers = [each.id for each in seekers]
    groups = await work.where(Group, members__worker=workers)
    if seated := sorted(each for each in workers if any(group.seats(each) for group in groups)):
        raise Refused("seated-already", f"{', '.join(seated)}: already in a group.", workers=seated)


async def _room_is_free(place: Place, slot: str, work: Work) -> None:
    meeting = [group for group in await work.where(Group, place=place.id, slot=slot) if group.state == "formed"]
    if len(meeting) >= place.rooms:
        raise Refused("no-room", f"Place {place.id} has no room free in {slot}.")


async def _facilitator_is_free(facilitator: Facilitator, place: Place, slot: str, work: Work) -> None:
    leads = [group for group in await work.where(Group, facilitator=facilitator.id) if group.state == "formed"]
    if slot not in facilitator.slots or any(group.slot == slot for group in leads):
        raise Refused("facilitator-not-free", f"Facilitator {facilitator.id} is not free in {slot}.")
    if len(leads) >= facilitator.groups:
        raise Refused("facilitator-full", f"Facilitator {facilitator.id} leads {len(leads)} groups already.")
    if distance_km(work.rules, facilitator.municipality, place.municipality) > facilitator.travel_km:
        raise Refused("out-of-reach", f"Facilitator {facilitator.id} does not reach place {place.id}.")


class Leave(Command):
    """Somebody leaves the pool and any group, from that day on."""

    worker: Id


async def leave(command: Leave, work: Work) -> None:
    """Free the seat."""
    seeker = await work.find(Seeker, command.worker)
    if seeker is not None:
        seeker.leave()
    for group in await work.where(Group, members__worker=[command.worker]):
        group.release(command.worker, work.rules.day_of(work.at))


async def _not_taken(other: type[Place] | type[Facilitator], id: str, work: Work) -> None:
    """Both speak on one topic, where a subject is one thing: two of one id would be taken for repeats of each other."""
    if await work.find(other, id) is not None:
        raise Refused("id-taken", f"{id} is a {other.noun} already: choose another id.")


def _known_municipality(municipality: str, work: Work) -> None:
    if municipality not in {each.id for each in work.rules.municipalities}:
        raise Refused(
            "no-such-municipality", f"{municipality} is no municipality of {work.programme}.", Refusal.INVALID
        )


def _known_slots(slots: Iterable[str], work: Work) -> None:
    unknown = set(slots) - {slot.id for slot in work.rules.slots}
    if unknown:
        raise Refused("no-such-slot", f"{', '.join(sorted(unknown))}: no slot of {work.programme}.", Refusal.INVALID)
