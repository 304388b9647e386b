"""A row that one copy wrote about a person, while another copy handled the erasure, is deleted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.contracts import Event
from services.contracts.enrolment import WorkerReferred
from services.events.delivery.declare import Projection, Rows, on
from services.events.inbox.effects import Projecting
from services.events.inbox.erasure import sweep
from services.events.inbox.projections import ReadModels, collection_of
from services.settings import Settings
from services.store.clock import now_utc
from services.store.mongo import DeleteMany, Store, Transaction, UpdateOne
from services.store.unit import Unit


class Seen(Projection):
    name = "seen"

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, partner=event.data.partner)


@pytest_asyncio.fixture
async def read_models(settings: Settings) -> AsyncIterator[tuple[Store, ReadModels]]:
    """A database with the rows of one projection."""
    store = Store(settings.mongo, settings.database_of("forgetting"))
    read_models = ReadModels(store, [Seen()])
    for name in ("erased", "keys", "projections"):
        await store.make(name)
    await read_models.prepare("seen", 1)
    yield store, read_models
    await store.close()


async def test_a_row_that_was_set_beside_an_erasure_is_deleted_again(
    read_models: tuple[Store, ReadModels], event: Any
) -> None:
    store, projections = read_models
    looked, erased = asyncio.Event(), asyncio.Event()

    async def set_a_row(transaction: Transaction) -> None:
        effect = Projecting(Unit(store, transaction, None, now_utc()), Seen(), collection_of("seen", 1))  # type: ignore[arg-type]
        await effect.prepare([event])
        await effect.apply(event)
        looked.set()
        await erased.wait()
        await effect.write()

    async def erase(transaction: Transaction) -> None:
        await store.write(
            collection_of("seen", 1), [DeleteMany({"programme": "jobs2", "person": "somebody"})], transaction
        )
        entry = {"$setOnInsert": {"programme": "jobs2", "at": now_utc()}}
        await store.write("erased", [UpdateOne({"_id": "jobs2/somebody"}, entry, upsert=True)], transaction)

    late = asyncio.create_task(store.transaction(set_a_row))
    await looked.wait()
    await store.transaction(erase)
    erased.set()
    await late
    assert await store[collection_of("seen", 1)].count_documents({"person": "somebody"}) == 1
    assert await sweep(store, projections) == 1
    assert await store[collection_of("seen", 1)].count_documents({}) == 0


@pytest_asyncio.fixture
async def event() -> Event[Any]:
    """The referral of a worker."""
    return Event(
        id="0", source="/programmes/jobs2/enrolment", type=WorkerReferred.type, subject="somebody", time=now_utc(),
        recordedtime=now_utc(), sequence=1, data={"partner": "afol"},
    )  # fmt: skip
