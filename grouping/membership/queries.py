"""Reads of the groups and of the pool in figures, from the read models; of one group and who could join it, from the aggregates.

Invariant: a read of a person's data is in their access log before it is shown.
"""

from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from grouping.domain import Facilitator, Group, Place, Seeker, State
from grouping.fitting import can_join, last_day
from grouping.formation.model import Frozen, Person, Problem
from grouping.leading import can_lead
from grouping.pool import problem_of
from grouping.wishes import pairs_of
from services.contracts.enrolment import Purpose
from services.contracts.grouping import Kind
from services.contracts.leading import Lead, leads_from
from services.kernel import Refusal, Refused
from services.store.work import Work


class ReadRows(Protocol):
    """A read of the live rows of a projection in the caller's programme."""

    def __call__(self, projection: str, where: dict[str, Any] | None = None, /) -> Awaitable[list[dict[str, Any]]]: ...


async def groups(rows: ReadRows, facilitator: str | None, today: date) -> list[dict[str, Any]]:
    """The groups with the number of their members, oldest first: all of them, or those that one facilitator leads on the local day
    `today` or will lead."""
    sitting = Counter(row["group"] for row in await rows("pool") if _is_seat(row))
    own: dict[str, Any] = {}
    if facilitator is not None:
        own = {"group": {"$in": await _led_by(facilitator, rows, today)}}
    return [{**row, "members": sitting[row["group"]]} for row in await rows("groups", own)]


async def _led_by(facilitator: str, rows: ReadRows, today: date) -> list[str]:
    assigned = {row["group"] for row in await rows("leaders", {"facilitator": facilitator})}
    leads: dict[str, list[Lead]] = {each: [] for each in sorted(assigned)}
    found = await rows("leaders", {"group": {"$in": sorted(assigned)}}) if assigned else []
    for row in sorted(found, key=lambda each: int(each["order"])):
        leads[row["group"]].append(Lead(facilitator=row["facilitator"], since=row["since"]))
    return [group for group, some in leads.items() if leads_from(some, facilitator, today)]


class Figures(NamedTuple):
    """Numbers of people. Those held back until a day are among the waiting."""

    waiting: int
    held_back: int
    seated: int


async def figures(rows: ReadRows) -> Figures:
    """The people who came into the pool and have not left it."""
    pool = await rows("pool")
    sitting = {row["member"] for row in pool if _is_seat(row)}
    there = [row for row in pool if "waits" in row and "gone" not in row]
    waiting = [row for row in there if row["worker"] not in sitting]
    held_back = sum(row.get("not_before") is not None for row in waiting)
    return Figures(len(waiting), held_back, len(there) - len(waiting))


def _is_seat(row: Mapping[str, Any]) -> bool:
    """Tell whether the row is a seat that was not given up."""
    return "group" in row and row.get("left") is None


class Seat(BaseModel):
    """A seat from a day on, until a day (exclusive) if it was given up."""

    worker: str
    since: date
    until: date | None


class Sheet(BaseModel):
    """A group with its members, those that sit there now and those that gave their seat up."""

    group: str
    kind: Kind
    slot: str
    place: str
    facilitator: str
    leads: list[Lead]
    first: date
    last: date
    concluded: date | None
    members: list[Seat]
    gone: list[Seat]
    version: int

    @property
    def meets(self) -> bool:
        """True until the group is concluded."""
        return self.concluded is None


async def open_group(work: Work, group: str) -> Sheet:
    """A group with everybody who has or had a seat in it, whose access logs say so. Refused("no-such-group", 404)."""
    found = await work.peek(Group, group)
    if found is None:
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    work.reads_for(f"group {group}")
    work.note_access(*(each.worker for each in found.members))
    seats = [Seat(**each.model_dump()) for each in found.members]
    return Sheet(
        group=found.id,
        **found.model_dump(include={"kind", "slot", "place", "facilitator", "first"}),
        leads=found.leads,
        last=last_day(found, work.rules),
        concluded=found.concluded if found.state is State.CONCLUDED else None,
        members=[each for each in seats if each.until is None],
        gone=[each for each in seats if each.until is not None],
        version=work.version(found),
    )


