"""Questions to the register of the erased, within one transaction.

Invariant: an entry is never removed. So all entries together can be remembered, for as long as somebody tells of each new one.
"""

from collections.abc import Collection
from dataclasses import dataclass

from services.store.mongo import Store, Transaction

ERASED = "erased"  # the collection; `services.store.people.ErasedPerson` is its class
REMEMBERED = 5_000  # entries; of a longer register each question is a query


@dataclass(frozen=True, slots=True)
class Everybody:
    """The whole register of the erased, as a transaction has read it. `ids` None: too many entries to be remembered."""

    ids: frozenset[str] | None


class ErasedRegister:
    """The register of the erased, as one transaction asks it."""

    def __init__(self, store: Store, transaction: Transaction) -> None:
        self._store, self._transaction = store, transaction
        self._remembers = False
        self.everybody: Everybody | None = None

    def remember(self, everybody: Everybody | None) -> None:
        """Answer from these entries. None: read all of them at the first question. The caller makes sure that they are still all."""
        self._remembers, self.everybody = True, everybody

    def forget(self) -> None:
        """Answer by queries from now on: this transaction adds an entry."""
        self._remembers, self.everybody = False, None

    async def among(self, ids: Collection[str]) -> set[str]:
        """Return those of these ids (`{programme}/{person}`) that have an entry."""
        if ids and self._remembers and self.everybody is None:
            self.everybody = await self._read()
        if self.everybody is not None and self.everybody.ids is not None:
            return {*ids} & self.everybody.ids
        return set(await self._store.by_id(ERASED, [*ids], self._transaction))

    async def _read(self) -> Everybody:
        register = self._store[ERASED]
        found = register.find({}, {"_id": 1}, session=self._transaction).limit(REMEMBERED + 1)
        ids = frozenset([each["_id"] async for each in found])
        return Everybody(ids if len(ids) <= REMEMBERED else None)
