"""What to tell a person. Nobody is written to who has not said they may be; unknown consent waits, withdrawn consent drops.

A first meeting that is already past is not announced: lists are entered late, consent may come after months, and a letter that
calls somebody to a meeting they have missed, or have been to, does harm and no good.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.notifications import MessageFailed, MessageSent
from services.kernel import Aggregate, Refused


class Venue(Aggregate):
    """A place, as a letter names it."""

    noun: ClassVar[str] = "venue"
    title: str
    address: str


class Circle(Aggregate):
    """A group, as a letter names it: its weekly slot, its place, the day of its first meeting."""

    noun: ClassVar[str] = "circle"
    slot: str
    place: str
    first: date

    def first_for(self, since: date, cadence_days: int) -> date:
        """The first meeting of somebody who has a seat since that day."""
        if since <= self.first:
            return self.first
        return self.first + timedelta(days=-(-(since - self.first).days // cadence_days) * cadence_days)


class Status(StrEnum):
    """What became of a message."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # before it was sent: consent withdrawn, or the seat given up


class Message(Aggregate):
    """One thing to tell one person. Attempts are counted beside it, by whoever claims it, until its fate is known."""

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
        """That they have a seat in the group, and meet first on that day."""
        return cls(id=id, worker=worker, about="seat", reference=group, day=day, correlation=correlation)

    def sent(self, tries: int) -> None:
        """The mail server took it. Also true when it was dropped while on its way."""
        if self.status not in {Status.QUEUED, Status.DROPPED}:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.status, self.tries = Status.SENT, tries
        self.says(MessageSent(worker=self.worker, about=self.about, reference=self.reference))

    def fail(self, reason: str, tries: int) -> None:
        """Given up, for a reason with a stable code."""
        if self.status is not Status.QUEUED:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.status, self.tries, self.reason = Status.FAILED, tries, reason
        self.says(MessageFailed(worker=self.worker, about=self.about, reference=self.reference, reason=reason))

    def drop(self) -> bool:
        """Do not send it any more. Whether that was in time."""
        if self.status is Status.QUEUED:
            self.status = Status.DROPPED
        return self.status is Status.DROPPED


class Seat(BaseModel):
    """A seat to tell of, and the message that does."""

    group: str
    since: date
    message: str | None = None


class Recipient(Aggregate):
    """Whether somebody may be written to (None: not known yet), the seats they have, and every message there ever was for them."""

    noun: ClassVar[str] = "recipient"
    contact: bool | None = None
    seats: tuple[Seat, ...] = ()
    messages: tuple[str, ...] = ()

    def sit(self, group: str, since: date) -> None:
        """They have a seat."""
        self.seats = (*(each for each in self.seats if each.group != group), Seat(group=group, since=since))

    def stand_up(self, groups: set[str] | None = None) -> list[Seat]:
        """They have no seat in these groups (None: in any) any more; returns the seats they had."""
        left = [each for each in self.seats if groups is None or each.group in groups]
        self.seats = tuple(each for each in self.seats if each not in left)
        return left

    def hears(self, seat: Seat, message: str) -> None:
        """This message tells of the seat."""
        seat.message = message
        self.messages = (*self.messages, message)

    def untold(self) -> list[Seat]:
        """The seats to tell of now: none without consent."""
        return [each for each in self.seats if each.message is None] if self.contact else []
