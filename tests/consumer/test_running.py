"""A consumer on a real feed, as the partner's own user: its offset, its lag, and a rebuild of its projection beside it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from services.consumer import Consumer, Mongo, Sqlite, Store
from services.contracts import Event
from services.contracts.feed import Admitted, ConsentWithdrawn, Referred
from services.engines import Engines
from services.engines.kafka import login_of
from tests.consumer import stores
from tests.consumer.conftest import Ledger
from tests.consumer.outcomes import Outcomes, failing, rows
from tests.consumer.stores import journalling, places
from tests.helpers.traffic import administrator, make_topic
from tests.helpers.waiting import eventually


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    """Run the consumers, and cancel them at the end."""
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def level(consumer: Consumer) -> None:
    """Wait until the consumer has read everything."""

    async def is_level() -> bool:
        return (await consumer.lag()).behind == 0

    await eventually(is_level, 40)


async def test_it_says_how_far_it_is_in_entries_and_shows_it_to_kafka(ledger: Ledger, tmp_path: Path) -> None:
    bad, fail = failing(3)
    consumer = journalling(Sqlite(tmp_path / "x.db"), fail, ledger.feed)
    assert (await consumer.lag()).behind == 0
    await ledger.tell(Referred.type, "a", "b", "c", "d")
    assert (await consumer.lag()).behind == 4
    async with running(consumer):
        await level(consumer)
        await eventually(lambda: shown(ledger))
    lag = await consumer.lag()
    assert (lag.behind, lag.aside, lag.stopped) == (0, 1, None)
    await ledger.tell(Admitted.type, "a", "c")
    assert (await consumer.lag()).behind == 2
    async with running(consumer):
        await level(consumer)
    assert (await consumer.lag()).aside == 2
    bad.clear()
    assert await consumer.redrive(3)
    assert (await consumer.lag()).aside == 0


async def shown(ledger: Ledger) -> int:
    """The offset that Kafka has of the consumer."""
    assert ledger.engines.sasl
    looking = AIOKafkaConsumer(
        bootstrap_servers=ledger.engines.kafka, group_id=f"{ledger.partner}.journal", **login_of(ledger.engines.sasl)
    )
    await looking.start()
    try:
        return int(await looking.committed(TopicPartition(ledger.feed.topic, 0)) or 0)
    finally:
        await looking.stop()


async def test_where_it_reads_on_is_what_its_store_says_whatever_kafka_says(ledger: Ledger, tmp_path: Path) -> None:
    store = Sqlite(tmp_path / "x.db")
    await ledger.tell(Referred.type, "a", "b")
    consumer = journalling(store, feed=ledger.feed)
    async with running(consumer):
        await level(consumer)
    await ledger.tell(Admitted.type, "a")
    async with ledger.feed.reading(0, ledger.feed.group("journal")) as other:
        end = (await other.end_offsets([ledger.feed.partition]))[ledger.feed.partition]
        await other.commit({ledger.feed.partition: end})
    again, elsewhere = journalling(store, feed=ledger.feed), journalling(Sqlite(tmp_path / "y.db"), feed=ledger.feed)
    async with running(again, elsewhere):
        await level(again)
        await level(elsewhere)
    assert await places(store) == await places(elsewhere._store) == [1, 2, 3]


@pytest.mark.parametrize("kind", ["sqlite", "pymongo"])
async def test_two_copies_on_one_store_take_each_entry_once(
    kind: str, ledger: Ledger, engines: Engines, tmp_path: Path
) -> None:
    store = stores.make(kind, engines, tmp_path)
    other: Store = (
        Sqlite(store.path) if isinstance(store, Sqlite) else Mongo(AsyncMongoClient[Any](engines.mongo), "kit")
    )
    one, two = journalling(store, feed=ledger.feed), journalling(other, feed=ledger.feed)
    async with running(one, two):
        for each in range(12):
            await ledger.tell(Referred.type, f"p{each}")
        await level(one)
        await asyncio.sleep(0.5)  # time for the other to take something a second time
    assert await places(store) == list(range(1, 13))


async def test_a_topic_that_was_made_anew_is_read_on_without_a_gap_and_without_a_repeat(
    ledger: Ledger, engines: Engines, tmp_path: Path
) -> None:
    store = Sqlite(tmp_path / "x.db")
    consumer = journalling(store, feed=ledger.feed)
    old = ledger.values(*((Referred.type, f"p{each}") for each in range(6)))
    for each in old:
        await ledger.write(each)
    async with running(consumer):
        await level(consumer)
    await emptied(engines, ledger.feed.topic)
    new = ledger.values(*((Admitted.type, f"p{each}") for each in range(40)))
    await ledger.write(*old, *new)
    async with running(consumer):
        await level(consumer)
    assert await places(store) == list(range(1, 47))


async def emptied(engines: Engines, topic: str) -> None:
    """Delete the topic and create it again."""
    async with administrator(engines) as admin:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await eventually(gone)
    await make_topic(engines, topic)


@pytest.mark.parametrize("kind", ["sqlite", "motor"])
async def test_a_projection_is_built_anew_beside_the_live_one_and_readers_never_see_a_part(
    kind: str, ledger: Ledger, engines: Engines, tmp_path: Path
) -> None:
    store = stores.make(kind, engines, tmp_path)
    await ledger.many(30)
    consumer, seen = Consumer(Outcomes(), store, ledger.feed), list[int]()

    async def watch() -> None:
        while True:
            seen.append(len(await rows(store)))
            await asyncio.sleep(0.01)

    async with running(consumer):
        await level(consumer)
        watching = asyncio.create_task(watch())
        anew = asyncio.create_task(Consumer(Outcomes(), store, ledger.feed).rebuild())
        for each in range(30, 36):
            await ledger.tell(Referred.type, f"p{each}")
        assert await anew == 2
        await level(consumer)
        watching.cancel()
        await ledger.tell(ConsentWithdrawn.type, "p35")
        await level(consumer)
    assert len(await rows(store)) == 35
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (30, 36)


async def test_what_was_dismissed_stays_without_effect_when_the_projection_is_built_anew(
    ledger: Ledger, tmp_path: Path
) -> None:
    class Fragile(Outcomes):
        def handlers(self) -> Any:
            handler, handlers = super().handlers()[Admitted.type], super().handlers()

            def fail(event: Event[Any], changes: Any) -> None:
                if event.sequence == 2:
                    raise RuntimeError("a defect of the partner's")
                handler(event, changes)

            return handlers | {Admitted.type: fail}

    store = Sqlite(tmp_path / "x.db")
    await ledger.many(2)
    consumer = Consumer(Fragile(), store, ledger.feed)
    async with running(consumer):
        await level(consumer)
    assert [each.sequence for each in await consumer.dead()] == [2]
    await consumer.dismiss(2)
    mended = Consumer(Outcomes(), store, ledger.feed)
    assert await mended.rebuild() == 2
    found = await rows(store)
    assert (found["p0"]["admitted"], found["p1"]["admitted"]) == (None, "2027-01-11")
    with closing(sqlite3.connect(store.path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"kit", "outcomes_g2"}
    with pytest.raises(TypeError, match="only a projection"):
        await journalling(store, feed=ledger.feed).rebuild()
