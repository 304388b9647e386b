"""Rules of messages to people (`people`) and of ledgers for partners (`partners`). The two share the person's id alone."""

from notifications.domain.partners import CLOSING, Fact, Feed, LedgerEntry, ReferredPerson
from notifications.domain.people import GroupCalendar, Message, PlannedMeeting, Recipient, Seat, Status, Venue

__all__ = [
    "CLOSING", "Fact", "Feed", "GroupCalendar", "LedgerEntry", "Message", "PlannedMeeting", "Recipient", "ReferredPerson", "Seat", "Status",
    "Venue",
]  # fmt: skip
