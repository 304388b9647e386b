"""Read models of enrolment. They hold no name, so that reading a list needs no entry in an access log."""

from services.contracts import Event
from services.contracts.enrolment import WorkerAdmitted, WorkerDeclined, WorkerReferred, WorkerWithdrawn
from services.contracts.grouping import MemberJoined, MemberLeft, WorkerWaitlisted
from services.events.delivery.declare import Projection, Rows, on


class Progress(Projection):
    """One row per worker: the partner, and the time of each step so far."""

    name = "desk"  # names stored collections and consumers
    indexes = ("partner",)

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(
            event.subject, person=event.subject, worker=event.subject, partner=event.data.partner, referred=event.time
        )

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, admitted=event.time)

    @on(WorkerDeclined)
    def declined(self, event: Event[WorkerDeclined], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, declined=event.time)

    @on(WorkerWithdrawn)
    def withdrawn(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, withdrawn=event.time)

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
