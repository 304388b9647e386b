"""The few words every rule is written in: an aggregate, a command, a refusal.

Invariant: nothing here does I/O, reads a clock or imports anything else of ours, so that a rule can be read and tested alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, PrivateAttr
from uuid_utils import uuid7


def new_id() -> str:
    """A UUIDv7 (RFC 9562): unique, and sorted by when it was made."""
    return str(uuid7())


class Refusal(StrEnum):
    """The kind of a refusal. `services.web` maps it to an HTTP status."""

    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    INVALID = "invalid"
    NOT_FOUND = "not found"
    STALE = "stale"
    TOO_LARGE = "too large"
    UNAUTHENTICATED = "unauthenticated"


class Refused(Exception):
    """A rule refused a command or a query. `code` is stable and part of the API; `detail` is one sentence for a person; `members` are
    further members of the problem document."""

    def __init__(self, code: str, detail: str, kind: Refusal = Refusal.CONFLICT, **members: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.kind, self.members = code, detail, kind, members


class NotYet(Exception):
    """What this event needs is not here yet. The event is parked, later events of its subject behind it, and tried again."""


class Unavailable(Exception):
    """Something that is needed does not answer, or is still on its way: come again in `after` seconds."""

    def __init__(self, detail: str, after: int = 2) -> None:
        super().__init__(detail)
        self.detail, self.after = detail, after


class RecordedEvent(NamedTuple):
    """What an aggregate said: who, the payload, and when it happened in the world (None: when the command says it did)."""

    by: "Aggregate"
    data: BaseModel
    at: datetime | None


class Aggregate(BaseModel):
    """State that changes as one and says what happened to it. Its id is the `subject` of everything it says."""

    model_config = ConfigDict(extra="forbid")
    noun: ClassVar[str]  # singular, lower case: names the collection and the "no-such-{noun}" refusal
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()  # fields that `Work.where` asks for

    id: str
    _voice: list[RecordedEvent] = PrivateAttr(default_factory=list)

    def says(self, data: BaseModel, at: datetime | None = None) -> None:
        """Record that something happened; it is published if, and only if, the change is stored."""
        self._voice.append(RecordedEvent(self, data, at))

    def speak_into(self, voice: list[RecordedEvent]) -> None:
        """Say everything, also what was said before, into a voice shared with other aggregates, so that order across them is kept."""
        voice.extend(self._voice)
        self._voice = voice


class Command(BaseModel):
    """What somebody wants done. `at` is when it happened in the world, if that is earlier than now."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: datetime | None = None
