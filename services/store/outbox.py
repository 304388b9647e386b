"""The outbox: the records that a service has to send, stored in the transaction of the change that they tell of.

Invariants: a record is refused here when it is too large, since the bus would refuse it much later and stop the relay. A restricted
payload is encrypted before it becomes a row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from services.contracts import Event, EventData, Restricted, encode, source_of
from services.contracts.base import ill_written
from services.contracts.envelope import is_id, schema_uri
from services.kernel import Aggregate, RecordedEvent, Refusal, Refused, new_id
from services.store.documents import StoredDocument

# Far below 1 MB, where aiokafka refuses a record, and its producer has to be replaced.
LARGEST = 256 * 1024  # bytes of the value of one record
EVENT_HEADERS = ((b"content-type", b"application/cloudevents+json"),)


@dataclass(frozen=True, slots=True)
class Cause:
    """The reason of an event: its request (`correlation`), the event that caused it (`causation`), its trace, and its time in the world."""

    programme: str
    at: datetime
    correlation: str
    causation: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class AttributedEvent:
    """An event that an aggregate recorded, with its cause."""

    recorded: RecordedEvent
    cause: Cause

    @property
    def data(self) -> EventData:
        """The payload, in clear."""
        return cast("EventData", self.recorded.data)

    @property
    def person(self) -> str | None:
        """The person whose key encrypts the payload; None for an open event."""
        return self.concerns if isinstance(self.data, Restricted) else None

    @property
    def concerns(self) -> str | None:
        """The person whom the event is about, encrypted or open; None for an event about nobody."""
        field = self.data.person
        if field is None:
            return None
        return self.recorded.by.id if field == "subject" else str(getattr(self.data, field))


@dataclass(frozen=True, slots=True)
class TableRecord:
    """The newest record of a subject on a compacted topic; `value` None is a tombstone."""

    topic: str
    by: Aggregate
    value: bytes | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class OutboxRow(StoredDocument):
    """One record that the relay sends. `key` is the subject. `headers` are pairs of name and bytes. A dead letter has no `sequence`."""

    collection: ClassVar[str] = "outbox"
    omitted: ClassVar[frozenset[str]] = frozenset({"sequence"})

    programme: str
    topic: str
    key: str
    value: bytes | None
    headers: list[list[Any]]
    sequence: int | None = None


class IllWritten(Exception):
    """A defect: an event would carry a text that a person may have written. The message names the field and not the text."""


def event_row(event: AttributedEvent, data: EventData | str, sequence: int, now: datetime) -> OutboxRow:
    """Build the row of an event. `data` is its payload, or the JWE of a restricted one. Refused("event-too-large"). IllWritten for a
    text that is no code."""
    if wrong := ill_written(event.data):
        raise IllWritten(f"{type(event.data).type}: {', '.join(wrong)}: a text outside its pattern")
    recorded, cause, kind = event.recorded, event.cause, type(event.data)
    if not is_id(recorded.by.id):
        raise IllWritten(f"{kind.type}: subject: not an id")
    sent: Event[Any] = Event(
        id=new_id(),
        source=source_of(cause.programme, kind.topic),
        type=kind.type,
        subject=recorded.by.id,
        time=(recorded.at or cause.at).astimezone(UTC),
        recordedtime=now,
        sequence=sequence,
        data=data,
        dataschema=schema_uri(kind),
        traceparent=cause.traceparent,
        correlationid=cause.correlation,
        causationid=cause.causation,
    )
    value = _not_too_large(encode(sent))
    return OutboxRow(sent.id, cause.programme, kind.topic, sent.subject, value, _headers(*EVENT_HEADERS), sequence)


def table_row(record: TableRecord, sequence: int) -> OutboxRow:
    """Build the row of a record on a compacted topic. Refused("event-too-large")."""
    programme = record.cause.programme
    # As headers, because a tombstone has no value, and any other value is encrypted.
    headers = _headers(
        (b"content-type", b"application/jose"),
        (b"sequence", str(sequence).encode()),
        (b"programme", programme.encode()),
    )
    value = None if record.value is None else _not_too_large(record.value)
    return OutboxRow(new_id(), programme, record.topic, record.by.id, value, headers, sequence)


def _headers(*headers: tuple[bytes, bytes]) -> list[list[Any]]:
    return [[name.decode(), text] for name, text in headers]


def _not_too_large(value: bytes) -> bytes:
    if len(value) > LARGEST:
        raise Refused(
            "event-too-large", f"The event would have {len(value)} bytes; {LARGEST} is the most.", Refusal.TOO_LARGE
        )
    return value
