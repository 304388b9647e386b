"""An entry of a ledger as the record that the partner reads.

Invariant: nothing in the record is found anywhere else: no id, instant, trace or cause of the event behind it. The envelope's times
are local days at midnight UTC. A withheld entry keeps its sequence and says nothing.
"""

from datetime import UTC, date, datetime, time
from typing import Any

from notifications.domain import LedgerEntry
from services.contracts import Event, catalogue, encode, source_of
from services.contracts.envelope import schema_uri
from services.contracts.feed import Withheld


def topic_of(partner: str) -> str:
    """The topic of the partner's feed."""
    return f"ama.feed.{partner}"


def midnight(day: date) -> datetime:
    """The day as a moment that reveals no more than the day. `day_of_midnight` reads it back."""
    return datetime.combine(day, time(), UTC)


def day_of_midnight(moment: datetime) -> date:
    """The day that `midnight` wrote. It is cut in UTC on purpose: in the programme's time zone it could be the day before."""
    return moment.astimezone(UTC).date()


def record(entry: LedgerEntry, programme: str, *, consents: bool) -> tuple[bytes, bytes]:
    """Key and value of the record. `consents`: the person consents at this moment."""
    if consents or entry.closes:
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
