"""The calendar, for lists; without people."""

from services.contracts import Event
from services.contracts.grouping import FacilitatorAssigned, GroupFormed
from services.contracts.sessions import SessionHeld, SessionScheduled
from services.events.delivery.declare import Projection, Rows, on


class Calendar(Projection):
    """One row per session: when, where, and once it was held how many came."""

    name = "calendar"
    indexes = ("group",)

    @on(SessionScheduled)
    def scheduled(self, event: Event[SessionScheduled], rows: Rows) -> None:
        """It has a date."""
        rows.set(event.subject, session=event.subject, **event.data.model_dump())

    @on(SessionHeld)
    def held(self, event: Event[SessionHeld], rows: Rows) -> None:
        """The latest roll-call counts."""
        rows.set(event.subject, held=True, present=event.data.present, absent=event.data.absent)


class Leads(Projection):
    """One row per group: who leads it."""

    name = "leads"

    @on(GroupFormed, FacilitatorAssigned)
    def led(self, event: Event[GroupFormed] | Event[FacilitatorAssigned], rows: Rows) -> None:
        """From now on."""
        rows.set(event.subject, group=event.subject, facilitator=event.data.facilitator)
