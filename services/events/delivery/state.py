"""What passes between a consumer and the store that keeps its marks: records, marks, what is parked, what is dead, and one turn.

Invariant: all of a turn is saved by one transaction of the store, with the effects, or none of it is.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from services.contracts import Event, decode

HOLE, BEHIND_DEAD, BEHIND_WAITING = "hole", "behind a dead letter", "behind one that waits"
Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of the bus, as any client gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Mark:
    """The last event taken of one source and subject. `stopped` says why the subject stands still, if it does."""

    sequence: int = 0
    id: str = ""
    stopped: str | None = None
    dirty: bool = False

    def move(self, event: Event[Any]) -> None:
        """This event is taken."""
        self.sequence, self.id, self.dirty = event.sequence, event.id, True

    def stop(self, why: str) -> None:
        """Nothing more of this subject is taken."""
        self.stopped, self.dirty = why, True


@dataclass(slots=True)
class Parked:
    """An event that waits: for its predecessor ("hole"), for what it needs ("not yet: …"), or behind another; or a dead one ("dead: …")."""

    letter: Letter
    why: str
    since: datetime
    retry: datetime
    tries: int = 0

    @property
    def waits(self) -> bool:
        """Whether it is this event's own turn."""
        return self.why.startswith("not yet")

    @property
    def first(self) -> bool:
        """Whether it stands for itself, and not behind another."""
        return self.why.startswith(("not yet", "dead"))


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that cannot be taken as it is. `event` is None for one that is no event; the place of an `intruder` is another's."""

    letter: Letter
    why: str
    event: Event[Any] | None = None
    intruder: bool = False

    @property
    def name(self) -> str:
        """What it is known by to whoever redrives or dismisses it."""
        return name_of(self.letter, self.event)


class Desk(Protocol):
    """The marks of one consumer within one open transaction of its store."""

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition."""

    async def marks(self, keys: Collection[str]) -> dict[str, Mark]:
        """The marks there are."""

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """What is parked, by key and sequence."""

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        """Those of the names (see `name_of`) that were dismissed for this consumer, whatever its generation: whether the event keeps its
        place in the sequence (it counts as taken) or never had one (an intruder)."""

    async def save(self, turn: "BatchResult") -> None:
        """Write everything the turn changed."""


class Effect(Protocol):
    """What a consumer does with an event, inside the same transaction as its marks."""

    tables: Collection[str]

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Fetch together what these will need."""

    async def apply(self, event: Event[Any]) -> str:
        """Take effect; returns the outcome for the count. Raises NotYet, or Unreadable naming the field of the payload."""

    async def tabulate(self, letter: Letter) -> None:
        """Keep a compacted topic's record. Raises Unreadable."""


@dataclass(slots=True)
class Tally:
    """How many records of a turn had which outcome."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: str, number: int = 1) -> None:
        """Count."""
        self.counts[outcome] = self.counts.get(outcome, 0) + number


@dataclass(slots=True)
class BatchResult:
    """What one transaction changes besides its effects."""

    now: datetime
    marks: dict[str, Mark] = field(default_factory=dict)
    parked: dict[str, dict[int, Parked]] = field(default_factory=dict)
    fresh: list[tuple[str, int]] = field(default_factory=list)  # newly parked, or parked with another reason
    unparked: list[tuple[str, int]] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    row: list[str] = field(default_factory=list)  # names of those buried one after the other, since the last success
    took: bool = False  # whether there was a success at all
    put_off: list[str] = field(default_factory=list)  # keys whose next event is parked, and was not taken for the limit
    holes: int = 0  # events that were found to lack their predecessor
    before: dict[Partition, int] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def mark(self, key: str) -> Mark:
        """The key's mark, a new one if there was none."""
        return self.marks.setdefault(key, Mark())

    def holed(self) -> Iterator[tuple[str, int]]:
        """What is parked for want of its predecessor."""
        yield from ((key, each) for key, waiting in self.parked.items() for each, p in waiting.items() if p.why == HOLE)

    def followers(self, keys: Collection[str], limit: int | None) -> list[Event[Any]]:
        """What is parked of these and can follow: all of it, or so much from the mark on."""
        found: list[Event[Any]] = []
        for key in keys:
            mark, waiting = self.mark(key), self.parked.get(key, {})
            last = mark.sequence + (len(waiting) if limit is None else limit)
            if mark.stopped is None:
                found += [decode(p.letter.value) for each, p in waiting.items() if mark.sequence < each <= last]
        return found


def key_of(event: Event[Any]) -> str:
    """What is counted together: the source (which names the topic) and the subject."""
    return f"{event.source}|{event.subject}"


def name_of(letter: Letter, event: Event[Any] | None) -> str:
    """What a dead letter and its dismissal are known by: the event's id, or place and content of what is no event."""
    if event is not None:
        return event.id
    return f"{letter.topic}/{letter.partition}/{letter.offset}-{sha256(letter.value or b'').hexdigest()[:12]}"
