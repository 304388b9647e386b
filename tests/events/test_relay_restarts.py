"""A relay that starts without a saved position: the scan and the change stream together miss nothing, however busy the service is."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.events.bus.client import Bus
from services.events.outbox.relay import Relay
from services.settings import Settings
from services.store.mongo import Document, DriverSession, Store, Transaction
from services.telemetry import Metrics

ROUNDS = 40
WRITERS = 16


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """A database with an empty outbox."""
    opened = Store(settings.mongo, settings.database_of("busy"))
    await opened.make("outbox")
    await opened.make("relay")
    yield opened
    await opened.close()


async def test_what_commits_while_the_stream_is_opened_is_in_the_scan_or_in_the_stream(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: set[str] = set()
    ended = asyncio.Event()

    async def talk() -> None:
        while not ended.is_set():
            row = {"_id": uuid.uuid4().hex, "sequence": 1}

            async def say(transaction: Transaction, row: Document = row) -> None:
                await store.insert("outbox", [row], transaction)

            await store.transaction(say)
            said.add(str(row["_id"]))

    scanned: set[str] = set()
    relay = Relay("busy", store, Bus(settings), settings, Metrics("busy"))

    async def note(rows: list[Document], _: Any) -> None:
        scanned.update(each["_id"] for each in rows)

    monkeypatch.setattr(relay, "_send", note)
    lost: list[str] = []
    for _ in range(ROUNDS):
        scanned.clear()
        ended.clear()
        talking = [asyncio.create_task(talk()) for _ in range(WRITERS)]
        state = await relay.position.take()
        assert state is not None
        async with store.driver_session() as session:
            cursor, _token = await relay._open(session, {"token": None}, None)  # type: ignore[arg-type]  # nothing is sent
            ended.set()
            await asyncio.gather(*talking)
            streamed = await drained(store, session, cursor)
        lost += said - scanned - streamed
        await store["outbox"].delete_many({})
        said.clear()
    assert lost == []


async def drained(store: Store, session: DriverSession, cursor: int) -> set[str]:
    """The ids of all rows that are left in the stream."""
    found: set[str] = set()
    while True:
        more = {"getMore": cursor, "collection": "outbox", "maxTimeMS": 200, "batchSize": 1000}
        batch = (await store.db.command(more, session=session))["cursor"]["nextBatch"]
        if not batch:
            return found
        found |= {change["fullDocument"]["_id"] for change in batch}
