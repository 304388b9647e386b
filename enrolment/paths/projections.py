"""Read models of the path to other services. They hold no name of a person."""

from services.contracts import Event
from services.contracts.paths import (
    Answer,
    ServiceAnswered,
    ServiceCompleted,
    ServiceRegistered,
    ServiceRequested,
    WorkerSignposted,
)
from services.events.delivery.declare import Projection, Rows, on


class Catalogue(Projection):
    """One row per service of the catalogue."""

    name = "services"
    indexes = (("status", "name"), "name")

    @on(ServiceRegistered)
    def registered(self, event: Event[ServiceRegistered], rows: Rows) -> None:
        """Set what the catalogue says of it."""
        rows.set(event.subject, service=event.subject, **event.data.model_dump(mode="json"))


class Requests(Projection):
    """One row per request, with the time of each step. `waits`: for an answer; `unfinished`: without an end; `since`: of the last step."""

    name = "requests"
    indexes = (("worker", "requested"), ("waits", "since"), ("unfinished", "since"), "since")

    @on(ServiceRequested)
    def requested(self, event: Event[ServiceRequested], rows: Rows) -> None:
        """Set whom the request is for, and where it went."""
        facts = event.data.model_dump(include={"worker", "service", "receiver", "told"})
        at = {"requested": event.time, "since": event.time}
        rows.set(
            event.subject,
            person=event.data.worker,
            request=event.subject,
            status="requested",
            waits=True,
            unfinished=True,
            **facts,
            **at,
        )

    @on(ServiceAnswered)
    def answered(self, event: Event[ServiceAnswered], rows: Rows) -> None:
        """Set the answer."""
        answer = event.data.answer
        facts = {"status": answer.value, "reason": event.data.reason, "answered": event.time, "since": event.time}
        waits = answer is Answer.NEEDS_ASSESSMENT
        rows.set(event.subject, person=event.data.worker, waits=waits, unfinished=answer is not Answer.REFUSED, **facts)

    @on(ServiceCompleted)
    def completed(self, event: Event[ServiceCompleted], rows: Rows) -> None:
        """Set the end, and the worker's word."""
        met = {"need_met": event.data.need_met} if event.data.need_met is not None else {}
        facts = {"status": event.data.ending.value, "ended": event.time, "since": event.time, **met}
        rows.set(event.subject, person=event.data.worker, waits=False, unfinished=False, **facts)


class Signposts(Projection):
    """One row per service of which somebody was told."""

    name = "signposts"
    indexes = (("worker", "at"),)

    @on(WorkerSignposted)
    def told(self, event: Event[WorkerSignposted], rows: Rows) -> None:
        """Set who was told of what."""
        worker = event.data.worker
        rows.set(event.subject, person=worker, worker=worker, service=event.data.service, at=event.time)
