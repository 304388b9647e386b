"""Taken once: which of a batch's records take effect, which are repeats, which must wait, which can never be taken.

Invariants: per source and subject only mark + 1 is taken; a repeat is dropped; what comes after a hole, or behind an event that is
waiting or dead, is parked and follows in order; another event id at a taken sequence stops that subject. Offsets, marks, parked
events and effects are saved by the caller's one transaction, or none of them is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.consumer.declare import NotYet
from services.contracts import Event, Unreadable, decode

PATIENCE = timedelta(minutes=30)  # how long an event may wait for what it needs
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
    """An event that waits: for its predecessor ("hole"), for what it needs ("not yet: …"), or behind a dead one."""

    letter: Letter
    why: str
    since: datetime
    retry: datetime
    tries: int = 0

    @property
    def waits(self) -> bool:
        """Whether it is this event's own turn."""
        return self.why.startswith("not yet")


class Desk(Protocol):
    """The marks of one consumer within one open transaction of its store."""

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition."""

    async def marks(self, keys: Collection[str]) -> dict[str, Mark]:
        """The marks there are."""

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """What is parked, by key and sequence."""

    async def save(self, turn: "Turn") -> None:
        """Write everything the turn changed."""


class Effect(Protocol):
    """What a consumer does with an event, inside the same transaction as its marks."""

    tables: Collection[str]

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Fetch together what these will need."""

    async def apply(self, event: Event[Any]) -> str:
        """Take effect; returns the outcome for the count. Raises NotYet, or Unreadable naming the field of the payload."""

    async def tabulate(self, letter: Letter) -> None:
        """Keep a compacted topic's record."""


