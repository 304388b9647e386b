"""Groups and their meetings: the calendar, and the attendance of the members of each meeting's own date.

Invariants: the marks of a roll are those of members of the meeting's own day. Whoever turns out to have left before it loses their mark, in
the counts as in the published attendance; whoever turns out to have joined before it has none until the roll is sent again. Of an erased
person only the count stays, so a meeting that nine of twelve attended keeps these numbers.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.contracts.leading import Lead, leader_on, may_see
from services.contracts.sessions import Cancelling, SessionCancelled, SessionHeld, SessionMoved, SessionScheduled
from services.kernel import Aggregate, Refusal, Refused, applies, in_order, in_time


class Membership(BaseModel):
    """A seat from a day on, until a day (exclusive) if it was given up."""

    worker: str
    since: date
    until: date | None = None


class Roster(Aggregate):
    """The members of a group by date, as grouping published them. The id is the group's."""

    noun: ClassVar[str] = "roster"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("facilitator",), ("led.facilitator",))
    slot: str
    place: str
    facilitator: str  # whoever was assigned last
    concluded: date | None = None  # it does not meet after this day
    members: list[Membership] = []
    led: list[Lead] = []  # in the order in which they were assigned; empty: by one facilitator all the time

    def assign(self, facilitator: str, since: date) -> None:
        """Give the group to this facilitator from that day on."""
        before = self.led or [Lead(facilitator=self.facilitator, since=date.min)]
        self.led = [*before, Lead(facilitator=facilitator, since=since)]
        self.facilitator = facilitator

    def may_be_seen_by(self, facilitator: str, day: date, today: date) -> bool:
        """True when this facilitator leads the group on that day of a meeting, and has not been replaced by today."""
        leads = self.led or [Lead(facilitator=self.facilitator, since=date.min)]
        return may_see(leads, facilitator, day, today)

    def leader_on(self, day: date) -> str:
        """The facilitator who leads the group on that day."""
        return leader_on(self.led, day) or self.facilitator

    @property
    def begins(self) -> date | None:
        """The first day on which somebody has a seat; None without members."""
        return min((each.since for each in self.members), default=None)

    def conclude(self, on: date) -> None:
        """End the group: it does not meet after this day."""
        self.concluded = on

    def seat(self, worker: str, since: date) -> None:
        """Begin a membership on that day."""
        self.members.append(Membership(worker=worker, since=since))

    def release(self, worker: str, since: date) -> None:
        """End a membership: that day is the first without a seat."""
        for each in self.members:
            if each.worker == worker and each.until is None:
                each.until = max(since, each.since)

    def members_on(self, day: date) -> list[str]:
        """The members of that day, sorted by id."""
        return sorted({m.worker for m in self.members if m.since <= day and (m.until is None or day < m.until)})

    def forget(self, worker: str) -> None:
        """Remove every membership of an erased person: not even the pseudonym stays."""
        self.members = [each for each in self.members if each.worker != worker]


