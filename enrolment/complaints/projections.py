"""Read model of complaints. It does not hold who complained."""

from services.contracts import Event
from services.contracts.paths import ComplaintAnswered, ComplaintEscalated, ComplaintReceived
from services.events.delivery.declare import Projection, Rows, on


class Complaints(Projection):
    """One row per complaint, with the time of each step. `open`: without an answer."""

    name = "complaints"
    indexes = (("open", "due"), "received")

    @on(ComplaintReceived)
    def received(self, event: Event[ComplaintReceived], rows: Rows) -> None:
        """Set the side that it comes from, and the last day for its answer."""
        by, due = event.data.by.value, event.data.due
        rows.set(event.subject, complaint=event.subject, open=True, by=by, due=due, received=event.time)

    @on(ComplaintEscalated)
    def escalated(self, event: Event[ComplaintEscalated], rows: Rows) -> None:
        """Set when it went to those who are responsible for the programme."""
        rows.set(event.subject, escalated=event.time)

    @on(ComplaintAnswered)
    def answered(self, event: Event[ComplaintAnswered], rows: Rows) -> None:
        """Set when it was answered."""
        rows.set(event.subject, open=False, answered=event.time)
