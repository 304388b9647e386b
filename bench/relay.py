"""`relay`: the relay of the services, against a bare producer that reads the same documents.

Ours follows the outbox's change stream and sends in Kafka transactions under a lease. The floor reads the outbox by its index and sends
as fast as the broker takes it; it fences nobody and stores no position. Both begin with everything stored.
"""

import asyncio
import time

from aiokafka import AIOKafkaProducer

from bench.ground import PROGRAMME, Ground
from bench.harness import Clock, Figure, Goal, figure, pairs
from bench.history import events
from services.contracts import decode
from services.contracts.envelope import CONTENT_TYPE
from services.events.bus.client import Bus
from services.events.outbox.relay import Relay
from services.kernel import new_id
from services.store.collections import prepare
from services.store.mongo import Store
from services.telemetry import Metrics

GOALS = {"relay": Goal(0.60, "higher", "events/s")}
READ = 2_000  # documents that the floor reads and sends at once
PATIENCE = 600.0  # seconds


class Counted(Metrics):
    """Metrics that count committed records on a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("bench")
        self.clock = clock

    def relayed(self, number: int) -> None:
        self.clock.tick(number)


async def measure(ground: Ground, names: list[str]) -> list[Figure]:  # noqa: ARG001  # there is one
    """Measure events per second, from the start until the last one is acknowledged."""
    number, rounds = (3_000, 1) if ground.quick else (60_000, 5)
    stored = list(events(number, PROGRAMME))

    async def ours() -> float:
        return await _relayed(ground, stored)

    async def floor() -> float:
        return await _sent(ground, stored)

    return [figure("relay", GOALS["relay"], *await pairs(ours, floor, rounds, ground.note))]


async def _outbox(store: Store, topic: str, stored: list[tuple[str, bytes]]) -> None:
    headers = [["content-type", CONTENT_TYPE]]
    for begin in range(0, len(stored), 5_000):
        await store["outbox"].insert_many(
            [
                {
                    "_id": new_id(),
                    "programme": PROGRAMME,
                    "topic": topic,
                    "key": key,
                    "value": value,
                    "headers": headers,
                    "sequence": decode(value).sequence,
                }
                for key, value in stored[begin : begin + 5_000]
            ]
        )


async def _relayed(ground: Ground, stored: list[tuple[str, bytes]]) -> float:
    """Run a relay that has run before, and finds the events since its last token."""
    settings, clock = ground.settings(), Clock()
    store = Store(settings.mongo, settings.database_of("bench"))
    await prepare(store, [])
    relay = Relay("bench", store, Bus(settings), settings, Counted(clock))
    await _run(relay, store, clock, 0)
    await relay.release()
    await _outbox(store, await ground.topic(), stored)
    began = time.perf_counter()
    await _run(relay, store, clock, len(stored))
    took = time.perf_counter() - began
    await store.close()
    return len(stored) / took


async def _run(relay: Relay, store: Store, clock: Clock, number: int) -> None:
    """Run the relay until it has saved a token and sent `number` events."""
    task = asyncio.create_task(relay.run())
    async with asyncio.timeout(PATIENCE):
        while clock.total < number or not ((await store["relay"].find_one({})) or {}).get("token"):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])


async def _sent(ground: Ground, stored: list[tuple[str, bytes]]) -> float:
    settings = ground.settings()
    store = Store(settings.mongo, settings.database_of("bench"))
    await prepare(store, [])
    await _outbox(store, await ground.topic(), stored)
    began = time.perf_counter()
    producer = AIOKafkaProducer(**Bus(settings).client(), acks="all", max_batch_size=128 * 1024)
    await producer.start()
    cursor = store["outbox"].find().sort([("sequence", 1), ("_id", 1)]).batch_size(READ)
    while documents := await cursor.to_list(READ):
        futures = [
            await producer.send(
                each["topic"],
                value=each["value"],
                key=each["key"].encode(),
                headers=[tuple(h) for h in each["headers"]],
            )
            for each in documents
        ]
        await asyncio.gather(*futures)
    took = time.perf_counter() - began
    await producer.stop()
    await store.close()
    return len(stored) / took
