"""`latency_p50` and `latency_p99`: from a command to the figure that it changes, at 100 commands a second; `latency_p50_10` at 10.

Ours is two processes, `ama serve enrolment` (api, relay) and `ama serve analytics` (consume): from the moment at which a request was due
to the moment at which the worker's row of analytics can be read. The floor is one process without HTTP: transaction, change stream,
produce, consume, upsert, each at once and alone. Both ends are seen in the same way, by a change stream on the rows.

The command is a refusal: it changes one row of analytics' `path`, and can be done once for each worker.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.calling import Connection, issuing, serving
from bench.commands import connected, refer
from bench.ground import PROGRAMME, Ground
from bench.harness import Figure, Goal, figure, in_turn, middle, percentile
from services.events.bus.client import Bus
from services.kernel import new_id
from services.store.mongo import Document, Store

GOALS = {
    "latency_p50": Goal(2.3, "lower", "ms"),
    "latency_p99": Goal(4, "lower", "ms"),
    "latency_p50_10": Goal(2.3, "lower", "ms"),
}
FAST, SLOW = 0.01, 0.1  # seconds between commands
MOST = 500  # commands of one measurement
PATIENCE = 120.0  # seconds until the last is seen


class Latency(NamedTuple):
    """Latencies in milliseconds, at the median and the 99th percentile."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} and {self.p99:.1f} ms"


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """Measure the latencies of ours and the floor."""
    number, few, rounds = (40, 10, 1) if ground.quick else (MOST, 100, 5)
    async with AsyncExitStack() as held:
        chain = await held.enter_async_context(_chain(ground, rounds * (number + few)))
        bare = await held.enter_async_context(_bare_chain(ground, await chain.documents()))

        async def at(apart: float, commands: int) -> list[tuple[Latency, Latency]]:
            return await in_turn(
                lambda: chain.measure(apart, commands), lambda: bare.measure(apart, commands), rounds, ground.note
            )

        fast = await at(FAST, number) if {"latency_p50", "latency_p99"} & {*names} else []
        slow = await at(SLOW, few) if "latency_p50_10" in names else []
    pairs = {
        "latency_p50": [(ours.p50, floor.p50) for ours, floor in fast],
        "latency_p99": [(ours.p99, floor.p99) for ours, floor in fast],
        "latency_p50_10": [(ours.p50, floor.p50) for ours, floor in slow],
    }
    return [figure(each, GOALS[each], *middle(pairs[each])) for each in names]


@dataclass
class _Seen:
    """The moment at which each row could be read."""

    rows: Any
    moments: dict[str, float] = field(default_factory=dict)

    async def follow(self, ready: asyncio.Event) -> None:
        """Note the moment of each change until cancelled."""
        async with self.rows.watch([{"$project": {"documentKey": 1}}], max_await_time_ms=1000) as stream:
            await stream.try_next()
            ready.set()
            async for change in stream:
                self.moments[change["documentKey"]["_id"]] = time.perf_counter()


async def _latency(
    rows: Any, keys: list[str], apart: float, act: Callable[[int], Coroutine[Any, Any, None]]
) -> Latency:
    """Act every `apart` seconds, whether or not earlier acts are done. A late start of an act counts as latency."""
    seen, ready, due = _Seen(rows), asyncio.Event(), dict[str, float]()
    async with asyncio.TaskGroup() as acts:
        following = acts.create_task(seen.follow(ready))
        await ready.wait()
        began, tasks = time.perf_counter(), list[asyncio.Task[None]]()
        for at, key in enumerate(keys):
            due[key] = began + at * apart
            await asyncio.sleep(due[key] - time.perf_counter())
            tasks.append(acts.create_task(act(at)))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*tasks)
            while not seen.moments.keys() >= {*keys}:
                await asyncio.sleep(0.05)
        following.cancel()
    took = [1000 * (seen.moments[key] - due[key]) for key in keys]
    return Latency(percentile(took, 0.50), percentile(took, 0.99))


