"""The reads of people's data on behalf of one caller, and the notes about them in people's logs of accesses.

Invariants: each person is noted once for each purpose, however much of them was read, and all in one bulk write. A note conflicts with
the erasure of its person, so that none stays behind. Nothing is noted about an erased person.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.kernel import new_id
from services.store.mongo import Store, Transaction, UpdateMany
from services.store.people import Access, ErasedPerson, StoredKey


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or system on whose behalf something is read: the subject of the token, and its role."""

    who: str
    role: str
    name: str = ""  # the one that the header of the site shows, if the token gives it


class Accesses:
    """The people of one programme whose data was read for a caller, with the purpose of each read.

    It belongs to no transaction: a refusal tells what it was derived from, though its transaction is aborted."""

    def __init__(self, caller: Caller, programme: str) -> None:
        self.caller, self._programme = caller, programme
        self._noted: dict[tuple[str, str], None] = {}  # person and purpose, in the order of the reads

    def __len__(self) -> int:
        return len(self._noted)

    def add(self, person: str, purpose: str) -> None:
        """Add a read, unless it is there."""
        self._noted[person, purpose] = None

    def ids(self) -> dict[str, str]:
        """The people by their ids, each with the id of the stored key."""
        return {person: f"{self._programme}/{person}" for person, _ in self._noted}

    def notes(self, erased: Collection[str], now: datetime) -> Iterator[Access]:
        """Make the notes, apart from those about the erased, which are given by the ids of their keys."""
        ids, caller = self.ids(), self.caller
        for person, purpose in self._noted:
            if ids[person] not in erased:
                yield Access(new_id(), self._programme, person, caller.who, caller.role, purpose, now)

    async def write(self, store: Store, transaction: Transaction, now: datetime) -> None:
        """Write the notes within the transaction."""
        writes = await _writes(store, transaction, [self], now)
        if writes:
            await store.write_all(writes, transaction)


async def write_all(store: Store, transaction: Transaction, several: Sequence[Accesses], now: datetime) -> None:
    """Write the notes of several callers, right before the transaction commits."""
    writes = await _writes(store, transaction, several, now)
    if writes:
        store.write_last(writes, transaction)


async def _writes(
    store: Store, transaction: Transaction, several: Sequence[Accesses], now: datetime
) -> Mapping[str, Sequence[Any]]:
    """Return the writes by collection; none when all people are erased."""
    ids = sorted({id for each in several for id in each.ids().values()})
    erased = await store.by_id(ErasedPerson.collection, ids, transaction)
    notes = [note.insert() for each in several for note in each.notes(erased, now)]
    people = [id for id in ids if id not in erased]
    # A counter, because MongoDB skips a write that changes nothing, and a skipped one conflicts with no erasure.
    guards = [UpdateMany({"_id": {"$in": people}}, {"$inc": {"guard": 1}})]
    return {StoredKey.collection: guards, Access.collection: notes} if notes else {}
