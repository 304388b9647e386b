"""Types that pass between a consumer and the store of its state: records, marks, parked events, dead records, the result of a batch.

Invariant: one transaction of the store saves the whole result of a batch together with the effects, or saves nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from services.contracts import Event, decode
from services.contracts.topics import programme_of

Partition = tuple[str, int]


class ParkedStatus(StrEnum):
    """State of a parked event. The values are stored."""

    GAP = "gap"  # its predecessor was never delivered
    NOT_YET = "not-yet"  # its handler raised NotYet; it is tried again
    DEAD = "dead"  # it cannot be taken, and its subject stops
    BEHIND_DEAD = "behind-dead"
    BEHIND_WAITING = "behind-waiting"  # an earlier event of the subject is in NOT_YET


REASONS = {
    ParkedStatus.GAP: "its predecessor is missing",
    ParkedStatus.BEHIND_DEAD: "an earlier event of its subject is dead",
    ParkedStatus.BEHIND_WAITING: "an earlier event of its subject waits",
}


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record, as any client gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Mark:
    """The last event taken of one source and subject. `stopped`: the reason why no more of the subject is taken, if so."""

    sequence: int = 0
    id: str = ""
    stopped: str | None = None
    dirty: bool = False

    def move(self, event: Event[Any]) -> None:
        """Note that this event is taken."""
        self.sequence, self.id, self.dirty = event.sequence, event.id, True

    def stop(self, why: str) -> None:
        """Take nothing more of this subject."""
        self.stopped, self.dirty = why, True


@dataclass(slots=True)
class Parked:
    """An event that cannot be taken now. `reason` is a sentence for people; only `status` decides what happens to the event."""

    record: Record
    status: ParkedStatus
    reason: str
    since: datetime
    retry: datetime
    tries: int = 0

    @property
    def retried(self) -> bool:
        """True when the consumer tries this event again by itself."""
        return self.status is ParkedStatus.NOT_YET

    @property
    def first(self) -> bool:
        """True when the event itself is the obstacle, and not another one before it."""
        return self.status in {ParkedStatus.NOT_YET, ParkedStatus.DEAD}


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that cannot be taken. `event` is None when the record is no event. An `intruder` has the sequence of another event."""

    record: Record
    why: str
    event: Event[Any] | None = None
    intruder: bool = False

    @property
    def name(self) -> str:
        """The name by which an operator redrives or dismisses it."""
        return name_of(self.record, self.event)


class ConsumerState(Protocol):
    """The stored state of one consumer, within one open transaction of its store."""

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition."""

    async def marks(self, keys: Collection[str], begun: Collection[str] = ()) -> dict[str, Mark]:
        """The marks that exist, by key (see `key_of`). `begun`: keys whose first event is in the batch, so that a mark is unlikely."""

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """The parked events, by key and sequence."""

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        """Those names (see `name_of`) that were dismissed for any generation of this consumer. True: the event keeps its place in the
        sequence and counts as taken. False: it never had a place (an intruder)."""

    async def save(self, result: "BatchResult") -> None:
        """Write everything that the batch changed."""


class Effect(Protocol):
    """The work of a consumer on an event, inside the transaction that saves its marks."""

    tables: Collection[str]  # compacted topics

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Fetch at once what these events will need."""

    def is_erased(self, event: Event[Any]) -> bool:
        """Tell whether the subject of the event, which was prepared, is an erased person."""

    async def apply(self, event: Event[Any]) -> str:
        """Handle the event; returns the outcome to count. Raises NotYet, or Unreadable naming the field of the payload."""

    async def tabulate(self, record: Record) -> None:
        """Keep a record of a compacted topic. Raises Unreadable."""


@dataclass(slots=True)
class Tally:
    """Number of records of a batch, by outcome."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: str, number: int = 1) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + number


@dataclass(slots=True)
class BatchResult:
    """Everything that one transaction changes besides the effects."""

    now: datetime
    marks: dict[str, Mark] = field(default_factory=dict)
    parked: dict[str, dict[int, Parked]] = field(default_factory=dict)
    fresh: list[tuple[str, int]] = field(default_factory=list)  # newly parked, or parked with another status
    unparked: list[tuple[str, int]] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # names of the events that failed since the last success
    succeeded: bool = False  # at least one event was taken
    postponed: list[str] = field(default_factory=list)  # keys whose next event is parked and due, because of the limit
    gaps: int = 0  # events that were newly found to lack their predecessor
    before: dict[Partition, int] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def mark(self, key: str) -> Mark:
        """The mark of the key; a new one if there was none."""
        return self.marks.setdefault(key, Mark())

    def gapped(self) -> Iterator[tuple[str, int]]:
        """Key and sequence of each event whose predecessor is missing."""
        for key, waiting in self.parked.items():
            yield from ((key, sequence) for sequence, each in waiting.items() if each.status is ParkedStatus.GAP)

    def followers(self, keys: Collection[str], limit: int | None) -> list[Event[Any]]:
        """Parked events of these keys that can be taken next: at most `limit` per key, counted from the mark."""
        found: list[Event[Any]] = []
        for key in keys:
            mark, waiting = self.mark(key), self.parked.get(key, {})
            last = mark.sequence + (len(waiting) if limit is None else limit)
            if mark.stopped is None:
                found += [decode(p.record.value) for each, p in waiting.items() if mark.sequence < each <= last]
        return found


def key_of(event: Event[Any]) -> str:
    """The key under which sequences are counted: the source (which names the topic) and the subject."""
    return f"{event.source}|{event.subject}"


def programme_in(key: str) -> str:
    """The programme of a key (see `key_of`)."""
    return programme_of(key.partition("|")[0])


def name_of(record: Record, event: Event[Any] | None) -> str:
    """The name of a dead letter and of its dismissal: the event's id, or place and content of a record that is no event."""
    if event is not None:
        return event.id
    return f"{record.topic}/{record.partition}/{record.offset}-{sha256(record.value or b'').hexdigest()[:12]}"
