"""Messages to people: about their seats, their surveys, and personal links that they asked for.

Invariants: nobody is written to without consent to contact, which the gate keeps; unknown consent waits, and withdrawn consent drops what
is queued. A first meeting that is past is not announced: lists are entered late, consent may come after months, and a message about a
meeting that somebody missed or attended does harm and no good. A message names a meeting that is scheduled, and waits until it is; about
a seat without a meeting to come nothing is told. A token is kept sealed under its person's key, and no longer than it has to be sent.
"""

from datetime import date, datetime, timedelta
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
    off: bool = False  # it was cancelled alone, while its group goes on

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
        return min((each for each in self._known() if each.day >= day and not each.off), key=_start, default=None)

    def meeting(self, number: int) -> PlannedMeeting | None:
        """The meeting of that number; None while it is not known."""
        return next((each for each in self.meetings if each.number == number), None)

    def cancel(self, number: int) -> None:
        """Note that this meeting does not take place."""
        for each in self.meetings:
            if each.number == number:
                each.off = True

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

    HELD = "held"  # it waits for consent
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # before it was sent: consent withdrawn, or the seat given up


class About(StrEnum):
    """The kinds of messages. Each has a template of its name for a mail and for a text message, in each language."""

    SEAT = "seat"
    GROUP_ENDED = "group-ended"  # before its last meeting
    GROUP_COMPLETED = "group-completed"
    MEETING_MOVED = "meeting-moved"
    MEETING_ADDED = "meeting-added"
    MEETING_CANCELLED = "meeting-cancelled"
    SURVEY = "survey"
    INTERVIEW = "interview"
    PERSONAL_LINK = "personal-link"
    CONFIRM_LEAVE = "confirm-leave"
    CONFIRM_ERASE = "confirm-erase"
    SELF_REFERRAL = "self-referral"
    RECORD_OPENED = "record-opened"
    SERVICE_REQUEST = "service-request"  # to the organisation that is asked, never to the person
    COMPLAINT_ANSWERED = "complaint-answered"


TOLD_WITHIN = timedelta(days=30)  # in which it still means something that somebody opened the record


class Message(Aggregate):
    """One message to one person. While it is queued, its attempts are counted beside its state (`notifications.mail_queue`). `reference`
    is the group or the survey, or the step that a personal link is for; `day` the last one on which the message means something."""

    noun: ClassVar[str] = "message"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("status", "settled"), ("worker",))
    worker: str
    about: str
    reference: str
    day: date
    correlation: str
    status: Status = Status.QUEUED
    tries: int = 0
    reason: str | None = None
    number: int | None = None  # of the meeting of the group that it is about
    sealed: str | None = None  # the token of a personal link, until it is sent
    expires: datetime | None = None  # of a personal link
    channel: str | None = None  # by which it was sent, or tried last
    settled: datetime | None = None  # when it was sent or given up

    @classmethod
    def about_seat(cls, id: str, worker: str, group: str, day: date, correlation: str) -> "Message":
        """A queued message: the person has a seat in the group, and their first meeting is on that day."""
        return cls(id=id, worker=worker, about=About.SEAT, reference=group, day=day, correlation=correlation)

    @classmethod
    def about_interview(cls, id: str, worker: str, day: date, correlation: str) -> "Message":
        """A queued message: the welcome interview has a time on that day."""
        return cls(id=id, worker=worker, about=About.INTERVIEW, reference="interview", day=day, correlation=correlation)

    @classmethod
    def about_end(cls, id: str, worker: str, group: str, until: date, early: bool, correlation: str) -> "Message":
        """A message that is held: the group meets no more. It means something until that day."""
        about = About.GROUP_ENDED if early else About.GROUP_COMPLETED
        message = cls(id=id, worker=worker, about=about, reference=group, day=until, correlation=correlation)
        message.hold()
        return message

    @classmethod
    def about_meeting(
        cls, id: str, worker: str, about: About, meeting: tuple[str, int], until: date, correlation: str
    ) -> "Message":
        """A message that is held: a meeting (its group and number) has another date, or is off. It means something until that day."""
        group, number = meeting
        message = cls(
            id=id, worker=worker, about=about, reference=group, day=until, correlation=correlation, number=number
        )
        message.hold()
        return message

    @classmethod
    def about_survey(cls, id: str, worker: str, survey: str, until: date, sealed: str, correlation: str) -> "Message":
        """A message that is held: the person can answer the survey until that day, behind a link with this sealed token."""
        return cls(
            id=id,
            worker=worker,
            about=About.SURVEY,
            reference=survey,
            day=until,
            correlation=correlation,
            sealed=sealed,
            status=Status.HELD,
        )

    def sent(self, tries: int, channel: str | None = None, at: datetime | None = None) -> None:
        """Record that it was taken for delivery. Allowed for a message that was held or dropped while it was on its way."""
        if self.status not in {Status.QUEUED, Status.HELD, Status.DROPPED}:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.tries, self.channel, self.settled = tries, channel, at
        self.says(MessageSent(worker=self.worker, about=self.about, reference=self.reference))

    @applies(MessageSent)
    def _sent(self, _: MessageSent) -> None:
        self.status, self.sealed = Status.SENT, None

    def fail(self, reason: str, tries: int, channel: str | None = None, at: datetime | None = None) -> None:
        """Give it up, for a reason with a stable code. Refused("not-queued")."""
        if self.status is not Status.QUEUED:
            raise Refused("not-queued", f"Message {self.id} is {self.status}, not queued.")
        self.tries, self.channel, self.settled = tries, channel, at
        self.says(MessageFailed(worker=self.worker, about=self.about, reference=self.reference, reason=reason))

    @applies(MessageFailed)
    def _failed(self, event: MessageFailed) -> None:
        self.status, self.reason, self.sealed = Status.FAILED, event.reason, None

    def drop(self) -> bool:
        """Drop it, if it was not sent or given up yet. True when it is dropped now."""
        if self.status in {Status.QUEUED, Status.HELD}:
            self.status, self.sealed = Status.DROPPED, None
        return self.status is Status.DROPPED

    def queue_again(self) -> None:
        """Queue it again after it failed or was dropped: its reason is gone."""
        if self.status in {Status.FAILED, Status.DROPPED}:
            self.status, self.reason, self.tries, self.settled = Status.QUEUED, None, 0, None

    def release(self) -> None:
        """Queue it, if it was held."""
        if self.status is Status.HELD:
            self.status = Status.QUEUED

    def hold(self) -> None:
        """Hold it, if it was not sent or given up yet."""
        if self.status is Status.QUEUED:
            self.status = Status.HELD


