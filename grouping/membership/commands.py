"""Commands that form a group, give a seat in one, and end seats. Each reads everything that it decides on anew, guarded."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from pydantic import Field

from grouping.domain import Facilitator, Group, Place, Seeker, right_size
from grouping.fitting import (
    are_colleagues,
    can_come,
    can_join,
    can_sit_together,
    is_over,
    last_day,
    most_at_once,
)
from grouping.leading import facilitator_is_free
from grouping.pool import problem_of
from grouping.wishes import pairs_of
from services.contracts.base import Id, Slug
from services.contracts.enrolment import Purpose
from services.contracts.grouping import Ending, GroupFormed, Kind
from services.kernel import Command, Refusal, Refused, in_order, in_time, new_id
from services.programmes import in_programme, meeting_days, refuse_unless_active
from services.store.work import Work


class Form(Command):
    """A new group: these people, in this slot, at this place, with this facilitator, from this day on."""

    members: list[Id] = Field(min_length=1)
    slot: Slug
    place: Slug
    facilitator: Slug
    first: date
    kind: Kind = Kind.HETEROGENEOUS


async def form(command: Form, work: Work) -> dict[str, str]:
    """Form the group and return its id. Every rule is checked again: the proposal may be old by now."""
    refuse_unless_active(work.rules, "slots", [command.slot])
    # A slot that was renamed has one id from here on.
    command = command.model_copy(update={"slot": work.rules.slot_id(command.slot)})
    days = meeting_days(work.rules, command.first)
    _right_shape(command, days, work)
    place, facilitator = await work.get(Place, command.place), await work.get(Facilitator, command.facilitator)
    await _room_is_free(place, command.slot, days, work)
    await facilitator_is_free(facilitator, place, command.slot, (days[0], days[-1]), work)
    workers = sorted(set(command.members))
    seekers = [await work.get(Seeker, worker) for worker in workers]
    await _want_a_seat(seekers, work)
    work.reads_for("new group")
    pairs = await pairs_of(workers, work)
    problem = await problem_of(work, command.first, seekers=seekers, places=[place], pairs=pairs)
    for person in problem.people:
        can_come(problem, person, command.slot, problem.places[0])
    can_sit_together(problem, problem.people)
    if command.kind is Kind.HOMOGENEOUS:
        are_colleagues(problem.people)
    formed = GroupFormed.model_validate({**command.model_dump(), "days": days})
    group = Group.form(new_id(), formed, workers, work.at)
    work.add(group)
    work.link(seeker.trace for seeker in seekers if seeker.trace)
    return {"group": group.id}


def _right_shape(command: Form, days: Sequence[date], work: Work) -> None:
    """Refuse what no pool could form: the wrong size or weekday, and meetings outside the programme."""
    right_size(len(set(command.members)), work.rules.sizes.min, work.rules.sizes.max)
    if command.first.isoweekday() != next(slot.isoweekday for slot in work.rules.slots if slot.id == command.slot):
        raise Refused("wrong-weekday", f"{command.first} is not a day of slot {command.slot}.", Refusal.INVALID)
    in_programme(work.rules, "The forming of the group", work.rules.day_of(work.at))
    in_programme(work.rules, "The first meeting of the group", days[0])
    in_programme(work.rules, "The last meeting of the group", days[-1])


async def _want_a_seat(seekers: Sequence[Seeker], work: Work) -> None:
    """Refuse people who do not wait for a seat, do not consent to participate any more, or have a seat."""
    refusing = await work.refusing([each.id for each in seekers], Purpose.PARTICIPATION)
    for seeker in seekers:
        if not seeker.waits or seeker.profile is None or seeker.id in refusing:
            raise Refused("not-waiting", f"Worker {seeker.id} does not wait for a seat.", worker=seeker.id)
        in_order(f"The seat of worker {seeker.id}", work.rules.day_of(work.at), "their admission", seeker.admitted)
    workers = [each.id for each in seekers]
    groups = await work.where(Group, members__worker=workers)
    if seated := sorted(each for each in workers if any(group.seats(each) for group in groups)):
        raise Refused("seated-already", f"{', '.join(seated)}: already in a group.", workers=seated)


async def _room_is_free(place: Place, slot: str, days: Sequence[date], work: Work) -> None:
    groups = [each for each in await work.where(Group, place=place.id) if work.rules.slot_id(each.slot) == slot]
    if most_at_once(groups, days, work.rules) >= place.rooms:
        raise Refused("no-room", f"Place {place.id} has no room free in {slot}.")


class Join(Command):
    """A seat in a group that exists: from this day on, else from today on, and not before the group first meets."""

    group: Id
    worker: Id
    since: date | None = None


async def join(command: Join, work: Work) -> dict[str, str]:
    """Give one more seat, if no rule is broken by it."""
    group = await work.get(Group, command.group)
    group.refuse_if_concluded()
    seeker = await work.get(Seeker, command.worker)
    await _want_a_seat([seeker], work)
    in_order("The seat", work.at, "the forming of the group", group.formed)
    since = max(group.first, command.since or work.rules.day_of(work.at))
    in_programme(work.rules, "The seat", since)
    in_time("The seat", since, "the last meeting of the group", last_day(group, work.rules))
    # the seats of those who sit there are in the group, which is guarded: a peek at the people is enough
    sitting = [found for each in group.sitting() if (found := await work.peek(Seeker, each)) is not None]
    place, leader = await work.get(Place, group.place), await work.get(Facilitator, group.facilitator)
    work.reads_for(f"group {group.id}")
    problem = await problem_of(
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


class Leave(Command):
    """The end of a worker's way here: they leave the pool and any group."""

    worker: Id