@dataclass(slots=True)
class Tally:
    """How many records of a turn had which outcome."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: str, number: int = 1) -> None:
        """Count."""
        self.counts[outcome] = self.counts.get(outcome, 0) + number


@dataclass(slots=True)
class Turn:
    """What one transaction changes besides its effects."""

    now: datetime
    marks: dict[str, Mark] = field(default_factory=dict)
    parked: dict[str, dict[int, Parked]] = field(default_factory=dict)
    fresh: list[tuple[str, int]] = field(default_factory=list)  # newly parked, or parked with another reason
    unparked: list[tuple[str, int]] = field(default_factory=list)
    dead: list[tuple[Letter, str]] = field(default_factory=list)
    before: dict[Partition, int] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


def key_of(event: Event[Any]) -> str:
    """What is counted together: the source (which names the topic) and the subject."""
    return f"{event.source}|{event.subject}"


async def take(
    letters: Sequence[Letter],
    desk: Desk,
    effect: Effect,
    now: datetime,
    also: Collection[str] = (),
    doom: str | None = None,
    spoiled: Mapping[str, str] | None = None,
) -> Turn:
    """Take a batch within the desk's transaction, and try what is parked under the keys `also`. `doom`: the first letter, whose
    turn it is, is dead for this reason (the caller has tried often enough). `spoiled`: events by id that are not tried this time, and
    why they wait. Raises Spoiled when an event must join those."""
    turn = Turn(now)
    turn.before = await desk.offsets({(each.topic, each.partition) for each in letters})
    ours = [each for each in letters if each.offset >= turn.before.get((each.topic, each.partition), 0)]
    turn.tally.add("behind", len(letters) - len(ours))
    readable = [(each, _read(each)) for each in ours if each.topic not in effect.tables]
    events = [event for _, event in readable if isinstance(event, Event)]
    keys = {key_of(event) for event in events} | set(also)
    turn.marks = await desk.marks(keys)
    turn.parked = await desk.parked(keys)
    await effect.prepare(
        [*events, *(decode(p.letter.value) for waiting in turn.parked.values() for p in waiting.values())]
    )
    step = _Step(turn, effect, doom, spoiled or {})
    for key in also:
        await step.follow(key)
    for letter in ours:
        turn.offsets[letter.topic, letter.partition] = letter.offset + 1
        if letter.topic in effect.tables:
            await effect.tabulate(letter)
            turn.tally.add("tabulated")
    for letter, event in readable:
        await step.one(letter, event)
    await desk.save(turn)
    return turn


def _read(letter: Letter) -> Event[Any] | Unreadable:
    try:
        return decode(letter.value)
    except Unreadable as error:
        return error


@dataclass(slots=True)
class _Step:
    turn: Turn
    effect: Effect
    doom: str | None
    spoiled: Mapping[str, str]

    async def one(self, letter: Letter, event: Event[Any] | Unreadable) -> None:
        """Take, drop, park or bury one record."""
        turn = self.turn
        if isinstance(event, Unreadable):
            turn.dead.append((letter, str(event)))
            turn.tally.add("unreadable")
            return
        key = key_of(event)
        mark = turn.marks.setdefault(key, Mark())
        if event.sequence <= mark.sequence:
            if event.sequence == mark.sequence and event.id != mark.id and mark.stopped is None:
                mark.stop(f"another event ({event.id}) at sequence {event.sequence}, which was taken as {mark.id}")
                turn.dead.append((letter, str(mark.stopped)))
                turn.tally.add("conflicting")
            else:
                turn.tally.add("repeated")
        elif mark.stopped is not None or event.sequence > mark.sequence + 1:
            self.park(key, letter, event, "behind a dead letter" if mark.stopped else "hole")
        elif await self.attempt(key, letter, event):
            await self.follow(key)

    async def attempt(self, key: str, letter: Letter, event: Event[Any]) -> bool:
        """It is this event's turn: whether it was taken."""
        turn, mark = self.turn, self.turn.marks.setdefault(key, Mark())
        try:
            if self.doom is not None:
                self.bury(key, letter, event, self.doom)
                return False
            if event.id in self.spoiled:
                raise NotYet(self.spoiled[event.id])
            turn.tally.add(await self.effect.apply(event))
        except NotYet as reason:
            self.park(key, letter, event, f"not yet: {reason}")
            return False
        except Unreadable as error:
            self.bury(key, letter, event, str(error))
            return False
        mark.move(event)
        return True

    async def follow(self, key: str) -> None:
        """What was parked behind the mark follows, as far as it goes."""
        mark, waiting = self.turn.marks.setdefault(key, Mark()), self.turn.parked.get(key, {})
        for passed in [each for each in waiting if each <= mark.sequence]:
            self.unpark(key, passed)
        while mark.stopped is None and (parked := waiting.get(mark.sequence + 1)) is not None:
            event = decode(parked.letter.value)
            if parked.waits and self.turn.now - parked.since > PATIENCE:
                self.bury(key, parked.letter, event, f"waited too long: {parked.why}")
            elif await self.attempt(key, parked.letter, event):
                self.unpark(key, event.sequence)
            else:
                return

    def park(self, key: str, letter: Letter, event: Event[Any], why: str) -> None:
        """Keep it until its turn. The longer it waits, the longer until the next try: 0.1 s doubling to 5 s."""
        turn = self.turn
        known = turn.parked.setdefault(key, {}).get(event.sequence)
        tries = known.tries + 1 if known else 0
        since = known.since if known else turn.now
        retry = turn.now + timedelta(seconds=min(5.0, 0.1 * 2**tries))
        turn.parked[key][event.sequence] = Parked(letter, why, since, retry, tries)
        turn.fresh.append((key, event.sequence))
        turn.tally.add("parked" if known is None else "still parked")

    def unpark(self, key: str, sequence: int) -> None:
        """It is parked no more."""
        del self.turn.parked[key][sequence]
        self.turn.unparked.append((key, sequence))

    def bury(self, key: str, letter: Letter, event: Event[Any], why: str) -> None:
        """It can never be taken as it is: its subject stops, and the event stays parked first in line."""
        self.turn.marks.setdefault(key, Mark()).stop(why)
        self.turn.parked.setdefault(key, {})[event.sequence] = Parked(
            letter, f"dead: {why}", self.turn.now, self.turn.now
        )
        self.turn.fresh.append((key, event.sequence))
        self.turn.dead.append((letter, why))
        self.turn.tally.add("dead")
