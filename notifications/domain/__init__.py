"""Rules of messages to people (`people`) and of ledgers for partners (`partners`). The two share the person's id alone."""

from notifications.domain.partners import CLOSING, Fact, Feed, LedgerEntry, ReferredPerson
from notifications.domain.people import Message, Recipient, Seat, SeatedGroup, Status, Venue

__all__ = [
    "CLOSING", "Fact", "Feed", "LedgerEntry", "Message", "Recipient", "ReferredPerson", "Seat", "SeatedGroup", "Status", "Venue",
]  # fmt: skip
