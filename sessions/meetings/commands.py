"""Commands that change the series of a group's meetings: one is moved, cancelled or added.

Invariant: who moves a meeting and who moves another one of the same facilitator at that moment read the same rosters, so that one of the
two is refused or tried again.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.contracts.base import Id, Slug
from services.contracts.sessions import Cancelling
from services.kernel import Command, Refusal, Refused
from services.store.work import Work
from sessions.domain import Meeting, Roster, meeting_id
from sessions.meetings.series import clashes, fits, free_days


class MoveMeeting(Command):
    """Give a meeting another date, another place, or both. `seen`: the version of the meeting that the caller had before their eyes."""

    session: Id
    starts: datetime
    place: Slug
    seen: int | None = None


async def move_meeting(command: MoveMeeting, work: Work) -> None:
    """Move it. Refused as `open_meeting`, ("facilitator-busy"), ("held-already"), ("cancelled-already"), or as `fits`."""
    meeting, roster = await open_meeting(work, command.session, command.seen)
    starts = work.rules.local(command.starts)
    fits(work.rules, roster, await work.browse(Meeting, group=roster.id), starts, meeting.id)
    await _leader_is_free(work, roster, starts)
    meeting.move(starts, command.place)


class CancelMeeting(Command):
    """Cancel one meeting, while its group goes on."""

    session: Id
    reason: Cancelling
    seen: int | None = None


async def cancel_meeting(command: CancelMeeting, work: Work) -> None:
    """Cancel it. Refused as `open_meeting`, ("held-already"), ("cancelled-already")."""
    meeting, _ = await open_meeting(work, command.session, command.seen)
    meeting.call_off(command.reason)


class AddMeeting(Command):
    """Add a meeting to the series of a group, with the next number."""

    group: Id
    starts: datetime
    place: Slug


async def add_meeting(command: AddMeeting, work: Work) -> dict[str, str]:
    """Add it, and give its id. Refused("no-such-group"), ("no-meetings-left") when the group has as many as the programme grants,
    ("facilitator-busy"), or as `fits`."""
    roster = await work.find(Roster, command.group)
    if roster is None:
        raise Refused("no-such-group", f"There is no group {command.group}.", Refusal.NOT_FOUND)
    series = await work.browse(Meeting, group=roster.id)
    starts = work.rules.local(command.starts)
    fits(work.rules, roster, series, starts, None)
    if sum(not each.cancelled for each in series) >= work.rules.meetings:
        raise Refused("no-meetings-left", f"The group {roster.id} has all {work.rules.meetings} meetings.")
    await _leader_is_free(work, roster, starts)
    number = max((each.number for each in series), default=0) + 1
    id = meeting_id(roster.id, number)
    meeting = Meeting(id=id, group=roster.id, number=number, starts=starts, place=command.place)
    work.add(meeting)
    meeting.schedule()
    return {"session": id}


class Checked(NamedTuple):
    """The meaning of a new date: why it would be refused, with days that are free instead, and the number of members of that day."""

    refused: Refused | None
    free: list[date]
    members: int


async def check(work: Work, session: str | None, group: str, starts: datetime) -> Checked:
    """Judge a new date of a meeting (None: a further one) as the commands do, and change nothing."""
    roster = await work.peek(Roster, group)
    if roster is None:
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    series = await work.browse(Meeting, group=group)
    day = work.rules.day_of(starts)
    others = await meetings_beside(work, roster, day, guarded=False)
    members = len(roster.members_on(day))
    try:
        fits(work.rules, roster, series, starts, session)
        _refuse_if_busy(work, roster, starts, others)
    except Refused as refused:
        return Checked(refused, free_days(work.rules, series, others, starts), members)
    return Checked(None, [], members)


async def open_meeting(work: Work, session: str, seen: int | None) -> tuple[Meeting, Roster]:
    """A meeting with the roster of its group. Refused("no-such-session"), ("changed-meanwhile")."""
    meeting = await work.find(Meeting, session)
    roster = await work.find(Roster, meeting.group) if meeting is not None else None
    if meeting is None or roster is None:
        raise Refused("no-such-session", f"There is no session {session}.", Refusal.NOT_FOUND)
    if seen not in {None, work.version(meeting)}:
        raise Refused("changed-meanwhile", f"Session {session} was changed meanwhile.", Refusal.STALE)
    return meeting, roster


async def meetings_beside(work: Work, roster: Roster, day: date, *, guarded: bool = True) -> list[Meeting]:
    """The meetings of other groups that the facilitator of this one leads."""
    leader = roster.leader_on(day)
    find = work.where if guarded else work.browse
    led = [*await find(Roster, facilitator=leader), *await find(Roster, led__facilitator=leader)]
    groups = sorted({each.id for each in led if each.id != roster.id})
    if not groups:
        return []
    found: Sequence[Meeting] = await work.browse(Meeting, group=groups)
    leads = {each.id: each for each in led}
    return [each for each in found if leads[each.group].leader_on(each.day) == leader]


async def _leader_is_free(work: Work, roster: Roster, starts: datetime) -> None:
    _refuse_if_busy(work, roster, starts, await meetings_beside(work, roster, work.rules.day_of(starts)))


def _refuse_if_busy(work: Work, roster: Roster, starts: datetime, others: Sequence[Meeting]) -> None:
    if busy := clashes(work.rules, others, starts):
        leader = roster.leader_on(work.rules.day_of(starts))
        raise Refused("facilitator-busy", f"{leader} leads a meeting at {busy[0].starts.isoformat()}.")
