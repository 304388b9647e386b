"""MongoDB that has just started, and is in no replica set yet, when a client first connects."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from services.consumer import Mongo
from services.engines.mongod import SET, Mongod, elected
from services.engines.ports import Ports
from services.store.errors import is_transient
from services.store.mongo import InsertOne, PyMongoError, Store, Transaction
from tests.helpers.waiting import eventually

PATIENCE = 3.0  # seconds; a connection that is new has what it needs at the first try


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that belongs to no replica set yet."""
    node = Mongod(tmp_path / "mongo", tmp_path / "mongod.log")
    monkeypatch.setattr(node, "_wait", lambda *_: None)
    with (tmp_path / "lock").open("w") as lock:
        node.start(ports := Ports(tmp_path / "ports.json"), lock.fileno())
        yield f"127.0.0.1:{ports._known['mongo']}"
        node.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def spoken_to(begun: str) -> AsyncIterator[Store]:
    """A store whose one connection was made before the server became the primary that it is now."""
    store = Store(f"mongodb://{begun}/?directConnection=true", "begun")
    await eventually(lambda: answers(store.ping))
    primary(begun)
    yield store
    await store.close()


async def answers(ping: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await ping()
    except PyMongoError:
        return False
    return True


def primary(address: str) -> None:
    """Initiate the replica set and wait for its primary."""
    deadline = time.monotonic() + 30
    with MongoClient[dict[str, Any]](f"mongodb://{address}/?directConnection=true") as client:
        while not elected(client, SET, address):
            assert time.monotonic() < deadline, "it has not become primary"
            time.sleep(0.05)


async def test_a_transaction_is_not_tried_again_and_again_on_a_connection_that_never_has_any(spoken_to: Store) -> None:
    async def insert(transaction: Transaction) -> None:
        await spoken_to.write("things", [InsertOne({"_id": "a"})], transaction)

    await spoken_to.transaction(insert, patience=PATIENCE)
    assert set(await spoken_to.by_id("things", ["a"])) == {"a"}


async def test_whoever_has_a_session_of_their_own_fails_once_and_then_no_more(spoken_to: Store) -> None:
    async def find() -> None:
        async with spoken_to.driver_session() as session:
            await spoken_to["things"].find_one({}, session=session)

    with pytest.raises(PyMongoError, match="Sessions are not supported") as failed:
        await find()
    assert is_transient(failed.value)
    await find()


@pytest.mark.parametrize("kind", [AsyncIOMotorClient, AsyncMongoClient, MongoClient])
async def test_a_partners_store_drops_it_too_whatever_client_it_was_given(begun: str, kind: Any) -> None:
    client = kind(f"mongodb://{begun}/?directConnection=true")
    store = Mongo(client, "kit")

    async def ping() -> None:
        answer = client.admin.command("ping")
        await answer if isawaitable(answer) else None

    async def remember() -> None:
        async with store.transaction() as work:
            await work.remember("thing", "a", {"n": 1})

    await eventually(lambda: answers(ping))
    primary(begun)
    with pytest.raises(PyMongoError, match="Sessions are not supported") as failed:
        await remember()
    assert store.is_transient(failed.value)
    await remember()
    closed = client.close()
    await closed if isawaitable(closed) else None
