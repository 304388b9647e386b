"""The terms of every rule: aggregate, event, command, refusal.

Invariant: nothing here does I/O, reads a clock or imports another module of the program, so that a rule can be read and tested alone.
"""

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr
from uuid_utils import uuid7

M = TypeVar("M", bound=Callable[..., None])
When = TypeVar("When", date, datetime)
CLOCKS = timedelta(seconds=5)  # by which the clocks of two machines may differ
# Two joiners without which Persian and Indic names are written wrongly; other invisible characters are refused.
_JOINERS = "\u200c\u200d"
# Characters that no program shows: Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt) without the
# category Cf, and without variation selectors, which choose the form of the character before them.
_IGNORED = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u3164\uffa0") | {chr(each) for each in range(0xFFF0, 0xFFF9)}
_BLANK = "\u2800"  # a cell of Braille without dots: a symbol by its category, and nothing to see
_VISIBLE = ("L", "N", "P", "S")  # categories of Unicode: a mark or joiner alone is on no character
ENCODED_WORD = "=?"  # begins an encoded word of a mail (RFC 2047)


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562): unique, and in the order of creation."""
    # The order of creation lets the relay scan the outbox from a moment on when its resume token is lost.
    return str(uuid7())


def code_of(person: str) -> str:
    """Return the code by which screens show a person who is not named: the last eight characters of the id, as `7F3A-91C2`. Two of ten
    thousand people share one by a chance of one in a hundred; a search then shows both."""
    end = person.replace("-", "")[-8:].upper()
    return f"{end[:4]}-{end[4:]}" if len(end) == 8 else person


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
    """The event needs something that has not arrived. It is parked, with later events of its subject behind it, and retried."""


class Unavailable(Exception):
    """An engine does not answer, or something needed has not arrived. Retry after `after` seconds."""

    def __init__(self, detail: str, after: int = 2) -> None:
        super().__init__(detail)
        self.detail, self.after = detail, after


def in_order(step: str, at: When, needed: str, since: When | None) -> When:
    """Return the time in the world of a step that comes after the one that it needs (`since`; None: not known, in an older database).
    Refused("out-of-order", `not_before`) when it is earlier. Two clocks that differ are no reason: then both have the same time."""
    if since is None or at >= since:
        return at
    if since - at <= CLOCKS:  # two days differ by more
        return since
    raise Refused("out-of-order", f"{step} ({at}) is before {needed} ({since}).", not_before=since.isoformat())


def in_time(step: str, at: When, needed: str, until: When) -> None:
    """Refuse a step in the world that is later than the last moment for it. Refused("out-of-order", `not_after`)."""
    if at > until:
        raise Refused("out-of-order", f"{step} ({at}) is after {needed} ({until}).", not_after=until.isoformat())


class RecordedEvent(NamedTuple):
    """An event that an aggregate recorded: the aggregate, the payload, and its time in the world (None: the command's time)."""

    by: "Aggregate"
    data: BaseModel
    at: datetime | None


def applies(kind: type[BaseModel], *, timed: bool = False) -> Callable[[M], M]:
    """Mark a method of an aggregate as the one that changes the state for events of this type. It takes the payload; with `timed`,
    also the time of the event in the world (None: the time of the command)."""

    def mark(method: M) -> M:
        method.applied = (kind, timed)  # type: ignore[attr-defined]  # read by Aggregate.__init_subclass__
        return method

    return mark


class Aggregate(BaseModel):
    """State that changes as one, and the events that it records. Its id is the `subject` of its events."""

    model_config = ConfigDict(extra="forbid")
    noun: ClassVar[str]  # singular, lower case: names the collection and the "no-such-{noun}" refusal
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()  # fields that `Work.where` asks for
    # by event type: the name of the method, and whether it takes the time
    appliers: ClassVar[dict[type[BaseModel], tuple[str, bool]]] = {}

    id: str
    # Private, so that `model_dump` leaves it out: it is neither stored nor compared with what was read.
    _events: list[RecordedEvent] = PrivateAttr(default_factory=list)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        marked = ((name, getattr(method, "applied", None)) for name, method in vars(cls).items())
        # A new dictionary: adding to the inherited one would give each class the methods of its siblings.
        cls.appliers = {**cls.appliers, **{mark[0]: (name, mark[1]) for name, mark in marked if mark is not None}}

    def says(self, data: BaseModel, at: datetime | None = None) -> None:
        """Apply an event and record it. It is published if, and only if, the change of state is stored."""
        # The same method as on replay, so that a restored aggregate gets the state that it had.
        self.apply(data, at)
        self._events.append(RecordedEvent(self, data, at))

    def apply(self, data: BaseModel, at: datetime | None = None) -> None:
        """Change the state as the event says: live, and again when a restored database is replayed. An event without a method that
        `applies` it changes nothing."""
        if (applier := self.appliers.get(type(data))) is not None:
            name, timed = applier
            getattr(self, name)(data, at) if timed else getattr(self, name)(data)

    def record_into(self, events: list[RecordedEvent]) -> None:
        """Record into a list that aggregates share, so that the order across them is kept. Earlier events move into it."""
        events.extend(self._events)
        self._events = events


class Command(BaseModel):
    """A request to change something. `at` is its time in the world, if that is earlier than now."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: datetime | None = None


def shown_as_meant(text: str, breaks: str = "") -> str:
    """Give the text in Unicode's composed form (NFC). ValueError for characters that are not shown, or that change how others are read."""
    for each in text:
        kind = unicodedata.category(each)
        if each not in breaks and (kind in {"Cc", "Cs", "Co", "Zl", "Zp"} or ord(each) & 0xFFFE == 0xFFFE):
            raise ValueError("holds a control character")
        if kind == "Cf" and each not in _JOINERS:
            raise ValueError("holds an invisible character, or one that changes the direction of writing")
        if each in _IGNORED:
            raise ValueError("holds an invisible character")
    composed = unicodedata.normalize("NFC", text)
    if not any(unicodedata.category(each)[0] in _VISIBLE and each != _BLANK for each in composed):
        raise ValueError("is empty")
    return composed


def line(text: str) -> str:
    """Give a text of one line, with single spaces. ValueError for one that is empty, or that is shown otherwise than it is meant."""
    # A no-break space comes along when somebody pastes from a table.
    found = " ".join(shown_as_meant(text).split())
    # A mail program would decode it (RFC 2047), and so would show, or obey, another text.
    if ENCODED_WORD in found:
        raise ValueError("holds '=?', with which an encoded word of a mail begins")
    return found