class Meeting(Aggregate):
    """One meeting of a group. `roll` maps each member to whether they were present."""

    noun: ClassVar[str] = "session"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("group",),)
    group: str
    number: int
    starts: datetime  # with the programme's local offset
    place: str
    held: bool = False
    cancelled: bool = False
    roll: dict[str, bool] = {}
    erased_present: int = 0
    erased_absent: int = 0

    @property
    def day(self) -> date:
        """The local date, since `starts` carries the local offset, also when it was stored."""
        return self.starts.date()

    @property
    def present(self) -> int:
        """The number of members who were there, erased ones included."""
        return sum(self.roll.values()) + self.erased_present

    @property
    def absent(self) -> int:
        """The number of members who were not there, erased ones included."""
        return len(self.roll) - sum(self.roll.values()) + self.erased_absent

    def schedule(self) -> None:
        """Publish the date and the place of a new meeting."""
        self.says(SessionScheduled(group=self.group, number=self.number, starts=self.starts, place=self.place))

    def move(self, starts: datetime, place: str) -> None:
        """Give it another date or place; what it has already changes nothing. Refused("held-already"), ("cancelled-already")."""
        self._refuse_unless_open()
        if (starts, place) != (self.starts, self.place):
            self.says(SessionMoved(group=self.group, number=self.number, starts=starts, place=place))

    def call_off(self, reason: Cancelling) -> None:
        """Cancel it alone, while the group goes on. Refused("held-already"), ("cancelled-already")."""
        self._refuse_unless_open()
        self.says(SessionCancelled(group=self.group, number=self.number, reason=reason))

    def _refuse_unless_open(self) -> None:
        if self.held:
            raise Refused("held-already", f"The roll of session {self.id} was called.")
        if self.cancelled:
            raise Refused("cancelled-already", f"Session {self.id} was cancelled.")

    def cancel(self) -> None:
        """Publish that it does not take place since the group ended, unless its roll was called or that is known already."""
        if not (self.held or self.cancelled):
            self.says(SessionCancelled(group=self.group, number=self.number))

    def call_roll(
        self, members: Collection[str], present: Collection[str], at: datetime, concluded: date | None = None
    ) -> dict[str, bool | None]:
        """Record the attendance of that day's members. Returns whose attendance is new or corrected, None for whoever was no member
        after all; the same roll again changes nothing. Refused("cancelled-already"), ("out-of-order") before the meeting starts and after
        the group was `concluded`, or ("not-a-member") naming the strangers in `workers`."""
        if self.cancelled:
            raise Refused("cancelled-already", f"Session {self.id} was cancelled.")
        at = in_order("The roll-call", at, "the session", self.starts)
        if concluded is not None:
            in_time("The session", self.day, "the end of the group", concluded)
        if strangers := sorted(set(present) - set(members)):
            raise Refused(
                "not-a-member", f"{', '.join(strangers)}: no member on {self.day}.", Refusal.INVALID, workers=strangers
            )
        return self._mark({member: member in present for member in members}, at)

    def shows(self, members: Collection[str], present: Collection[str]) -> bool:
        """Tell whether the roll was called and says exactly this of these members."""
        return self.held and self.roll == {member: member in present for member in members}

    def recount(self, members: Collection[str], at: datetime) -> dict[str, bool | None]:
        """Drop the marks of those who were no members of that day after all, once the roll was called. Returns them, as `call_roll`."""
        kept = {member: here for member, here in self.roll.items() if member in members}
        return self._mark(kept, max(at, self.starts)) if kept != self.roll else {}

    def _mark(self, roll: Mapping[str, bool], at: datetime) -> dict[str, bool | None]:
        if self.held and roll == self.roll:
            return {}
        marks = {member: roll.get(member) for member in sorted({*self.roll, *roll})}
        changed = {member: here for member, here in marks.items() if self.roll.get(member) is not here}
        self.roll = dict(roll)  # the event carries the counts alone: it is open, and attendance is not
        self.says(
            SessionHeld(group=self.group, number=self.number, on=self.day, present=self.present, absent=self.absent), at
        )
        return changed

    @applies(SessionHeld)
    def _held(self, _: SessionHeld) -> None:
        self.held = True

    @applies(SessionMoved)
    def _moved(self, event: SessionMoved) -> None:
        self.starts, self.place = event.starts, event.place

    @applies(SessionCancelled)
    def _cancelled(self, _: SessionCancelled) -> None:
        self.cancelled = True

    def forget(self, worker: str) -> None:
        """Replace an erased person on the roll by a count."""
        if worker in self.roll:
            was_present = self.roll[worker]
            self.roll = {each: here for each, here in self.roll.items() if each != worker}
            self.erased_present += was_present
            self.erased_absent += not was_present


def led_by(
    facilitator: str | None, session: str, meeting: Meeting | None, roster: Roster | None, today: date
) -> tuple[Meeting, Roster]:
    """The meeting and its roster, when this facilitator leads the group on its day and was not replaced by today (None: an operator, who
    may see all groups). Refused("no-such-session") otherwise: a facilitator cannot find out which other meetings exist."""
    none = Refused("no-such-session", f"There is no session {session}.", Refusal.NOT_FOUND)
    if meeting is None or roster is None:
        raise none
    if facilitator is not None and not roster.may_be_seen_by(facilitator, meeting.day, today):
        raise none
    return meeting, roster


def meeting_id(group: str, number: int) -> str:
    """The id of a meeting, derived from group and number, so that scheduling again makes no second one."""
    return str(uuid5(NAMESPACE_URL, f"urn:amalavoro:session:{group}:{number}"))


def schedule(roster: Roster, days: Iterable[date], at: time, zone: ZoneInfo) -> list[Meeting]:
    """Schedule a meeting on each of these days, at the same local time in summer and in winter."""
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
