"""A partner's feed, each entry taken once. The feed is a ledger: its places 1, 2, 3 … run over all persons, on one partition.

Invariants:

- Only the place after the mark is taken. Its effect, the mark and the offset are saved in one transaction.
- An entry that fails, or needs what is not there yet, is set aside, and later entries of its person behind it in order. The entries of
  other persons go on.
- When a person's consent is withdrawn or the person is erased, what is set aside of them is deleted.
- A missing place, another entry at a taken place, or a record that is no entry stops the ledger, with the reason.

`services.events.delivery.take` does not fit: one count covers everybody here, so a withdrawal of consent would wait behind any bad entry.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.consumer.stores import Kept, Transaction
from services.contracts import Event, Unreadable, decode
from services.contracts.feed import ConsentWithdrawn, Erased
from services.events.delivery.state import ParkedStatus
from services.kernel import NotYet

CLOSING = frozenset({ConsentWithdrawn.type, Erased.type})  # after these, all that is stored about the person is deleted
Effect = Callable[[Event[Any], Transaction], Awaitable[bool]]  # returns False when it ignores the entry


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an entry is set aside: the status decides what happens to it, the reason is a sentence for people."""

    status: ParkedStatus
    reason: str


class Failed(Exception):
    """The effect of an entry failed, for its `__cause__`. `failures`: entries that died just before it, one after the other."""

    def __init__(self, event: Event[Any], failures: int) -> None:
        super().__init__(f"place {event.sequence}")
        self.event, self.failures = event, failures

    @property
    def cause(self) -> Cause:
        """The cause, as it is stored with the entry."""
        error = self.__cause__
        if isinstance(error, NotYet):
            return Cause(ParkedStatus.NOT_YET, str(error))
        reason = str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"[:500]
        return Cause(ParkedStatus.DEAD, reason)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the topic that was decoded."""

    event: Event[Any]
    text: str

    @classmethod
    def of(cls, value: bytes | None) -> "Entry":
        """Decode a record's value. Raises Unreadable."""
        return cls(decode(value), (value or b"").decode())

    @property
    def kept(self) -> Kept:
        """The entry as it is stored when it is set aside."""
        return {"sequence": self.event.sequence, "text": self.text}


@dataclass(slots=True)
class Taken:
    """Result of a batch: the number of entries by outcome, and the reason why the ledger stopped, if it did."""

    counts: dict[str, int] = field(default_factory=dict)
    stopped: str | None = None

    def add(self, outcome: str) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + 1


