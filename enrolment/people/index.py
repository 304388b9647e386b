"""The index of names: folded, in the memory of each copy that answers requests, and nowhere else.

Invariants: no document and no file holds anything of a name that is not sealed under its person's key. A search sees whatever any copy
had committed before it. Whoever was erased leaves the memory with the next look, a minute later at most.
"""

import asyncio
import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrolment.domain import Status, Worker
from enrolment.folding import folded, parts_of, words_of
from services import vault
from services.programmes import Programme
from services.runtime.recurring import look_again_and_again
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.mongo import Document, Store
from services.store.people import StoredKey
from services.vault.keyring import KeyHolder

log = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=1)  # a transaction lasts 20 s at most, and the clocks of two machines differ a little
AT_ONCE = 500  # people that are read together
NAMES = ("family_name", "given_name")
FIELDS = {"version": 1, "state.id": 1, "state.status": 1, **{f"state.card.{name}": 1 for name in NAMES}}
NAMELESS = LAST = "\U0010ffff"  # sorts after every name, and after every end of a word
SHORTEST = 4  # characters of a code; fewer are a name


@dataclass(frozen=True, slots=True)
class Entry:
    """One person at a version of their record: the words of the name, and the order of the list."""

    person: str
    version: int
    parts: frozenset[str]
    order: tuple[str, str, str]


class Table:
    """People in the order of their names, and the words of all names in order, each with its person's place."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.people = sorted(entries, key=lambda each: each.order)
        pairs = sorted((part, place) for place, each in enumerate(self.people) for part in each.parts)
        self._parts, self._places = [part for part, _ in pairs], [place for _, place in pairs]
        self._codes = [each.person.replace("-", "").lower() for each in self.people]

    def named(self, words: Sequence[str]) -> set[int]:
        """Places of those whose name has a word that begins with each of these."""
        return set.intersection(*(self._beginning(word) for word in words))

    def _beginning(self, word: str) -> set[int]:
        return set(self._places[bisect_left(self._parts, word) : bisect_left(self._parts, word + LAST)])

    def coded(self, code: str) -> set[int]:
        """Places of those whose id is this, or ends with it: pages show its last characters."""
        long_enough = len(code) >= SHORTEST
        return {
            place for place, each in enumerate(self._codes) if each == code or (long_enough and each.endswith(code))
        }


@dataclass(slots=True)
class Known:
    """The people of one programme. `seen`: everything that was written down before is here."""

    seen: datetime
    entries: dict[str, Entry] = field(default_factory=dict)
    table: Table | None = None

    def lacks(self, found: Document) -> bool:
        """True when this record was not read before."""
        entry = self.entries.get(found["state"]["id"])
        return entry is None or entry.version != found["version"]

    def update(self, read: Mapping[str, Entry | None]) -> None:
        """Take over what was read; None removes somebody."""
        for person, entry in read.items():
            if entry is not None:
                self.entries[person], self.table = entry, None
            elif self.entries.pop(person, None) is not None:
                self.table = None


class NameIndex:
    """Finds people by their names or codes, in the programmes that it was asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def follow(self, service: Service) -> None:
        """Keep the index of every programme for as long as the service runs, so that no search has to build it."""

        async def look(service: Service, rules: Programme, _: datetime) -> None:
            await self.refresh(service.store, service.holder, rules.id)

        await look_again_and_again(service, look)

    async def refresh(self, store: Store, holder: KeyHolder, programme: str) -> None:
        """Read whose card was written down or emptied since the last look: everybody's at the first."""
        async with self._reading[programme]:
            known, now = self._known.get(programme), now_utc()
            where: Document = {"programme": programme}
            if known is None:
                known = Known(now)
            else:
                # Stored as text. Without a fraction and a zone it begins every text of its second.
                where["state.filled"] = {"$gt": (known.seen - OVERLAP).isoformat(timespec="seconds")[:-6]}
            cursor = store[Worker.noun].find(where, FIELDS)
            while some := await cursor.to_list(AT_ONCE):
                some = [each for each in some if known.lacks(each)]
                keys = await store.by_id(StoredKey.collection, [each["_id"] for each in some])
                # In a thread: opening ten thousand names takes a second, in which others are answered.
                known.update(await asyncio.to_thread(_read, some, keys, holder))
            if known.table is None:
                known.table = await asyncio.to_thread(Table, list(known.entries.values()))
            known.seen = now
            self._known[programme] = known

    def everybody(self, programme: str) -> list[str]:
        """Ids of all people of a programme, by name."""
        table = self._table(programme)
        return [each.person for each in table.people] if table else []

    def found(self, programme: str, query: str) -> list[str]:
        """Ids of those whom the query names, by name: each of its words begins a word of the name, or it is the code of somebody."""
        words, table = words_of(query), self._table(programme)
        if not words or table is None:
            return []
        return [table.people[place].person for place in sorted(table.named(words) | table.coded("".join(words)))]

    def _table(self, programme: str) -> Table | None:
        known = self._known.get(programme)
        return known.table if known is not None else None


def _read(people: Sequence[Document], keys: Mapping[str, Document], holder: KeyHolder) -> dict[str, Entry | None]:
    """The entries of these people by id; None for whoever was erased."""
    return dict(_entries(people, keys, holder))


def _entries(
    people: Sequence[Document], keys: Mapping[str, Document], holder: KeyHolder
) -> Iterator[tuple[str, Entry | None]]:
    for each in people:
        state, key = each["state"], keys.get(each["_id"])
        if state["status"] == Status.ERASED.value:
            yield state["id"], None
        elif key is not None:
            try:
                yield state["id"], _entry(each, holder.open(state["id"], StoredKey.of(key)))
            except vault.Unopenable as error:  # the others are found all the same
                log.warning("a name is not in the index", extra={"reason": str(error)})


def _entry(found: Document, key: bytes) -> Entry:
    person, card = found["state"]["id"], found["state"].get("card") or {}
    names = [vault.open_sealed(key, person, name, card[name]) if name in card else "" for name in NAMES]
    family, given = (folded(name) or NAMELESS for name in names)
    return Entry(person, found["version"], frozenset().union(*map(parts_of, names)), (family, given, person))
