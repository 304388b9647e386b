"""The fence: makes every consumer of a service read again what it remembers.

Invariant: each offset document of a consumer is the version of what the consumer remembers (`services.events.inbox.memory`). A
transaction that changes from outside what consumers remember (marks, parked events, dismissals, the register of the erased) calls
`fence`. A consumer's transaction that began before then conflicts, and one that begins later finds another version.
"""

from collections.abc import Collection

from services.kernel import new_id
from services.store.mongo import Store, Transaction, UpdateMany

OFFSETS = "offsets"


def new_fence() -> str:
    """Return a value that no offset document has ever had. A counter could reach an old value again after a restore."""
    return new_id()


async def fence(store: Store, transaction: Transaction | None = None, *, spared: Collection[str] = ()) -> None:
    """Give every offset document of the service a new fence, but for the `spared` ids: the caller moves their offsets itself, on the
    condition that they are as it remembers them.

    As early in a transaction as possible: it conflicts with every consumer that commits between its first statement and this one."""
    where = {"_id": {"$nin": [*spared]}} if spared else {}
    await store.write(OFFSETS, [UpdateMany(where, {"$set": {"fence": new_fence()}})], transaction)
