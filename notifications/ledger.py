"""A place in a ledger as the partner reads it.

Invariant: nothing in it is found anywhere else. No id, instant, trace or cause of the event behind it; days stand at midnight UTC,
also where the envelope wants a moment; a place that may not tell any more keeps its number and says nothing.
"""

from datetime import UTC, date, datetime, time
from typing import Any

from notifications.domain import LedgerEntry
from services.contracts import Event, catalogue, encode, source_of
from services.contracts.envelope import schema_uri
from services.contracts.feed import Withheld


def topic_of(partner: str) -> str:
    """Where the partner reads."""
    return f"ama.feed.{partner}"


def midnight(day: date) -> datetime:
    """The day as a moment that tells no more than the day."""
    return datetime.combine(day, time(), UTC)


def record(entry: LedgerEntry, programme: str, *, told: bool) -> tuple[bytes, bytes]:
    """Key and value of the record on the partner's topic; `told` is whether its person consents now."""
    if told or entry.closes:
        kind, subject, on = catalogue()[entry.fact.type], entry.subject, entry.fact.on
        data = kind.model_validate(entry.fact.model_dump(exclude_none=True))
    else:
        kind, subject, on = Withheld, "-", entry.written
        data = Withheld(on=on)
    event: Event[Any] = Event(
        id=entry.event,
        source=source_of(programme, topic_of(entry.partner)),
        type=kind.type,
        subject=subject,
        time=midnight(on),
        recordedtime=midnight(entry.written),
        sequence=entry.sequence,
        data=data,
        dataschema=schema_uri(kind),
    )
    return subject.encode(), encode(event)
