"""Who meets when, and who was there. Attendance counts the members of the meeting's own date, whenever the roll is called.

Of somebody who was erased only the count stays: a meeting that nine of twelve came to stays one.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.contracts.sessions import SessionHeld, SessionScheduled
from services.kernel import Aggregate, Refusal, Refused


class Membership(BaseModel):
    """A seat from a day on, until a day (exclusive) if it was given up."""

    worker: str
    since: date
    until: date | None = None


class Roster(Aggregate):
    """Who belongs to a group, by date, as grouping told it. The id is the group's."""

    noun: ClassVar[str] = "roster"
    slot: str
    place: str
    facilitator: str
    members: list[Membership] = []

    def seat(self, worker: str, since: date) -> None:
        """A seat from that day on."""
        self.members.append(Membership(worker=worker, since=since))

    def release(self, worker: str, since: date) -> None:
        """No seat any more from that day on."""
        for each in self.members:
            if each.worker == worker and each.until is None:
                each.until = max(since, each.since)

    def members_on(self, day: date) -> list[str]:
        """Who had a seat that day."""
        return sorted({m.worker for m in self.members if m.since <= day and (m.until is None or day < m.until)})

    def detach(self, worker: str) -> None:
        """Of an erased person not even the pseudonym stays."""
        self.members = [each for each in self.members if each.worker != worker]


class Meeting(Aggregate):
    """One meeting of a group. `starts` carries the local offset, so its date is the local one; `roll` says who was there."""

    noun: ClassVar[str] = "session"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("group",),)
    group: str
    number: int
    starts: datetime
    place: str
    held: bool = False
    roll: dict[str, bool] = {}
    nameless_present: int = 0
    nameless_absent: int = 0

    @property
    def day(self) -> date:
        """The local date."""
        return self.starts.date()

    @property
    def present(self) -> int:
        """How many were there."""
        return sum(self.roll.values()) + self.nameless_present

    @property
    def absent(self) -> int:
        """How many members were not."""
        return len(self.roll) - sum(self.roll.values()) + self.nameless_absent

    def schedule(self) -> None:
        """It has a date."""
        self.says(SessionScheduled(group=self.group, number=self.number, starts=self.starts, place=self.place))

    def call_roll(self, members: Collection[str], present: Collection[str], at: datetime) -> dict[str, bool]:
        """Who was there of those who were members that day; returns what is new, and of whom. The same roll again says nothing."""
        if at < self.starts:
            raise Refused("not-yet-held", f"Session {self.id} starts at {self.starts.isoformat()}.")
        if strangers := sorted(set(present) - set(members)):
            raise Refused(
                "not-a-member", f"{', '.join(strangers)}: no member on {self.day}.", Refusal.INVALID, workers=strangers
            )
        roll = {member: member in present for member in members}
        if self.held and roll == self.roll:
            return {}
        news = {member: here for member, here in roll.items() if self.roll.get(member) is not here}
        self.held, self.roll = True, roll
        self.says(
            SessionHeld(group=self.group, number=self.number, on=self.day, present=self.present, absent=self.absent), at
        )
        return news

    def detach(self, worker: str) -> None:
        """Of an erased person only the count stays."""
        if worker in self.roll:
            was_present = self.roll[worker]
            self.roll = {each: here for each, here in self.roll.items() if each != worker}
            self.nameless_present += was_present
            self.nameless_absent += not was_present


def led_by(
    facilitator: str | None, session: str, meeting: Meeting | None, roster: Roster | None
) -> tuple[Meeting, Roster]:
    """The meeting and its roster, when this facilitator leads the group (None: an operator, who may see all groups).
    Refused("no-such-session") otherwise: a facilitator cannot find out which other meetings exist."""
    if meeting is None or roster is None or facilitator not in {None, roster.facilitator}:
        raise Refused("no-such-session", f"There is no session {session}.", Refusal.NOT_FOUND)
    return meeting, roster


def meeting_id(group: str, number: int) -> str:
    """The same for the same meeting, whoever makes it."""
    return str(uuid5(NAMESPACE_URL, f"urn:amalavoro:session:{group}:{number}"))


def schedule(roster: Roster, first: date, at: time, zone: ZoneInfo, number: int, cadence_days: int) -> list[Meeting]:
    """So many meetings, every `cadence_days` from the first day, at the same local time in summer and in winter."""
    days = [first + timedelta(days=cadence_days * each) for each in range(number)]
    meetings = [
        Meeting(
            id=meeting_id(roster.id, each),
            group=roster.id,
            number=each,
            starts=datetime.combine(day, at, zone),
            place=roster.place,
        )
        for each, day in enumerate(days, start=1)
    ]
    for meeting in meetings:
        meeting.schedule()
    return meetings
