"""Dead letters in the API. Invariant: the record is shown as text, exactly as it is on the bus."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel


class DeadLetter(BaseModel):
    """A record that a consumer gave up. `origin` is topic/partition/offset. `type`, `subject` and `sequence` are those of the event; a
    record that is no event has none, and holds no subject back. An `intruder` has the sequence of another event, and can only be
    dismissed."""

    id: str
    consumer: str
    status: str
    why: str
    at: datetime
    origin: str
    intruder: bool
    type: str | None
    subject: str | None
    sequence: int | None

    @classmethod
    def of(cls, dead: Mapping[str, Any]) -> Self:
        """Read it from the document in the service's database."""
        return cls(**_plain(dead))


class HistoryEntry(BaseModel):
    """One action on a dead letter, with its author and reason."""

    at: datetime
    what: str
    by: str
    why: str | None = None


class DeadLetterDetail(DeadLetter):
    """A dead letter with its `record`. `taken`: the last sequence of its subject that was consumed; `parked`: the number of events that
    wait behind it; `stopped`: its subject is held back."""

    record: str | None
    taken: int
    parked: int
    stopped: bool
    history: list[HistoryEntry]

    @classmethod
    def whole(cls, dead: Mapping[str, Any], subject: Mapping[str, Any]) -> Self:
        """Read it from its document and the state of its subject."""
        value = dead["value"]
        # Any bytes may be on the bus, also what is not UTF-8.
        record = value.decode(errors="replace") if isinstance(value, bytes) else value
        return cls(**_plain(dead), **subject, record=record, history=[HistoryEntry(**each) for each in dead["history"]])


def _plain(dead: Mapping[str, Any]) -> dict[str, Any]:
    same = {name: dead[name] for name in ("status", "why", "at", "origin", "intruder")}
    event = {"type": dead.get("type"), "subject": dead.get("subject"), "sequence": dead.get("sequence")}
    return {"id": dead["_id"], "consumer": dead["consumer"], **same, **event}
