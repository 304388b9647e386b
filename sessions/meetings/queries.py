"""Reads of single meetings and of one person's own calendar, from the aggregates: what was just saved is seen at once.

Invariant: a read for somebody else than the person themself is in that person's access log before it is shown.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from services.contracts.enrolment import Purpose
from services.kernel import Refusal, Refused
from services.programmes import Programme
from services.store.work import Work
from sessions.domain import Meeting, Participant, Roster, Status, Survey
from sessions.queries import opened


class Mark(BaseModel):
    """A member of the day of a meeting. `here` is None until they were marked as present or absent."""

    worker: str
    here: bool | None


class Sheet(BaseModel):
    """A meeting as whoever calls its roll sees it; `day` is the local one. `meetings`: of the group, in all. `last`: the group does not
    meet after this day."""

    session: str
    group: str
    slot: str
    place: str
    number: int
    meetings: int
    starts: AwareDatetime
    day: date
    held: bool
    cancelled: bool
    last: date | None
    members: list[Mark]
    version: int

    @property
    def is_over(self) -> bool:
        """True when the group was concluded before this day, so that the meeting does not take place."""
        return self.last is not None and self.day > self.last


async def open_sheet(work: Work, session: str, facilitator: str | None) -> Sheet:
    """The sheet of a meeting, as `opened` opens it."""
    meeting, roster, members = await opened(work, session, facilitator)
    return Sheet(
        session=meeting.id,
        group=meeting.group,
        slot=roster.slot,
        place=meeting.place,
        number=meeting.number,
        meetings=len(await work.browse(Meeting, group=meeting.group)),
        starts=meeting.starts,
        day=meeting.day,
        held=meeting.held,
        cancelled=meeting.cancelled,
        last=roster.concluded,
        members=[Mark(worker=each, here=meeting.roll.get(each)) for each in members],
        version=work.version(meeting),
    )


class Series(BaseModel):
    """A group's series of meetings, and the one of them that an operator changes (None: they add one). `place` and `starts` are
    those of that meeting, else of the last one."""

    session: str | None
    group: str
    number: int | None
    slot: str
    place: str
    starts: AwareDatetime
    held: bool
    cancelled: bool
    concluded: date | None
    left: int  # meetings that the programme still grants
    version: int

    def weekday(self, rules: Programme) -> int | None:
        """The weekday of the group's slot, Monday 1 to Sunday 7; None when the programme has no such slot."""
        slot = rules.slot(self.slot)
        return slot.isoweekday if slot is not None else None

    def next_start(self, rules: Programme) -> datetime:
        """The start that a further meeting would have: after the last one, at the same local time, not on a holiday."""
        last = rules.local(self.starts)
        day = rules.day_of(last) + timedelta(days=rules.cadence_days)
        while rules.is_holiday(day) and day < rules.ends:
            day += timedelta(days=rules.cadence_days)
        return datetime.combine(day, last.time(), rules.zone)


async def open_series(work: Work, session: str | None, group: str | None) -> Series:
    """The series of a meeting, or of a group. Refused("no-such-session"), ("no-such-group")."""
    meeting = await work.peek(Meeting, session) if session is not None else None
    if session is not None and meeting is None:
        raise Refused("no-such-session", f"There is no session {session}.", Refusal.NOT_FOUND)
    of = meeting.group if meeting is not None else str(group)
    roster = await work.peek(Roster, of)
    series = sorted(await work.browse(Meeting, group=of), key=lambda each: each.starts)
    if roster is None or not series:
        raise Refused("no-such-group", f"There is no group {of}.", Refusal.NOT_FOUND)
    shown = meeting or series[-1]
    return Series(
        session=meeting.id if meeting is not None else None,
        group=of,
        number=meeting.number if meeting is not None else None,
        slot=roster.slot,
        place=shown.place if meeting is not None else roster.place,
        starts=shown.starts,
        held=meeting is not None and meeting.held,
        cancelled=meeting is not None and meeting.cancelled,
        concluded=roster.concluded,
        left=work.rules.meetings - sum(not each.cancelled for each in series),
        version=work.version(meeting) if meeting is not None else 0,
    )


class Coming(BaseModel):
    """A meeting that is still to come, of a group in which the person has a seat on that day. One that was cancelled is told as such."""

    number: int
    meetings: int
    starts: AwareDatetime
    place: str
    cancelled: bool


async def own_calendar(work: Work, worker: str, most: int) -> list[Coming]:
    """The next meetings of a person who asks for themselves, soonest first. No access is logged: they are their own."""
    participant = await work.peek(Participant, worker)
    found: list[Coming] = []
    for group in participant.groups if participant is not None else ():
        roster = await work.peek(Roster, group)
        if roster is not None and _sits(roster, worker, work.rules.day_of(work.now)):
            found += _ahead(await work.browse(Meeting, group=group), roster, worker, work)
    return sorted(found, key=lambda each: each.starts)[:most]


def _sits(roster: Roster, worker: str, today: date) -> bool:
    """True while a seat of theirs has not ended."""
    return any(each.worker == worker and (each.until is None or each.until > today) for each in roster.members)


def _ahead(meetings: Sequence[Meeting], roster: Roster, worker: str, work: Work) -> list[Coming]:
    last = roster.concluded or date.max
    return [
        Coming(
            number=each.number,
            meetings=len(meetings),
            starts=each.starts,
            place=each.place,
            cancelled=each.cancelled,
        )
        for each in meetings
        if each.starts > work.now and each.day <= last and worker in roster.members_on(each.day)
    ]


class OpenSurvey(BaseModel):
    """A survey to which the person is invited and that they have not answered."""

    instrument: str
    due: date


async def own_surveys(work: Work, worker: str) -> list[OpenSurvey]:
    """The open surveys of a person who asks for themselves, the next due first; none while they do not consent to research."""
    consents = await work.peek_consents(worker)
    if not consents.allow(Purpose.RESEARCH):
        return []
    found = await work.browse(Survey, worker=worker)
    invited = [OpenSurvey(instrument=each.instrument, due=each.due) for each in found if each.status is Status.INVITED]
    return sorted(invited, key=lambda each: each.due)
