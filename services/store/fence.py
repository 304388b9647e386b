"""The fence: makes every consumer of a service read again what it remembers.

Invariant: each offset document of a consumer is the version of what the consumer remembers (`services.events.inbox.memory`). A
transaction that changes from outside what consumers remember (marks, parked events, dismissals, the register of the erased) calls
`fence`. A consumer's transaction that began before then conflicts, and one that begins later finds another version.
"""

from collections.abc import Collection
from typing import Any

from services.kernel import new_id
from services.store.mongo import Store, Transaction, UpdateMany, UpdateOne

OFFSETS = "offsets"
ASSIGNMENTS = "assignments"  # one document, through which a fence conflicts with a consumer that begins a partition


def new_fence() -> str:
    """Return a value that no offset document has ever had. A counter could reach an old value again after a restore."""
    return new_id()


async def fence(store: Store, transaction: Transaction | None = None, *, spared: Collection[str] = ()) -> None:
    """Give every offset document of the service a new fence, but for the `spared` ids: the caller moves their offsets itself, on the
    condition that they are as it remembers them.

    As early in a transaction as possible: it conflicts with every consumer that commits between its first statement and this one."""
    where = {"_id": {"$nin": [*spared]}} if spared else {}
    fenced = UpdateMany(where, {"$set": {"fence": new_fence()}})
    # A consumer whose offsets are made at this moment would have none that could conflict.
    await store.write_all({ASSIGNMENTS: [conflict()], OFFSETS: [fenced]}, transaction)


def conflict() -> Any:
    """The write that a fence and the making of offset documents have in common, so that MongoDB lets one of them wait."""
    return UpdateOne({"_id": OFFSETS}, {"$inc": {"turn": 1}}, upsert=True)


class Fence:
    """The fence of one transaction, given at most once. `spared`: offset documents that the transaction moves itself, by id."""

    def __init__(self, store: Store, transaction: Transaction) -> None:
        self._store, self._transaction = store, transaction
        self.spared: Collection[str] = ()
        self.given = False

    async def give(self) -> None:
        """Conflict with every consumer that began before, and make all of them read again what they remember."""
        if not self.given:
            await fence(self._store, self._transaction, spared=self.spared)
        self.given = True