@dataclass
class _Chain:
    """The services: a command through HTTP to a row of analytics. `workers`: those that are not refused yet."""

    port: int
    token: str
    workers: list[str]
    enrolment: Store
    analytics: Store

    async def measure(self, apart: float, number: int) -> Latency:
        """Refuse so many workers."""
        workers, self.workers = self.workers[:number], self.workers[number:]
        free: asyncio.Queue[Connection] = asyncio.Queue()

        async def act(at: int) -> None:
            caller = await free.get()
            await caller("POST", f"/enrolment/workers/{workers[at]}/refusal")
            free.put_nowait(caller)

        async with connected(self.port, self.token) as callers:
            for caller in callers:
                free.put_nowait(caller)
            keys = [f"{PROGRAMME}/{worker}" for worker in workers]
            return await _latency(self.analytics["path.g1"], keys, apart, act)

    async def documents(self) -> tuple[list[Document], Document]:
        """The documents of the workers, and an outbox row of one of them."""
        found = await self.enrolment["worker"].find({}).limit(MOST).to_list(None)
        outbox_row = await self.enrolment["outbox"].find_one({"topic": "ama.enrolment"})
        return found, outbox_row


@asynccontextmanager
async def _chain(ground: Ground, number: int) -> AsyncIterator[_Chain]:
    async with AsyncExitStack() as held:
        issuer = await held.enter_async_context(issuing(ground))
        settings = ground.settings(issuer=issuer.url)
        port = (await held.enter_async_context(serving(ground, settings, "enrolment", "api,relay"))).port
        await held.enter_async_context(serving(ground, settings, "analytics", "consume"))
        enrolment, analytics = (
            Store(settings.mongo, settings.database_of(each)) for each in ("enrolment", "analytics")
        )
        held.push_async_callback(enrolment.close)
        held.push_async_callback(analytics.close)
        token = issuer.token("operator", PROGRAMME, "operator-1")
        workers = list[str]()
        async with connected(port, token) as callers:
            while len(workers) < number:
                workers += await asyncio.gather(*(refer(caller) for caller in callers[: number - len(workers)]))
        while await analytics["path.g1"].count_documents({}) < number:
            await asyncio.sleep(0.1)
        yield _Chain(port, token, workers, enrolment, analytics)


@dataclass
class _BareChain:
    """The floor: transaction, change stream, topic and row without a service."""

    store: Store
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    topic: str
    workers: list[Document]
    outbox_row: Document

    async def measure(self, apart: float, number: int) -> Latency:
        """Write the document of each of so many workers once more."""
        opened = asyncio.Event()
        moving = [asyncio.create_task(self._produce(opened)), asyncio.create_task(self._consume())]
        await opened.wait()
        try:
            keys = [each["_id"] for each in self.workers[:number]]
            return await _latency(self.store["rows"], keys, apart, self._act)
        finally:
            for task in moving:
                task.cancel()
            await asyncio.wait(moving)

    async def _act(self, at: int) -> None:
        before = self.workers[at]
        after = self.workers[at] = {**before, "version": before["version"] + 1}
        outbox_row = {**self.outbox_row, "_id": new_id(), "key": before["_id"]}
        async with await self.store.db.client.start_session() as session, session.start_transaction():
            await self.store["worker"].replace_one(
                {"_id": before["_id"], "version": before["version"]}, after, session=session
            )
            await self.store["outbox"].insert_one(outbox_row, session=session)

    async def _produce(self, opened: asyncio.Event) -> None:
        async with self.store["outbox"].watch([{"$match": {"operationType": "insert"}}]) as stream:
            await stream.try_next()
            opened.set()
            async for change in stream:
                outbox_row = change["fullDocument"]
                await self.producer.send(self.topic, value=outbox_row["value"], key=outbox_row["key"].encode())

    async def _consume(self) -> None:
        async for record in self.consumer:
            event = orjson.loads(record.value)
            facts = {"programme": PROGRAMME, "id": event["id"], "at": time.time()}
            await self.store["rows"].update_one({"_id": record.key.decode()}, {"$set": facts}, upsert=True)


@asynccontextmanager
async def _bare_chain(ground: Ground, documents: tuple[list[Document], Document]) -> AsyncIterator[_BareChain]:
    settings, topic = ground.settings(), await ground.topic()
    store, client = Store(settings.mongo, settings.database_of("bare")), Bus(settings).client()
    producer = AIOKafkaProducer(**client, acks="all")
    consumer = AIOKafkaConsumer(topic, **client, auto_offset_reset="earliest", enable_auto_commit=False)
    await store["worker"].insert_many(documents[0])
    for name in ("outbox", "rows"):
        await store.make(name)
    await producer.start()
    await consumer.start()
    try:
        yield _BareChain(store, producer, consumer, topic, *documents)
    finally:
        await consumer.stop()
        await producer.stop()
        await store.close()
