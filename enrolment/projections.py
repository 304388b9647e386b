"""The desk: per worker, by whom referred and how far on the way. Without a name, so that a list is no look at people."""

from services.contracts import Event
from services.contracts.enrolment import WorkerAdmitted, WorkerDeclined, WorkerErased, WorkerReferred, WorkerWithdrawn
from services.contracts.grouping import MemberJoined, MemberLeft, WorkerWaitlisted
from services.events.delivery.declare import Projection, Rows, on


class Desk(Projection):
    """One row per worker: when each step was reached."""

    name = "desk"
    indexes = ("partner",)

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        """The row begins."""
        rows.set(
            event.subject, person=event.subject, worker=event.subject, partner=event.data.partner, referred=event.time
        )

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
        rows.set(event.subject, person=event.subject, waiting=event.time)

    @on(MemberJoined)
    def joined(self, event: Event[MemberJoined], rows: Rows) -> None:
        """A seat in a group: that there is one, not which."""
        rows.set(event.data.worker, person=event.data.worker, seated=event.data.since)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The seat was given up."""
        rows.set(event.data.worker, person=event.data.worker, left=event.data.since)

    @on(WorkerErased)
    def erased(self, event: Event[WorkerErased], rows: Rows) -> None:
        """Nothing is kept."""
        rows.drop(event.subject)
