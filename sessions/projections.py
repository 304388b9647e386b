"""Read models for lists of meetings. They hold no member.

Invariant: a page of a list costs what is on it, however large the programme is: an index gives filter and order together.
"""

from services.contracts import Event
from services.contracts.grouping import FacilitatorAssigned, GroupConcluded, GroupFormed, PlaceRegistered
from services.contracts.sessions import SessionCancelled, SessionHeld, SessionMoved, SessionScheduled
from services.events.delivery.declare import Projection, Rows, on


class Calendar(Projection):
    """One row per session: date and place, and the counts once it was held."""

    name = "calendar"
    indexes = ("group",)

    @on(SessionScheduled, SessionMoved)
    def scheduled(self, event: Event[SessionScheduled] | Event[SessionMoved], rows: Rows) -> None:
        """Set date and place; the latest count."""
        rows.set(event.subject, session=event.subject, **event.data.model_dump())

    @on(SessionCancelled)
    def cancelled(self, event: Event[SessionCancelled], rows: Rows) -> None:
        """Note that the meeting does not take place."""
        rows.set(event.subject, cancelled=True)

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


class Leaders(Projection):
    """One row per assignment of a facilitator to a group, from a day on. `order`: of two of one day, the later event counts."""

    name = "leaders"
    indexes = (("facilitator", "since"), ("group", "since"))

    @on(FacilitatorAssigned)
    def assigned(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """From a day on the facilitator leads the group."""
        rows.set(event.id, group=event.subject, order=event.sequence, **event.data.model_dump())


class Meetings(Projection):
    """One row per meeting for the pages. `state`: `open` until its roll is called or it is cancelled, then `held` or `cancelled`."""

    name = "meetings"
    indexes = (("state", "starts", "session"), ("group", "number"), ("place", "starts"))

    @on(SessionScheduled)
    def scheduled(self, event: Event[SessionScheduled], rows: Rows) -> None:
        """Set date and place."""
        rows.set(event.subject, session=event.subject, state="open", **event.data.model_dump())

    @on(SessionMoved)
    def moved(self, event: Event[SessionMoved], rows: Rows) -> None:
        """Set date and place anew, and note that they are not those of before."""
        rows.set(event.subject, moved=True, **event.data.model_dump())

    @on(SessionHeld)
    def held(self, event: Event[SessionHeld], rows: Rows) -> None:
        """Set the counts; the latest roll-call replaces earlier ones."""
        rows.set(event.subject, state="held", present=event.data.present, absent=event.data.absent)

    @on(SessionCancelled)
    def cancelled(self, event: Event[SessionCancelled], rows: Rows) -> None:
        """Note that the meeting does not take place, and why; `ended`: since its group meets no more."""
        rows.set(event.subject, state="cancelled", reason=event.data.reason or "ended")


class Led(Projection):
    """One row per group for the pages: when and where it meets, how often, its last day once it is concluded, and who leads it, which an
    assignment alone tells."""

    name = "led"
    indexes = (("facilitator", "first"),)

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """Set slot, place and the day of the first meeting."""
        told = event.data
        meetings = len(told.days) if told.days else None
        rows.set(
            event.subject, group=event.subject, slot=told.slot, place=told.place, first=told.first, meetings=meetings
        )

    @on(FacilitatorAssigned)
    def assigned(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """Set the facilitator; whoever led it before has it no more."""
        rows.set(event.subject, facilitator=event.data.facilitator)

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """Set the last day on which it could meet."""
        rows.set(event.subject, concluded=event.data.on)


class Places(Projection):
    """One row per place, so that pages name it."""

    name = "places"

    @on(PlaceRegistered)
    def registered(self, event: Event[PlaceRegistered], rows: Rows) -> None:
        """The place as it was described last."""
        told = event.data
        rows.set(
            event.subject, place=event.subject, title=told.title, address=told.address, municipality=told.municipality
        )
