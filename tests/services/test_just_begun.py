"""MongoDB that has just begun, and knows of no replica set yet, when it is first spoken to."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from services.engines.mongod import SET, Mongod, elected
from services.engines.ports import Ports
from services.store import InsertOne, PyMongoError, Session, Store, passes
from tests.harness import eventually

PATIENCE = 3.0  # seconds; a connection that is new has what it needs at the first try


@pytest_asyncio.fixture(loop_scope="session")
async def spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store whose one connection was made before the server became the primary that it is now."""
    node = Mongod(tmp_path / "mongo", tmp_path / "mongod.log")
    monkeypatch.setattr(node, "_wait", lambda *_: None)
    with (tmp_path / "lock").open("w") as lock:
        node.start(ports := Ports(tmp_path / "ports.json"), lock.fileno())
        address = f"127.0.0.1:{ports._known['mongo']}"
        store = Store(f"mongodb://{address}/?directConnection=true", "begun")

        async def answers() -> bool:
            try:
                await store.ping()
            except PyMongoError:
                return False
            return True

        try:
            await eventually(answers)
            primary(address)
            yield store
        finally:
            await store.close()
            node.stop()


def primary(address: str) -> None:
    """Make it one."""
    deadline = time.monotonic() + 30
    with MongoClient[dict[str, Any]](f"mongodb://{address}/?directConnection=true") as client:
        while not elected(client, SET, address):
            assert time.monotonic() < deadline, "it has not become primary"
            time.sleep(0.05)


async def test_a_transaction_is_not_tried_again_and_again_on_a_connection_that_never_has_any(spoken_to: Store) -> None:
    async def insert(session: Session) -> None:
        await spoken_to.write("things", [InsertOne({"_id": "a"})], session)

    await spoken_to.transaction(insert, patience=PATIENCE)
    assert set(await spoken_to.by_id("things", ["a"])) == {"a"}


async def test_whoever_has_a_session_of_their_own_fails_once_and_then_no_more(spoken_to: Store) -> None:
    async def find() -> None:
        async with spoken_to.session() as session:
            await spoken_to["things"].find_one({}, session=session)

    with pytest.raises(PyMongoError, match="Sessions are not supported") as failed:
        await find()
    assert passes(failed.value)
    await find()