def sealed_as(message: str) -> str:
    """The name of the field under which the token of a message is sealed."""
    return f"message/{message}"


class Seat(BaseModel):
    """A seat to announce, and the message that announces it."""

    group: str
    since: date
    message: str | None = None


class SeatLeft(BaseModel):
    """A seat that ended: `until` is the first day without it."""

    group: str
    until: date


class SurveyLink(BaseModel):
    """A personal link to a survey that was not answered, and the message that carries it."""

    survey: str
    message: str


class BookedInterview(BaseModel):
    """The welcome interview, and the message that tells it. `place`: the partner at whose desk; None, at the office of the programme.
    `event`: the booking, by which the message has one id however often it is taken."""

    when: datetime
    place: str | None
    event: str
    message: str | None = None


class Recipient(Aggregate):
    """The interview, the seats and the links to surveys that a person has, and every message there ever was for them."""

    noun: ClassVar[str] = "recipient"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("seats.group",), ("left.group",))
    seats: tuple[Seat, ...] = ()
    left: tuple[SeatLeft, ...] = ()
    endings: tuple[
        str, ...
    ] = ()  # messages that a group of theirs meets no more, or that a meeting of it is moved, added or off
    messages: tuple[str, ...] = ()
    links: tuple[SurveyLink, ...] = ()
    answered: tuple[str, ...] = ()  # surveys; the answer may arrive before the link, by another topic
    withdrawn: bool = False
    interview: BookedInterview | None = None

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

    def note_left(self, group: str, until: date) -> None:
        """Remember when their seat in this group ended."""
        self.left = (*(each for each in self.left if each.group != group), SeatLeft(group=group, until=until))

    def sat_at_the_end(self, group: str, last: date) -> bool:
        """True when they had a seat in this group on its last day: they have it still, or it ended with the group."""
        until = next((each.until for each in self.left if each.group == group), date.min)
        return not self.withdrawn and (self.seat_in(group) is not None or until > last)

    def told_of_end(self, message: str) -> None:
        """Remember the message that a group of theirs meets no more, or about a meeting of it."""
        self.remember(message)
        if message not in self.endings:
            self.endings = (*self.endings, message)

    def announced(self, seat: Seat, message: str) -> None:
        """Remember the message that announces the seat."""
        seat.message = message
        self.messages = (*self.messages, message)

    def unannounced(self) -> list[Seat]:
        """The seats without a message."""
        return [each for each in self.seats if each.message is None]

    def take_link(self, link: SurveyLink) -> SurveyLink | None:
        """Take a link in place of an earlier one to the same survey, which is returned."""
        replaced = next((each for each in self.links if each.survey == link.survey), None)
        self.links = (*(each for each in self.links if each.survey != link.survey), link)
        self.remember(link.message)
        return replaced

    def is_asked(self, survey: str) -> bool:
        """True unless they have answered it, or left."""
        return survey not in self.answered and not self.withdrawn

    def remember(self, message: str) -> None:
        """Remember a message, so that an erasure finds it."""
        if message not in self.messages:
            self.messages = (*self.messages, message)

    def answer(self, survey: str) -> list[SurveyLink]:
        """Note that they answered, and return the links to it, which nobody needs any more."""
        done = [each for each in self.links if each.survey == survey]
        self.links = tuple(each for each in self.links if each.survey != survey)
        if survey not in self.answered:
            self.answered = (*self.answered, survey)
        return done

    def come_back(self) -> None:
        """Begin anew: surveys are asked again."""
        self.withdrawn = False

    def withdraw(self) -> list[SurveyLink]:
        """End their part: no survey is asked any more. Returns the links that they had."""
        left, self.links, self.withdrawn = list(self.links), (), True
        return left
