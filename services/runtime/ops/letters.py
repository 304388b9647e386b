"""A dead letter as the API tells it: names written out, the record as text, exactly as it stands on the bus."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel


class Letter(BaseModel):
    """`origin` is topic/partition/offset. `type`, `subject` and `sequence` are those of the event; a record that is no event has none and
    holds nobody back. An `intruder` has the place of another event, and can only be dismissed."""

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
        """From the service's database."""
        return cls(**_plain(dead))


class Entry(BaseModel):
    """What was done about it, by whom, and why."""

    at: datetime
    what: str
    by: str
    why: str | None = None


class Opened(Letter):
    """The letter with its `record`. `taken`: its subject's last sequence that was taken; `parked`: how many of its events wait behind;
    `stopped`: whether they do."""

    record: str | None
    taken: int
    parked: int
    stopped: bool
    history: list[Entry]

    @classmethod
    def whole(cls, dead: Mapping[str, Any], standing: Mapping[str, Any]) -> Self:
        """With how its subject stands."""
        value = dead["value"]
        record = value.decode(errors="replace") if isinstance(value, bytes) else value
        return cls(**_plain(dead), **standing, record=record, history=[Entry(**each) for each in dead["history"]])


def _plain(dead: Mapping[str, Any]) -> dict[str, Any]:
    same = {name: dead[name] for name in ("status", "why", "at", "origin", "intruder")}
    event = {"type": dead.get("type"), "subject": dead.get("subject"), "sequence": dead.get("sequence")}
    return {"id": dead["_id"], "consumer": dead["consumer"], **same, **event}
