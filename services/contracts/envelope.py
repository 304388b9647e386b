"""The envelope: CloudEvents 1.0, JSON, structured mode, so that one record explains itself in any client.

Invariant: `decode` either returns an event or raises `Unreadable`, which names the attribute that is wrong; it raises nothing else.
Source: CloudEvents 1.0.2 with its distributed tracing and sequence extensions.
"""

import re
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from pydantic import ValidationError

from services.contracts.base import EventData, catalogue
from services.contracts.topics import FEED, LONGEST, programme_of, source_of

CONTENT_TYPE = b"application/cloudevents+json"
JOSE = "application/jose"
NOBODY = "-"
D = TypeVar("D")


class Unreadable(Exception):
    """A record that is no valid event; `field` names the attribute that is wrong."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why = field, why


class Event(NamedTuple, Generic[D]):
    """One event. `time`: when it happened in the world; `recordedtime`: when it was stored. `sequence` counts 1, 2, 3 … per
    (source, subject). `data` is the payload as its class, or, before it is decrypted or read, the JWE or the JSON value.

    A named tuple, since a frozen dataclass takes five times as long to make, and a consumer makes two for each record.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    recordedtime: datetime
    sequence: int
    data: D
    dataschema: str | None = None
    traceparent: str | None = None
    correlationid: str | None = None
    causationid: str | None = None

    @property
    def programme(self) -> str:
        """The programme the event belongs to."""
        return programme_of(self.source)

    def carrying(self, data: Any) -> "Event[Any]":
        """Return the same event with another payload (a JWE decrypted, a class read)."""
        return self._replace(data=data)


def schema_uri(kind: type[EventData]) -> str:
    """Return the URI of the frozen JSON Schema of this type and version."""
    return f"https://amalavoro.it/schemas/{kind.type}.json"


def encode(event: Event[Any]) -> bytes:
    """Return the record's value. `sequence` is a string of digits with the `sequencetype` Integer. Without that, the CloudEvents
    sequence extension sorts it as text, and 10 comes before 9."""
    sealed = isinstance(event.data, str)
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "recordedtime": event.recordedtime,
        "sequence": str(event.sequence),
        "sequencetype": "Integer",
        "datacontenttype": JOSE if sealed else "application/json",
        "dataschema": event.dataschema,
        "traceparent": event.traceparent,
        "correlationid": event.correlationid,
        "causationid": event.causationid,
        "data": event.data if sealed else event.data.model_dump(mode="json"),
    }
    return orjson.dumps({name: value for name, value in body.items() if value is not None}, option=orjson.OPT_UTC_Z)


def decode_from(topic: str, value: bytes | None) -> Event[Any]:
    """Read the value of a record of this topic. Raises Unreadable, also for an event that belongs on another topic: each service may write
    on its own topics alone, so the topic tells who speaks."""
    event = decode(value)
    if event.source != source_of(event.programme, topic):
        raise Unreadable("source", "belongs on another topic")
    kind = catalogue().get(event.type)
    # The feed's type stands for one topic per partner.
    if kind is not None and kind.topic != (FEED.name if topic.startswith(f"{FEED.name}.") else topic):
        raise Unreadable("type", "belongs on another topic")
    return event


def decode(value: bytes | None) -> Event[Any]:
    """Read a record's value; the payload stays as it came (see `read`). Raises Unreadable. For a value whose topic was checked before:
    `decode_from` checks it."""
    # A tombstone: only a compacted topic may hold one.
    if not value:
        raise Unreadable("value", "the record is empty")
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Unreadable("value", f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Unreadable("value", "not a JSON object")
    _check_texts(body)
    try:
        # Tried here, so that `Event.programme` cannot fail later.
        programme_of(body["source"])
    except ValueError as error:
        raise Unreadable("source", str(error)) from error
    return Event(
        body["id"],
        body["source"],
        body["type"],
        body["subject"],
        _moment(body, "time"),
        _moment(body, "recordedtime"),
        _count(body, "sequence"),
        body.get("data"),
        body.get("dataschema"),
        body.get("traceparent"),
        body.get("correlationid"),
        body.get("causationid"),
    )


def read(event: Event[Any]) -> Event[Any]:
    """Return the event with its payload as the class of its type. KeyError for an unknown type; Unreadable names the field."""
    kind = catalogue()[event.type]
    try:
        return event.carrying(kind.model_validate(event.data))
    except ValidationError as error:
        # Without the input, which may hold personal data: the sentence becomes the reason of a dead letter.
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unreadable(".".join(("data", *map(str, first["loc"]))), first["msg"]) from error


def _check_texts(body: dict[str, Any]) -> None:
    for name in _REQUIRED:
        if not isinstance(text := body.get(name), str) or not 0 < len(text) <= LONGEST:
            raise Unreadable(name, "missing, not a text, or too long")
    for name in _OPTIONAL:
        if (text := body.get(name)) is not None and (not isinstance(text, str) or not 0 < len(text) <= LONGEST):
            raise Unreadable(name, "not a text, or too long")
    if body.get("specversion") != "1.0":
        raise Unreadable("specversion", "not 1.0")
    if not is_id(body["id"]):
        raise Unreadable("id", "not an id")
    # A withheld entry of a feed is about nobody.
    if body["subject"] != NOBODY and not is_id(body["subject"]):
        raise Unreadable("subject", "not an id")


def is_id(text: str) -> bool:
    """Tell whether a text is an id, as `Id` in base.py."""
    return _ID.fullmatch(text) is not None


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGITS = 18  # any whole number of so many digits fits into 64 bits, the largest that MongoDB stores
_REQUIRED = ("id", "source", "type", "subject", "time", "recordedtime", "sequence")
_OPTIONAL = ("dataschema", "traceparent", "correlationid", "causationid")


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(body[name])
        # Without an offset each reader would assume its own zone.
        if moment.tzinfo is None:
            raise Unreadable(name, "has no offset from UTC")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # overflow: in UTC it is before year 1 or after 9999
        raise Unreadable(name, "not a date and time") from error


def _count(body: dict[str, Any], name: str) -> int:
    value: str = body[name]
    # `isdecimal` and `int` accept the digits of other scripts, too.
    if not value.isascii() or not value.isdecimal() or len(value) > _DIGITS or (number := int(value)) < 1:
        raise Unreadable(name, "not a whole number from 1")
    return number
