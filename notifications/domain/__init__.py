"""The rules of telling: people (`people`) and partners (`partners`) share nothing but the person's id."""

from notifications.domain.partners import CLOSING, Entry, Fact, Feed, Known
from notifications.domain.people import Circle, Message, Recipient, Seat, Status, Venue

__all__ = ["CLOSING", "Circle", "Entry", "Fact", "Feed", "Known", "Message", "Recipient", "Seat", "Status", "Venue"]