async def leave(command: Leave, work: Work) -> None:
    """End the worker's seats from the programme's local day of the command on."""
    seeker = await work.find(Seeker, command.worker)
    if seeker is not None:
        seeker.leave()
    for group in await work.where(Group, members__worker=[command.worker]):
        group.release(command.worker, work.rules.day_of(work.at))


class Conclude(Command):
    """A group ends earlier than it was planned, for a reason. Its last day is the local day of the command. `seen`: the version of the
    group that was before the caller's eyes."""

    group: Id
    reason: Ending
    seen: int | None = None


async def conclude(command: Conclude, work: Work) -> None:
    """End the group, and the seats in it. Refused: no-such-group, concluded, changed-meanwhile, out-of-order."""
    group = await work.get(Group, command.group)
    group.refuse_if_concluded()
    if command.seen not in {None, work.version(group)}:
        raise Refused("changed-meanwhile", f"Group {group.id} was changed meanwhile.", Refusal.STALE)
    group.conclude(last_day(group, work.rules), work.rules.day_of(work.at), command.reason, work.at)


class Entrust(Command):
    """Another facilitator for a group, from a day on. `seen`: the version of the group that was before the caller's eyes."""

    group: Id
    facilitator: Slug
    since: date
    seen: int | None = None


async def entrust(command: Entrust, work: Work) -> None:
    """Have the facilitator lead the group from today or a later day on, and not before it first meets. Refused: no-such-group,
    no-such-facilitator, changed-meanwhile, as `Group.entrust` and `facilitator_is_free`, or ("out-of-order") for a day that is past."""
    group = await work.get(Group, command.group)
    group.refuse_if_concluded()
    if command.seen not in {None, work.version(group)}:
        raise Refused("changed-meanwhile", f"Group {group.id} was changed meanwhile.", Refusal.STALE)
    facilitator, place = await work.get(Facilitator, command.facilitator), await work.get(Place, group.place)
    in_order("The change of the facilitator", work.at, "the forming of the group", group.formed)
    in_order("The change of the facilitator", command.since, "today", work.rules.day_of(work.at))
    since, last = max(command.since, group.first), last_day(group, work.rules)
    await facilitator_is_free(facilitator, place, group.slot, (since, max(since, last)), work, beside=group.id)
    group.entrust(facilitator.id, since, last)


class ConcludeOver(Command):
    """The last meeting of a group may be past."""

    group: Id


async def conclude_over(command: ConcludeOver, work: Work) -> None:
    """Conclude the group from the start of the day after its last meeting on; nothing while it meets, or when it is concluded."""
    group = await work.get(Group, command.group)
    if is_over(group, work.rules, work.rules.day_of(work.now)):
        last = last_day(group, work.rules)
        ends = datetime.combine(last + timedelta(days=1), time(), work.rules.zone)
        # A list of groups is entered late: one that was over before it was formed here ends with its forming.
        group.conclude(last, last, Ending.COMPLETED, max(ends, group.formed or ends))
