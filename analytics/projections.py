"""Read models of analytics.

Invariant: facts are set and never added, so that repeats, corrections and any interleaving of topics give the same rows.
"""

from services.contracts import Event
from services.contracts.enrolment import (
    DeclineExplained,
    InterviewHeld,
    StepRedated,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerContacted,
    WorkerDeclined,
    WorkerMerged,
    WorkerReferred,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import (
    GroupConcluded,
    GroupFormed,
    MemberJoined,
    MemberLeft,
    PlaceRegistered,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.contracts.paths import (
    ComplaintAnswered,
    ComplaintReceived,
    OutcomeRecorded,
    ServiceAnswered,
    ServiceCompleted,
    ServiceRequested,
    WorkerSignposted,
)
from services.contracts.sessions import (
    AttendanceRecorded,
    SessionCancelled,
    SessionHeld,
    SessionMoved,
    SessionScheduled,
    SurveyInvited,
    SurveyScored,
    SurveySubmitted,
)
from services.events.delivery.declare import Projection, Rows, on


class Path(Projection):
    """One row per worker with the time of each step; one row per seat. Consents are in no row: a figure asks the gate."""

    name = "path"

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(
            event.subject, person=event.subject, worker=event.subject, partner=event.data.partner, referred=event.time
        )

    @on(WorkerContacted)
    def contacted(self, event: Event[WorkerContacted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, contacted=event.time)

    @on(InterviewHeld)
    def interviewed(self, event: Event[InterviewHeld], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, interviewed=event.time)

    @on(WorkerReturned)
    def returned(self, event: Event[WorkerReturned], rows: Rows) -> None:
        """Set the time. The ends before it stay, and do not count."""
        rows.set(event.subject, person=event.subject, returned=event.time)

    @on(StepRedated)
    def redated(self, event: Event[StepRedated], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, **{event.data.step.value: event.time})

    @on(WorkerMerged)
    def merged(self, event: Event[WorkerMerged], rows: Rows) -> None:
        """Set the record that goes on: the one that ended counts in no figure of people."""
        rows.set(event.subject, person=event.subject, merged=event.data.into)

    @on(DeclineExplained)
    def decline_explained(self, event: Event[DeclineExplained], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, decline=event.data.reason)

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, admitted=event.time)

    @on(WorkerDeclined)
    def declined(self, event: Event[WorkerDeclined], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, declined=event.time)

    @on(WorkerWithdrawn)
    def withdrawn(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        """Set the time, and what everybody may know of the reason. Events from before `withdrawal.explained` say it whole."""
        rows.set(event.subject, person=event.subject, withdrawn=event.time, told=event.data.reason)

    @on(WithdrawalExplained)
    def explained(self, event: Event[WithdrawalExplained], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, reason=event.data.reason)

    @on(WorkerWaitlisted)
    def waiting(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, waits=event.time, not_before=event.data.not_before, unlisted=None)

    @on(WorkerUnlisted)
    def unlisted(self, event: Event[WorkerUnlisted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, unlisted=event.time)

    @on(MemberJoined)
    def joined(self, event: Event[MemberJoined], rows: Rows) -> None:
        """Set a row per member and group, since a member can move."""
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
        rows.set(f"{event.data.worker}/{event.subject}", person=event.data.worker, until=event.data.since)


class Meetings(Projection):
    """One row per group and one per meeting."""

    name = "meetings"

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        rows.set(f"group/{event.subject}", formed=event.subject, **event.data.model_dump(exclude={"days"}))

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        rows.set(f"group/{event.subject}", concluded=event.data.on)

    @on(SessionScheduled, SessionMoved)
    def scheduled(self, event: Event[SessionScheduled] | Event[SessionMoved], rows: Rows) -> None:
        rows.set(
            event.subject,
            session=event.subject,
            group=event.data.group,
            number=event.data.number,
            starts=event.data.starts,
        )

    @on(SessionCancelled)
    def cancelled(self, event: Event[SessionCancelled], rows: Rows) -> None:
        rows.set(event.subject, cancelled=True)

    @on(SessionHeld)
    def held(self, event: Event[SessionHeld], rows: Rows) -> None:
        rows.set(event.subject, held=event.data.on, present=event.data.present, absent=event.data.absent)


class Places(Projection):
    """One row per place where groups can meet. Its street is not needed here."""

    name = "places"

    @on(PlaceRegistered)
    def registered(self, event: Event[PlaceRegistered], rows: Rows) -> None:
        place = event.data
        rows.set(
            event.subject, place=event.subject, title=place.title, municipality=place.municipality, rooms=place.rooms
        )


class Attendance(Projection):
    """One row per member and meeting."""

    name = "attendance"

    @on(AttendanceRecorded)
    def recorded(self, event: Event[AttendanceRecorded], rows: Rows) -> None:
        """Set the line; a second roll-call of the same meeting corrects it, and may tell that the person was no member that day."""
        line = event.data
        facts = line.model_dump(include={"group", "on", "present", "member"})
        rows.set(f"{line.session}/{event.subject}", person=event.subject, **facts)


class Scores(Projection):
    """One row per survey: the invitation, the time of the answer, the scores."""

    name = "scores"

    @on(SurveyInvited)
    def invited(self, event: Event[SurveyInvited], rows: Rows) -> None:
        survey = event.data
        rows.set(event.subject, person=survey.worker, instrument=survey.instrument, wave=survey.wave, due=survey.due)

    @on(SurveySubmitted)
    def submitted(self, event: Event[SurveySubmitted], rows: Rows) -> None:
        survey = event.data
        rows.set(
            event.subject, person=survey.worker, instrument=survey.instrument, wave=survey.wave, submitted=event.time
        )

    @on(SurveyScored)
    def scored(self, event: Event[SurveyScored], rows: Rows) -> None:
        survey = event.data
        rows.set(
            event.subject, person=survey.worker, instrument=survey.instrument, wave=survey.wave, scores=survey.scores
        )


class Paths(Projection):
    """One row per request to another service, per sign-posting, and per worker, moment and day of a situation after the programme. Which
    service it was is in no row: a count does not need it."""

    name = "paths"

    @on(ServiceRequested)
    def requested(self, event: Event[ServiceRequested], rows: Rows) -> None:
        """Set that a service was asked."""
        rows.set(event.subject, person=event.data.worker, what="request", requested=event.time)

    @on(ServiceAnswered)
    def answered(self, event: Event[ServiceAnswered], rows: Rows) -> None:
        """Set the answer as the step that the request has reached."""
        rows.set(event.subject, person=event.data.worker, what="request", step=event.data.answer.value)

    @on(ServiceCompleted)
    def completed(self, event: Event[ServiceCompleted], rows: Rows) -> None:
        """Set the end, and the worker's word where they have said it."""
        met = {"need_met": event.data.need_met.value} if event.data.need_met is not None else {}
        rows.set(event.subject, person=event.data.worker, what="request", step=event.data.ending.value, **met)

    @on(WorkerSignposted)
    def signposted(self, event: Event[WorkerSignposted], rows: Rows) -> None:
        """Set that somebody was told of a service."""
        rows.set(event.subject, person=event.data.worker, what="signpost")

    @on(OutcomeRecorded)
    def recorded(self, event: Event[OutcomeRecorded], rows: Rows) -> None:
        """Set the situation of a day; a later word on the same day replaces it."""
        told = event.data
        key = f"{told.worker}/{told.moment}/{told.day}"
        facts = told.model_dump(mode="json", exclude={"worker"})
        rows.set(key, person=told.worker, what="outcome", **facts)


class Complaints(Projection):
    """One row per complaint, with its last day and its answer. There is no person in it."""

    name = "complaints"

    @on(ComplaintReceived)
    def received(self, event: Event[ComplaintReceived], rows: Rows) -> None:
        """Set the last day for the answer."""
        rows.set(event.subject, due=event.data.due, received=event.time)

    @on(ComplaintAnswered)
    def answered(self, event: Event[ComplaintAnswered], rows: Rows) -> None:
        """Set when it was answered."""
        rows.set(event.subject, answered=event.time)
