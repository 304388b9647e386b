"""Reading of the records of the gate: consents and erasures, as far as they can be read.

Invariants: reading is total, so no content of a record raises an error. It is fail-closed: a consent that is not read strictly, or that is
dated in the future, counts as a refusal from the time of its recording, which is never later than the clock of this service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from services.contracts import Event, Unreadable, decode
from services.contracts.base import Id, Slug
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased
from services.contracts.envelope import read
from services.contracts.topics import programme_of
from services.events.delivery.state import Record
from services.store.consents import Decision

GATED = (ConsentChanged.type, WorkerErased.type)
AHEAD = timedelta(minutes=5)  # by so much the clocks of two services may differ
_ABOUT: TypeAdapter[tuple[str, str]] = TypeAdapter(tuple[Slug, Id])


@dataclass(frozen=True, slots=True)
class Gated:
    """A consent or an erasure as far as it can be read. `why`: the reason for which it cannot be read; then every purpose counts as
    refused. `event` is None when not even the envelope can be read, and `person` is empty when it names nobody."""

    type: str
    programme: str
    person: str
    at: datetime
    sequence: int
    event: Event[Any] | None
    id: str
    why: str | None = None

    @property
    def erases(self) -> bool:
        """True for an erasure, which has no payload to be read."""
        return self.type == WorkerErased.type and self.event is not None

    def decisions(self) -> list[Decision]:
        """Return the decisions that it stands for."""
        if self.why is None and self.event is not None and self.type == ConsentChanged.type:
            return [Decision(self.event.data.purpose, self.event.data.given, self.at, self.sequence, self.id)]
        return (
            [Decision(each, False, self.at, self.sequence, self.id, unread=True) for each in Purpose]
            if self.why
            else []
        )


def gated(value: bytes | None, now: datetime) -> Gated | None:
    """Read the value of a record; None when it is no consent and no erasure, as far as it can be read. It raises nothing."""
    try:
        event = decode(value)
    except Unreadable as error:
        return _broken(value, str(error), now)
    if event.type not in GATED:
        return None
    if not _names_a_person(event.programme, event.subject):
        return Gated(event.type, "", "", now, 0, None, event.id, "source or subject: not an id")
    if event.type == WorkerErased.type:
        at = min(event.time, event.recordedtime, now)
        return Gated(event.type, event.programme, event.subject, at, event.sequence, event, event.id)
    return _consent(event, now)


def concerns_gate(record: Record) -> bool:
    """Tell whether a record is a consent or an erasure, as far as it can be read."""
    return gated(record.value, datetime.now(UTC)) is not None


def _consent(event: Event[Any], now: datetime) -> Gated:
    # Nobody decides after the decision was written down: a later time would make it count for ever.
    at, why = min(event.time, event.recordedtime), None
    try:
        event = read(event)
    except Unreadable as error:
        why = str(error)
    if at > now + AHEAD:
        # Moved to now it would still be later than a withdrawal that is read before it.
        why = "recordedtime: lies in the future"
    if why is not None:
        at = min(event.recordedtime, now)
    return Gated(event.type, event.programme, event.subject, at, event.sequence, event, event.id, why)


def _broken(value: bytes | None, why: str, now: datetime) -> Gated | None:
    """Read type, programme and person of a record whose envelope is wrong elsewhere."""
    try:
        body = orjson.loads(value or b"")
        type_, person, source = body["type"], body["subject"], body["source"]
    except (ValueError, TypeError, KeyError):
        # Not even this much can be read: the other consumers make it a dead letter.
        return None
    if type_ not in GATED:
        return None
    try:
        programme = programme_of(source)
    except (ValueError, TypeError):
        programme = ""
    # An event without an id is told from others by its content, so that a repeat of it is one.
    id = sha256(value or b"").hexdigest()[:32]
    if not _names_a_person(programme, person):
        return Gated(type_, "", "", now, 0, None, id, why)
    return Gated(type_, programme, person, min(_recorded(body) or now, now), 0, None, id, why)


def _names_a_person(programme: Any, person: Any) -> bool:
    try:
        _ABOUT.validate_python((programme, person))
    except ValidationError:
        return False
    return True


def _recorded(body: Mapping[str, Any]) -> datetime | None:
    """Return the time of recording, if it can be read. The time in the world is not asked: an old one would undo the refusal."""
    try:
        moment = datetime.fromisoformat(body["recordedtime"])
        # A time without an offset would be read in the zone of this machine.
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
