"""The last writes of a transaction: sent with the commit, in one change of thread, or not at all."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.settings import Settings
from services.store.errors import Conflict
from services.store.mongo import InsertOne, Store, Transaction, UpdateOne


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    made = Store(settings.mongo, f"l{uuid.uuid4().hex[:10]}")
    for name in ("kept", "counted"):
        await made.make(name)
    yield made
    await made.close()


async def kept(store: Store) -> list[Any]:
    return [each["_id"] async for each in store["kept"].find().sort("_id", 1)]


async def test_they_are_written_when_the_body_has_returned_in_the_given_order_and_checked(store: Store) -> None:
    seen: list[dict[str, int]] = []

    async def body(transaction: Transaction) -> str:
        store.write_last({"kept": [InsertOne({"_id": 1})]}, transaction)
        again = {"kept": [UpdateOne({"_id": 1}, {"$set": {"found": True}})], "counted": []}
        store.write_last(again, transaction, seen.append)
        assert await store.by_id("kept", [1], transaction) == {}  # type: ignore[list-item]  # a number is an id as well
        return "answer"

    assert await store.transaction(body) == "answer"
    assert seen == [{"kept": 1, "counted": 0}]
    assert await store["kept"].find().to_list(None) == [{"_id": 1, "found": True}]


async def test_a_check_that_refuses_aborts_everything_and_the_body_runs_again(store: Store) -> None:
    attempts = 0

    async def body(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        attempt = attempts
        await store.insert("kept", [{"_id": f"first-{attempt}"}], transaction)

        def check(_: dict[str, int]) -> None:
            if attempt < 3:
                raise Conflict("too early")

        store.write_last({"kept": [InsertOne({"_id": f"last-{attempt}"})]}, transaction, check)

    await store.transaction(body)
    assert await kept(store) == ["first-3", "last-3"]
    assert not store._last


@pytest.mark.parametrize("error", [RuntimeError("no"), asyncio.CancelledError()])
async def test_a_body_that_fails_leaves_none_of_them(store: Store, error: BaseException) -> None:
    async def body(transaction: Transaction) -> None:
        store.write_last({"kept": [InsertOne({"_id": 1})]}, transaction)
        raise error

    with pytest.raises(type(error)):
        await store.transaction(body)
    assert await kept(store) == []
    assert not store._last


async def test_two_transactions_at_once_write_each_their_own(store: Store) -> None:
    async def body(transaction: Transaction, number: int) -> None:
        store.write_last({"kept": [InsertOne({"_id": number})]}, transaction)
        await asyncio.sleep(0.01)
        if number % 2:
            raise RuntimeError("odd")

    numbers = range(20)
    await asyncio.gather(
        *(store.transaction(lambda transaction, n=n: body(transaction, n)) for n in numbers),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert await kept(store) == [n for n in numbers if n % 2 == 0]