async def could_lead(work: Work, group: str, facilitators: Sequence[str], since: date) -> dict[str, str | None]:
    """For each of these facilitators None when they could lead the group from that day on, else the code of the refusal. Refused:
    no-such-group, concluded."""
    there = await work.peek(Group, group)
    if there is None:
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    there.refuse_if_concluded()
    place = await work.peek(Place, there.place)
    found = await work.several(Facilitator, facilitators)
    ids = [each.id for each in found]
    some = [*await work.browse(Group, facilitator=ids), *await work.browse(Group, led__facilitator=ids)] if ids else []
    others = {each.id: each for each in some if each.id != group}
    last = last_day(there, work.rules)
    days = (min(max(since, there.first), last), last)
    return {
        each.id: _no_leader(each, place, there, days, list(others.values()), work)
        for each in found
        if place is not None
    }


def _no_leader(
    facilitator: Facilitator, place: Place, group: Group, days: tuple[date, date], others: Sequence[Group], work: Work
) -> str | None:
    if group.leads[-1].facilitator == facilitator.id:
        return "leads-already"
    try:
        can_lead(facilitator, place, group.slot, days, others, work.rules)
    except Refused as refused:
        return refused.code
    return None


class Candidate(BaseModel):
    """Somebody who waits, and could join a group; else the code with which joining would be refused."""

    worker: str
    refused: str | None = None


async def could_join(work: Work, group: str, workers: Sequence[str], on: date) -> list[Candidate]:
    """Which of these people could join the group on that day, those first. Whoever does not wait any more, or refuses to participate, is
    left out. Logged as an access for each of them and for the members. Refused: no-such-group, concluded."""
    there = await work.peek(Group, group)
    if there is None:
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    there.refuse_if_concluded()
    waiting = await _who_wait(workers, work)
    work.reads_for(f"group {group}")
    place, leader = await work.peek(Place, there.place), await work.peek(Facilitator, there.facilitator)
    problem = await problem_of(
        work,
        max(on, there.first),
        seekers=[*await work.several(Seeker, there.sitting()), *waiting],
        places=[place] if place else [],
        facilitators=[leader] if leader else [],
        groups=[there],
        pairs=await pairs_of([each.id for each in waiting], work, guarded=False),
    )
    people = {each.id: each for each in problem.people}
    joined = problem.frozen[0]
    found = [Candidate(worker=each.id, refused=_refusal(problem, joined, people[each.id])) for each in waiting]
    return sorted(found, key=lambda each: each.refused is not None)


async def _who_wait(workers: Sequence[str], work: Work) -> list[Seeker]:
    """Those of them who wait, are described, have no seat and did not refuse to participate."""
    found = [each for each in await work.several(Seeker, workers) if each.waits and each.profile is not None]
    ids = [each.id for each in found]
    seated = {id for group in await work.browse(Group, members__worker=ids) for id in group.sitting()} if ids else set()
    refusing = await work.refusing(ids, Purpose.PARTICIPATION, guarded=False)
    return [each for each in found if each.id not in seated | refusing]


async def could_sit(work: Work, worker: str, groups: Sequence[str], on: date) -> list[tuple[str, str | None]]:
    """Which of these groups somebody who waits could join on that day, in their order; then the others with the code of the refusal.
    Logged as an access for them and for the members. Refused: no-such-seeker."""
    work.reads_for("seats")
    work.note_access(worker)
    waiting = await _who_wait([worker], work)
    if not waiting:
        raise Refused("no-such-seeker", f"Worker {worker} does not wait for a seat.", Refusal.NOT_FOUND)
    there = [each for each in await work.several(Group, groups) if each.state is State.FORMED]
    problem = await problem_of(
        work,
        on,
        seekers=[*waiting, *await work.several(Seeker, [id for each in there for id in each.sitting()])],
        places=await work.several(Place, sorted({each.place for each in there})),
        facilitators=await work.several(Facilitator, sorted({each.facilitator for each in there})),
        groups=there,
        pairs=await pairs_of([worker], work, guarded=False),
    )
    comer = next(each for each in problem.people if each.id == worker)
    found = [(each.id, _refusal(problem, each, comer)) for each in problem.frozen]
    return sorted(found, key=lambda each: each[1] is not None)


def _refusal(problem: Problem, group: Frozen, comer: Person) -> str | None:
    try:
        can_join(problem, group, comer)
    except Refused as refused:
        return refused.code
    return None
