"""Messages to people, and the seats that decide them.

Invariants: nobody is written to without consent to contact, which the gate keeps; unknown consent waits, and withdrawn consent drops what
is queued. A first meeting that is past is not announced: lists are entered late, consent may come after months, and a message about a
meeting that somebody missed or attended does harm and no good.
"""

from datetime import date, timedelta
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


class SeatedGroup(Aggregate):
    """A group as a message shows it: its weekly slot, its place, the day of its first meeting. The id is the group's."""

    noun: ClassVar[str] = "circle"
    slot: str
    place: str
    first: date

    def correct(self, slot: str, place: str, first: date) -> None:
        """Replace all three, when the event was published again."""
        self.slot, self.place, self.first = slot, place, first

    def first_for(self, since: date, cadence_days: int) -> date:
        """The day of the first meeting of a person with a seat since that day."""
        if since <= self.first:
            return self.first
        return self.first + timedelta(days=-(-(since - self.first).days // cadence_days) * cadence_days)


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
