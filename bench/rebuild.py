"""`rebuild` and `growth`: a projection of analytics from the topic, against bare aiokafka and orjson with the same bulk writes.

Ours is the consumer that `ama projections rebuild` runs on a new generation. The floor reads the same topic without a group, makes the
same rows, and writes rows, marks and offsets by the same bulk writes, a batch in a transaction. It reads no database.
"""

from statistics import median
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import ReplaceOne, UpdateOne

import analytics.app
from bench.consuming import filled, taken
from bench.ground import PROGRAMME, Ground
from bench.harness import Clock, Figure, Goal, figure, pairs
from bench.history import PATH, events
from services.events.bus.client import Bus
from services.events.inbox.projections import collection_of, consumer_of
from services.store.collections import prepare
from services.store.mongo import Store

GOALS = {
    "rebuild": Goal(0.65, "higher", "events/s"),
    "growth": Goal(0.9, "higher", "events/s"),
}
NAME, GENERATION = "path", 2
CONSUMER = consumer_of(GENERATION)
BATCH = 1_000
BLOCK = 2_000  # workers: of the few events as of the many, so that both are the same mix


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """Measure events per second."""
    figures = []
    if "rebuild" in names:
        number, rounds = (2_000, 1) if ground.quick else (30_000, 5)
        topic = await filled(ground, events(number, PROGRAMME, block=number // len(PATH)))  # every step of the path

        async def ours() -> float:
            return await _rebuilt(ground, topic, number)

        async def floor() -> float:
            return await _bare(ground, topic, number)

        figures.append(figure("rebuild", GOALS["rebuild"], *await pairs(ours, floor, rounds, ground.note)))
    if "growth" in names:
        figures.append(await _growth(ground))
    return figures


async def _growth(ground: Ground) -> Figure:
    """Measure few events before and after many, since the machine may be busier at the end than at the beginning.

    The few are a hundred batches: the first ones profit from what was fetched before the clock began, and were a third of ten batches.
    """
    few, many, times = (1_500, 3_000, 1) if ground.quick else (100_000, 1_000_000, 2)
    small, large = [await filled(ground, events(number, PROGRAMME, block=BLOCK)) for number in (few, many)]
    rates = [await _rebuilt(ground, small, few) for _ in range(times)]
    whole = await _rebuilt(ground, large, many)
    rates += [await _rebuilt(ground, small, few) for _ in range(times)]
    return figure("growth", GOALS["growth"], whole, median(rates))


async def _rebuilt(ground: Ground, topic: str, number: int) -> float:
    service = analytics.app.build(ground.settings())
    await prepare(service.store, service.aggregates)
    await service.read_models.prepare(GENERATION)
    start = service.read_models.starting(GENERATION, service.holder)
    clock = await taken(service, consumer_of(GENERATION), topic, start, number)
    await service.stop()
    return clock.rate


async def _bare(ground: Ground, topic: str, number: int) -> float:
    settings, clock = ground.settings(), Clock()
    store = Store(settings.mongo, settings.database_of("analytics"))
    await prepare(store, [])
    for field in ("person",):
        await store[collection_of(NAME, GENERATION)].create_index([("programme", 1), (field, 1)])
    consumer = AIOKafkaConsumer(
        **Bus(settings).client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, each) for each in range(6)])
    while clock.total < number:
        found = await consumer.getmany(timeout_ms=1_000, max_records=BATCH)
        records = [record for some in found.values() for record in some]
        if records:
            await _write(
                store, *_read(records, {place.partition: some[-1].offset + 1 for place, some in found.items()})
            )
            clock.tick(len(records))
    await consumer.stop()
    await store.close()
    return clock.rate


def _read(records: list[Any], offsets: dict[int, int]) -> tuple[list[Any], list[Any], list[Any]]:
    rows: dict[str, dict[str, Any]] = {}
    marks: dict[str, Any] = {}
    for record in records:
        event = orjson.loads(record.value)
        programme, subject = event["source"].split("/")[2], event["subject"]
        if facts := _facts(event):
            row = {"programme": programme, "person": subject, **facts}
            rows.setdefault(f"{programme}/{subject}", {}).update(row)
        key = f"{event['source']}|{subject}"
        marks[key] = {"consumer": CONSUMER, "subject_key": key, "sequence": int(event["sequence"]), "id": event["id"]}
    return (
        [UpdateOne({"_id": key}, {"$set": facts}, upsert=True) for key, facts in rows.items()],
        [ReplaceOne({"_id": f"{key}|{CONSUMER}"}, mark, upsert=True) for key, mark in marks.items()],
        [UpdateOne({"_id": partition}, {"$set": {"next": at}}, upsert=True) for partition, at in offsets.items()],
    )


def _facts(event: dict[str, Any]) -> dict[str, Any]:
    data, time = event["data"], event["time"]
    match event["type"].split(".")[3:5]:
        case ["worker", "referred"]:
            return {"worker": event["subject"], "partner": data["partner"], "referred": time}
        case ["consent", "changed"]:
            return {}  # the gate takes it
        case _:
            return {"admitted": time}


async def _write(store: Store, rows: list[Any], marks: list[Any], offsets: list[Any]) -> None:
    async with await store.db.client.start_session() as session, session.start_transaction():
        if rows:  # a batch may hold decisions of consent alone
            await store[collection_of(NAME, GENERATION)].bulk_write(rows, ordered=False, session=session)
        await store["marks"].bulk_write(marks, ordered=False, session=session)
        await store["offsets"].bulk_write(offsets, ordered=False, session=session)