@dataclass(slots=True)
class Ledger:
    """One consumer's ledger within one transaction. `name` is the consumer's, `own` that of its generation. `aside`: causes, by id, of
    entries that are set aside instead of tried. `failures`: entries that died one after the other, up to now."""

    name: str
    own: str
    transaction: Transaction
    effect: Effect
    now: datetime
    is_transient: Callable[[BaseException], bool]
    aside: Mapping[str, Cause] = field(default_factory=dict)
    failures: int = 0
    _marks: dict[str, Kept] = field(default_factory=dict)
    _waiting: dict[str, Kept] = field(default_factory=dict)
    _dismissed: dict[str, Kept] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    async def take(self, records: Sequence[tuple[int, bytes | None]]) -> Taken:
        """Take a batch of offsets and values, up to the first record that stops the ledger."""
        taken, entries = Taken(), list[tuple[int, Entry]]()
        for at, value in records:
            try:
                entries.append((at, Entry.of(value)))
            except Unreadable as error:
                # The entries before it are taken all the same.
                taken.stopped = f"the record at offset {at} is no entry: {error}"
                break
        await self._recall([entry.event for _, entry in entries])
        for at, entry in entries:
            if reason := self._unaccountable(entry.event):
                taken.stopped = reason
                break
            taken.add(await self._one(entry))
            self._marks[entry.event.source]["offset"] = at + 1
        # None removes the reason when the ledger goes on again.
        await self.transaction.remember("stopped", self.own, {"reason": taken.stopped} if taken.stopped else None)
        await self._remember()
        return taken

    async def redrive(self, sequence: int) -> bool:
        """Try the entry that is set aside at this place again, and those behind it. Returns False when there is none."""
        key = await self._set_aside(sequence)
        if key is not None:
            await self._follow(key, self._waiting[key]["entries"])
        return key is not None

    async def dismiss(self, sequence: int) -> bool:
        """Exclude an entry from this generation and all that follow; those behind it go on. Returns False when there is none."""
        key = await self._set_aside(sequence)
        if key is not None:
            first, *behind = self._waiting[key]["entries"]
            # Under the name without the generation, so that a rebuild leaves the entry out as well.
            place = f"{self.name}|{decode(first['text'].encode()).source}|{sequence}"
            await self.transaction.remember(
                "dismissed", place, {"reason": self._waiting[key]["reason"], "at": self.now.isoformat()}
            )
            await self._follow(key, behind)
        return key is not None

    def _unaccountable(self, event: Event[Any]) -> str | None:
        mark = self._marks.get(event.source, {"sequence": 0})
        if event.sequence > mark["sequence"] + 1:
            return f"place {mark['sequence'] + 1} is missing: {event.sequence} comes after {mark['sequence']}"
        # Of earlier places no id is stored, so they cannot be compared.
        if event.sequence == mark["sequence"] and event.id != mark["id"]:
            return f"another entry ({event.id}) is at place {event.sequence}, which was taken as {mark['id']}"
        return None

    async def _one(self, entry: Entry) -> str:
        event = entry.event
        if event.source in self._marks and event.sequence <= self._marks[event.source]["sequence"]:
            return "repeated"
        # Before the entry is tried: one that is set aside must not hold up the entries of other persons.
        self._marks[event.source] = {"sequence": event.sequence, "id": event.id}
        key = self._key(event)
        # It waits behind no failing entry, because the partner is obliged to delete.
        if event.type in CLOSING and self._waiting.pop(key, None) is not None:
            self._changed.add(key)
        if f"{self.name}|{event.source}|{event.sequence}" in self._dismissed:
            return "dismissed"
        if key in self._waiting:
            self._waiting[key]["entries"].append(entry.kept)
            self._changed.add(key)
            return "set aside"
        return await self._try(key, entry, [])

    async def _try(self, key: str, entry: Entry, behind: list[Kept]) -> str:
        """Try it, or set it aside with those behind it."""
        cause = self.aside.get(entry.event.id)
        if cause is None:
            return await self._effect(entry.event)
        self.failures += cause.status is ParkedStatus.DEAD
        known, first = self._waiting.get(key), entry.kept
        since = known["since"] if known and known["entries"][0] == first else self.now.isoformat()
        self._waiting[key] = {
            "status": cause.status.value,
            "reason": cause.reason,
            "since": since,
            "entries": [first, *behind],
        }
        self._changed.add(key)
        return "set aside"

    async def _effect(self, event: Event[Any]) -> str:
        try:
            if not await self.effect(event, self.transaction):
                return "ignored"
        except Exception as error:
            # A store that is away is no fault of the entry.
            if self.is_transient(error):
                raise
            raise Failed(event, self.failures) from error
        self.failures = 0
        return "taken"

    async def _follow(self, key: str, entries: Sequence[Kept]) -> None:
        for at, kept in enumerate(entries):
            if await self._try(key, Entry.of(kept["text"].encode()), list(entries[at + 1 :])) == "set aside":
                break
        else:
            del self._waiting[key]
            self._changed.add(key)
        await self._remember()

    async def _set_aside(self, sequence: int) -> str | None:
        self._waiting = await self.transaction.browse("waiting", f"{self.own}|")
        return next((key for key, each in self._waiting.items() if each["entries"][0]["sequence"] == sequence), None)

    def _key(self, event: Event[Any]) -> str:
        return f"{self.own}|{event.source}|{event.subject}"

    async def _recall(self, events: Sequence[Event[Any]]) -> None:
        found = await self.transaction.recall("mark", {f"{self.own}|{each.source}" for each in events})
        self._marks = {id.removeprefix(f"{self.own}|"): mark for id, mark in found.items()}
        self._waiting = await self.transaction.recall("waiting", {self._key(each) for each in events})
        places = {f"{self.name}|{each.source}|{each.sequence}" for each in events}
        self._dismissed = await self.transaction.recall("dismissed", places)

    async def _remember(self) -> None:
        for source, mark in self._marks.items():
            await self.transaction.remember("mark", f"{self.own}|{source}", mark)
        for key in self._changed:
            await self.transaction.remember("waiting", key, self._waiting.get(key))
