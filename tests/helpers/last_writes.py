"""The last writes of a transaction, sent before its commit: for tests of what is written and not committed."""

from services.store.mongo import Store, Transaction


async def write_now(store: Store, transaction: Transaction) -> None:
    """Write at once what the transaction keeps for its end."""
    for writes, check in store._last.pop(id(transaction), ()):
        check(await store.write_all(writes, transaction))
