"""The published language: one class per event type, the envelope, the topics.

Invariant: it imports no other package of the program.
"""

from services.contracts import enrolment, feed, grouping, notifications, sessions
from services.contracts.base import EventData, Restricted, catalogue
from services.contracts.envelope import Event, Unreadable, decode, encode
from services.contracts.topics import TOPICS, Topic, source_of

__all__ = [
    "TOPICS", "Event", "EventData", "Restricted", "Topic", "Unreadable", "catalogue", "decode", "encode",
    "enrolment", "feed", "grouping", "notifications", "sessions", "source_of",
]  # fmt: skip
