"""What happened, as facts keyed by what they concern. Set, never added: repeats, corrections and any interleaving give the same rows."""

from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.contracts.grouping import GroupFormed, MemberJoined, MemberLeft, WorkerUnlisted, WorkerWaitlisted
from services.contracts.sessions import (
    AttendanceRecorded,
    SessionHeld,
    SessionScheduled,
    SurveyInvited,
    SurveyScored,
    SurveySubmitted,
)
from services.events.delivery.declare import Projection, Rows, on


class Path(Projection):
    """One row per worker: when each step was reached, and what they consent to."""

    name = "path"

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        """By whom, when."""
        rows.set(
            event.subject, person=event.subject, worker=event.subject, partner=event.data.partner, referred=event.time
        )

    @on(ConsentChanged)
    def consented(self, event: Event[ConsentChanged], rows: Rows) -> None:
        """The latest counts."""
        rows.set(event.subject, person=event.subject, **{f"consent_{event.data.purpose.value}": event.data.given})

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        """After the welcome interview."""
        rows.set(event.subject, person=event.subject, admitted=event.time)

    @on(WorkerDeclined)
    def declined(self, event: Event[WorkerDeclined], rows: Rows) -> None:
        """Not admitted."""
        rows.set(event.subject, person=event.subject, declined=event.time)

    @on(WorkerWithdrawn)
    def withdrew(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        """Left the programme."""
        rows.set(event.subject, person=event.subject, withdrawn=event.time, reason=event.data.reason)

    @on(WorkerWaitlisted)
    def waits(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        """In the pool."""
        rows.set(event.subject, person=event.subject, waits=event.time, not_before=event.data.not_before)

    @on(WorkerUnlisted)
    def unlisted(self, event: Event[WorkerUnlisted], rows: Rows) -> None:
        """Not in the pool any more."""
        rows.set(event.subject, person=event.subject, unlisted=event.time)

    @on(MemberJoined)
    def joined(self, event: Event[MemberJoined], rows: Rows) -> None:
        """A seat: a row of its own per group, since somebody can move."""
        worker = event.data.worker
        rows.set(
            f"{worker}/{event.subject}",
            person=worker,
            member=worker,
            group=event.subject,
            since=event.data.since,
            until=None,
        )

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The seat was given up."""
        rows.set(f"{event.data.worker}/{event.subject}", person=event.data.worker, until=event.data.since)

    @on(WorkerErased)
    def erased(self, event: Event[WorkerErased], rows: Rows) -> None:
        """Nothing is kept."""
        rows.drop(event.subject)


class Meetings(Projection):
    """One row per group and one per meeting."""

    name = "meetings"

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """A group begins."""
        rows.set(f"group/{event.subject}", formed=event.subject, **event.data.model_dump())

    @on(SessionScheduled)
    def scheduled(self, event: Event[SessionScheduled], rows: Rows) -> None:
        """A meeting has a date."""
        rows.set(
            event.subject,
            session=event.subject,
            group=event.data.group,
            number=event.data.number,
            starts=event.data.starts,
        )

    @on(SessionHeld)
    def held(self, event: Event[SessionHeld], rows: Rows) -> None:
        """It took place."""
        rows.set(event.subject, held=event.data.on, present=event.data.present, absent=event.data.absent)


class Attendance(Projection):
    """One row per member and meeting."""

    name = "attendance"

    @on(AttendanceRecorded)
    def recorded(self, event: Event[AttendanceRecorded], rows: Rows) -> None:
        """Present or not; said again, it corrects."""
        told = event.data
        rows.set(
            f"{told.session}/{event.subject}", person=event.subject, group=told.group, on=told.on, present=told.present
        )


class Scores(Projection):
    """One row per survey: asked, answered, scored."""

    name = "scores"

    @on(SurveyInvited)
    def invited(self, event: Event[SurveyInvited], rows: Rows) -> None:
        """Asked."""
        told = event.data
        rows.set(event.subject, person=told.worker, instrument=told.instrument, wave=told.wave, due=told.due)

    @on(SurveySubmitted)
    def submitted(self, event: Event[SurveySubmitted], rows: Rows) -> None:
        """Answered."""
        told = event.data
        rows.set(event.subject, person=told.worker, instrument=told.instrument, wave=told.wave, submitted=event.time)

    @on(SurveyScored)
    def scored(self, event: Event[SurveyScored], rows: Rows) -> None:
        """What it scored."""
        told = event.data
        rows.set(event.subject, person=told.worker, instrument=told.instrument, wave=told.wave, scores=told.scores)
