"""A transaction that was ended while its writes were under way stores none of them, and nothing beside itself."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.settings import Settings
from services.store.errors import Overtaken, is_transient
from services.store.mongo import InsertOne, Store, Transaction
from services.store.transactions import abort


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings.mongo, settings.database_of("ended"))
    for name in ("first", "second"):
        await opened.make(name)
    yield opened
    await opened.close()


async def test_what_an_abort_has_overtaken_is_not_written_outside_of_the_transaction(store: Store) -> None:
    """Abort between the writes to two collections, which a cancelled caller does."""

    async def body(transaction: Transaction) -> None:
        await store.write("first", [InsertOne({"_id": "a"})], transaction)
        await abort(transaction)
        await store.write("second", [InsertOne({"_id": "a"})], transaction)

    with pytest.raises(Overtaken) as overtaken:
        await store.transaction(body)
    assert not is_transient(overtaken.value)
    assert [await store[name].count_documents({}) for name in ("first", "second")] == [0, 0]
