"""Read models of enrolment. They hold no name, so that reading a list needs no entry in an access log."""

from typing import Any

from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    ContactTried,
    InterviewBooked,
    InterviewHeld,
    Purpose,
    StepRedated,
    WorkerAdmitted,
    WorkerContacted,
    WorkerCorrected,
    WorkerDeclined,
    WorkerMerged,
    WorkerReferred,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import FacilitatorAssigned, MemberJoined, MemberLeft, WorkerWaitlisted
from services.events.delivery.declare import Projection, Rows, on


class Progress(Projection):
    """One row per worker: the partner, the time of each step so far, and whether they consent to take part. `stage`: the step that they
    have reached; `asked`: when the present round began, with the referral or the return. Times of an earlier round stay until the step is
    taken again: a referrer is told of no return."""

    name = "desk"  # names stored collections and consumers
    indexes = (
        "partner",
        ("partner", "worker"),
        # With the last field of the order of their lists: without it MongoDB reads and sorts a whole list for its first page.
        ("stage", "asked", "worker"),
        ("stage", "participation", "asked", "worker"),
        ("stage", "interview", "worker"),
        ("stage", "waiting", "seated", "admitted", "worker"),
        ("given", "worker"),
    )

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        partner = event.data.partner
        facts = {"partner": partner, "origin": event.data.origin, "referred": event.time, "asked": event.time}
        _reach(event, rows, "referred", worker=event.subject, **facts)

    @on(WorkerContacted)
    def contacted(self, event: Event[WorkerContacted], rows: Rows) -> None:
        _reach(event, rows, "contacted", contacted=event.time)

    @on(InterviewBooked)
    def booked(self, event: Event[InterviewBooked], rows: Rows) -> None:
        _reach(event, rows, "interview-booked", interview=event.data.when, place=event.data.place)

    @on(InterviewHeld)
    def held(self, event: Event[InterviewHeld], rows: Rows) -> None:
        _reach(event, rows, "interviewed", interviewed=event.time)

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        _reach(event, rows, "admitted", admitted=event.time)

    @on(ConsentChanged)
    def consented(self, event: Event[ConsentChanged], rows: Rows) -> None:
        """Tell whether they consent to take part, for the lists of an operator alone: what may be done is asked of the gate. A person's
        events keep their order, and an older decision is refused."""
        if event.data.purpose is Purpose.PARTICIPATION:
            rows.set(event.subject, person=event.subject, participation=event.data.given)

    @on(WorkerDeclined)
    def declined(self, event: Event[WorkerDeclined], rows: Rows) -> None:
        _reach(event, rows, "declined", declined=event.time)

    @on(WorkerWithdrawn)
    def withdrawn(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        _reach(event, rows, "withdrawn", withdrawn=event.time)

    @on(WorkerReturned)
    def returned(self, event: Event[WorkerReturned], rows: Rows) -> None:
        _reach(event, rows, "referred", returned=event.time, asked=event.time)

    @on(WorkerMerged)
    def merged(self, event: Event[WorkerMerged], rows: Rows) -> None:
        _reach(event, rows, "merged", merged=event.data.into)

    @on(StepRedated)
    def redated(self, event: Event[StepRedated], rows: Rows) -> None:
        """Replace the time of the step alone."""
        rows.set(event.subject, person=event.subject, **{event.data.step.value: event.time})

    @on(WorkerWaitlisted)
    def waiting(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, waiting=event.time)

    @on(MemberJoined)
    def seated(self, event: Event[MemberJoined], rows: Rows) -> None:
        """Tell that there is a seat, never in which group: a referrer reads this row. `given`: the moment at which it was given, by which
        the desk asks for consent; the first day may be weeks later."""
        rows.set(event.data.worker, person=event.data.worker, seated=event.data.since, given=event.time)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        rows.set(event.data.worker, person=event.data.worker, left=event.data.since)


def _reach(event: Event[Any], rows: Rows, stage: str, **facts: Any) -> None:
    rows.set(event.subject, person=event.subject, stage=stage, **facts)


class History(Projection):
    """One row per event about a worker, for the timeline of one person. `what`: the kind of event; `at`: when it happened in the world;
    `recorded`: when it was written down, by which the record of the worker says who did it."""

    name = "history"
    indexes = (("worker", "at"),)

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        """The worker was referred by this partner."""
        _tell(event, event.subject, rows, "referred", partner=event.data.partner)

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        """The worker was admitted by an operator."""
        _tell(event, event.subject, rows, "admitted")

    @on(WorkerDeclined)
    def declined(self, event: Event[WorkerDeclined], rows: Rows) -> None:
        """The way of the worker ended before an admission."""
        _tell(event, event.subject, rows, "declined")

    @on(WorkerWithdrawn)
    def withdrawn(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        """The worker left the programme: found work, or another reason."""
        _tell(event, event.subject, rows, "withdrawn", reason=event.data.reason)

    @on(ContactTried)
    def tried(self, event: Event[ContactTried], rows: Rows) -> None:
        """Somebody tried to reach the worker."""
        _tell(event, event.subject, rows, "tried", **event.data.model_dump(mode="json"))

    @on(InterviewBooked)
    def booked(self, event: Event[InterviewBooked], rows: Rows) -> None:
        """The welcome interview got a time."""
        _tell(event, event.subject, rows, "booked", when=event.data.when, place=event.data.place)

    @on(InterviewHeld)
    def held(self, event: Event[InterviewHeld], rows: Rows) -> None:
        """The welcome interview took place."""
        _tell(event, event.subject, rows, "held")

    @on(WorkerReturned)
    def returned(self, event: Event[WorkerReturned], rows: Rows) -> None:
        """The worker came back after the end of the way."""
        _tell(event, event.subject, rows, "returned", partner=event.data.partner)

    @on(StepRedated)
    def redated(self, event: Event[StepRedated], rows: Rows) -> None:
        """The date of a step was corrected."""
        _tell(event, event.subject, rows, "redated", step=event.data.step.value)

    @on(WorkerMerged)
    def merged(self, event: Event[WorkerMerged], rows: Rows) -> None:
        """The record ended in another one of the same person."""
        _tell(event, event.subject, rows, "merged", into=event.data.into)

    @on(WorkerCorrected)
    def corrected(self, event: Event[WorkerCorrected], rows: Rows) -> None:
        """The contact card of the worker was corrected."""
        _tell(event, event.subject, rows, "corrected")

    @on(ConsentChanged)
    def consented(self, event: Event[ConsentChanged], rows: Rows) -> None:
        """The worker decided on one purpose, and how that was told."""
        _tell(event, event.subject, rows, "consent", **event.data.model_dump())

    @on(WorkerWaitlisted)
    def waiting(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        """The worker began to wait for a seat."""
        _tell(event, event.subject, rows, "waiting")

    @on(MemberJoined)
    def seated(self, event: Event[MemberJoined], rows: Rows) -> None:
        """The worker got a seat, from a day on."""
        _tell(event, event.data.worker, rows, "seated", since=event.data.since, group=event.subject)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The seat of the worker ended on a day."""
        _tell(event, event.data.worker, rows, "left", since=event.data.since, group=event.subject)


def _tell(event: Event[Any], worker: str, rows: Rows, what: str, **facts: Any) -> None:
    rows.set(event.id, person=worker, worker=worker, what=what, at=event.time, recorded=event.recordedtime, **facts)


class Leaders(Projection):
    """One row per assignment of a facilitator to a group, from a day on. `order`: of two of one day, the later event counts."""

    name = "leaders"
    indexes = ("group",)

    @on(FacilitatorAssigned)
    def assigned(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """From a day on the facilitator leads the group."""
        rows.set(event.id, group=event.subject, order=event.sequence, **event.data.model_dump())


class Members(Projection):
    """One row per seat that began or ended in a group, with its day. `order`: the place of the event in the history of the group."""

    name = "members"
    indexes = ("group",)

    @on(MemberJoined)
    def joined(self, event: Event[MemberJoined], rows: Rows) -> None:
        """From this day the worker is a member."""
        _seat(event, rows, sits=True)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """From this day the worker is no member any more."""
        _seat(event, rows, sits=False)


def _seat(event: Event[Any], rows: Rows, *, sits: bool) -> None:
    worker, since = event.data.worker, event.data.since
    rows.set(event.id, person=worker, worker=worker, group=event.subject, since=since, sits=sits, order=event.sequence)
