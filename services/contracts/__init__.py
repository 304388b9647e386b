"""The published language: event types, envelope, topics, frozen schemas.

Imports nothing else of ours. Every package except `engines` and `vault`, and every room, may import it.
Invariant: each event type has one class, one frozen schema and one example; a change is readable both ways or has a new version.
"""

from services.contracts import enrolment, feed, grouping, notifications, paths, programmes, rights, sessions
from services.contracts.base import EventData, Restricted, catalogue
from services.contracts.envelope import Event, Unreadable, decode, decode_from, encode
from services.contracts.topics import TOPICS, Topic, source_of

__all__ = [
    "TOPICS", "Event", "EventData", "Restricted", "Topic", "Unreadable", "catalogue", "decode", "decode_from", "encode",
    "enrolment", "feed", "grouping", "notifications", "paths", "programmes", "rights", "sessions", "source_of",
]  # fmt: skip
