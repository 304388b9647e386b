"""Messages to people, and the seats that decide them.

Invariants: nobody is written to without consent to contact, which the gate keeps; unknown consent waits, and withdrawn consent drops what
is queued. A first meeting that is past is not announced: lists are entered late, consent may come after months, and a message about a
meeting that somebody missed or attended does harm and no good. A message names a meeting that is scheduled, and waits until it is; about
a seat without a meeting to come nothing is told.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.notifications import MessageFailed, MessageSent
from services.kernel import Aggregate, Refused, applies


class Venue(Aggregate):
    """Title and address of a place, as a message shows them. The id is the place's."""

    noun: ClassVar[str] = "venue"
    title: str
    address: str

    def correct(self, title: str, address: str) -> None:
        """Replace both, when the place was registered again."""
        self.title, self.address = title, address


class PlannedMeeting(BaseModel):
    """A meeting that sessions has scheduled; `starts` carries the local offset."""

    number: int
    starts: datetime
    place: str

    @property
    def day(self) -> date:
        """The local date, since `starts` carries the local offset, also when it was stored."""
        return self.starts.date()


class GroupCalendar(Aggregate):
    """The scheduled meetings of a group, and the people whose message waits for one of them. The id is the group's.

    Both are in one aggregate: a seat and a meeting that arrive at one time, in two copies, change the same document, so that one of
    them sees the other.
    """

    noun: ClassVar[str] = "calendar"
    meetings: tuple[PlannedMeeting, ...] = ()  # by number
    waiting: tuple[str, ...] = ()
    concluded: date | None = None  # the group does not meet after this day

    def schedule(self, meeting: PlannedMeeting) -> tuple[str, ...]:
        """Take a meeting, in place of an earlier one of that number. Returns the people who waited; they wait no more."""
        others = (each for each in self.meetings if each.number != meeting.number)
        self.meetings = tuple(sorted((*others, meeting), key=lambda each: each.number))
        waited, self.waiting = self.waiting, ()
        return waited

    def first_from(self, day: date) -> PlannedMeeting | None:
        """The first meeting on or after the local day; None while it is not known, or when there is none."""
        return min((each for each in self._known() if each.day >= day), key=_start, default=None)

    def conclude(self, on: date) -> None:
        """End the group: meetings after this day are off, also those that are scheduled later, and nobody waits for one."""
        self.concluded, self.waiting = on, ()

    def _known(self) -> list[PlannedMeeting]:
        """The meetings before the first gap in the numbers: a gap is a meeting that has not arrived yet."""
        numbered = [each for number, each in enumerate(self.meetings, start=1) if each.number == number]
        return [each for each in numbered if self.concluded is None or each.day <= self.concluded]

    def wait(self, worker: str) -> None:
        """Remember that a message to this person waits for a meeting."""
        self.forget(worker)
        self.waiting = (*self.waiting, worker)

    def forget(self, worker: str) -> None:
        """Let no message to this person wait any more."""
        self.waiting = tuple(each for each in self.waiting if each != worker)


def _start(meeting: PlannedMeeting) -> datetime:
    return meeting.starts


class Status(StrEnum):
    """The state of a message."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # before it was sent: consent withdrawn, or the seat given up


class Message(Aggregate):
    """One message to one person. While it is queued, its attempts are counted beside its state (`notifications.mail_queue`)."""

    noun: ClassVar[str] = "message"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("status",), ("worker",))
    worker: str
    about: str
    reference: str
    day: date
    correlation: str
    status: Status = Status.QUEUED
    tries: int = 0
    reason: str | None = None

    @classmethod
    def about_seat(cls, id: str, worker: str, group: str, day: date, correlation: str) -> "Message":
        """A queued message: the person has a seat in the group, and their first meeting is on that day."""
        return cls(id=id, worker=worker, about="seat", reference=group, day=day, correlation=correlation)

    def sent(self, tries: int) -> None:
        """Record that the mail server took it. Allowed for a message that was dropped while it was on its way."""
        if self.status not in {Status.QUEUED, Status.DROPPED}:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.tries = tries
        self.says(MessageSent(worker=self.worker, about=self.about, reference=self.reference))

    @applies(MessageSent)
    def _sent(self, _: MessageSent) -> None:
        self.status = Status.SENT

    def fail(self, reason: str, tries: int) -> None:
        """Give it up, for a reason with a stable code. Refused("not-queued")."""
        if self.status is not Status.QUEUED:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.tries = tries
        self.says(MessageFailed(worker=self.worker, about=self.about, reference=self.reference, reason=reason))

    @applies(MessageFailed)
    def _failed(self, event: MessageFailed) -> None:
        self.status, self.reason = Status.FAILED, event.reason

    def drop(self) -> bool:
        """Drop it, if it was not sent or given up yet. True when it is dropped now."""
        if self.status is Status.QUEUED:
            self.status = Status.DROPPED
        return self.status is Status.DROPPED


class Seat(BaseModel):
    """A seat to announce, and the message that announces it."""

    group: str
    since: date
    message: str | None = None


class Recipient(Aggregate):
    """The seats that a person has, and every message there ever was for them."""

    noun: ClassVar[str] = "recipient"
    seats: tuple[Seat, ...] = ()
    messages: tuple[str, ...] = ()

    def take_seat(self, group: str, since: date) -> None:
        """Add a seat, in place of an earlier one in the same group."""
        self.seats = (*(each for each in self.seats if each.group != group), Seat(group=group, since=since))

    def seat_in(self, group: str) -> Seat | None:
        """Their seat in this group, if they have one."""
        return next((each for each in self.seats if each.group == group), None)

    def leave(self, groups: set[str] | None = None) -> list[Seat]:
        """Remove their seats in these groups (None: in all), and return them."""
        left = [each for each in self.seats if groups is None or each.group in groups]
        self.seats = tuple(each for each in self.seats if each not in left)
        return left

    def announced(self, seat: Seat, message: str) -> None:
        """Remember the message that announces the seat."""
        seat.message = message
        self.messages = (*self.messages, message)

    def unannounced(self) -> list[Seat]:
        """The seats without a message."""
        return [each for each in self.seats if each.message is None]
