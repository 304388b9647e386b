"""Read models for lists of meetings. They hold no member."""

from services.contracts import Event
from services.contracts.grouping import FacilitatorAssigned, GroupConcluded, GroupFormed
from services.contracts.sessions import SessionHeld, SessionScheduled
from services.events.delivery.declare import Projection, Rows, on


class Calendar(Projection):
    """One row per session: date and place, and the counts once it was held."""

    name = "calendar"
    indexes = ("group",)

    @on(SessionScheduled)
    def scheduled(self, event: Event[SessionScheduled], rows: Rows) -> None:
        """Set date and place."""
        rows.set(event.subject, session=event.subject, **event.data.model_dump())

    @on(SessionHeld)
    def held(self, event: Event[SessionHeld], rows: Rows) -> None:
        """Set the counts; the latest roll-call replaces earlier ones."""
        rows.set(event.subject, held=True, present=event.data.present, absent=event.data.absent)


class Leads(Projection):
    """One row per group with its facilitator, and its last day once it is concluded."""

    name = "leads"

    @on(GroupFormed, FacilitatorAssigned)
    def led(self, event: Event[GroupFormed] | Event[FacilitatorAssigned], rows: Rows) -> None:
        """Set the facilitator; the latest assignment counts."""
        rows.set(event.subject, group=event.subject, facilitator=event.data.facilitator)

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """Set the last day on which it could meet."""
        rows.set(event.subject, concluded=event.data.on)
