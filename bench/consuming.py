"""The `ConsumerRunner` of the services on a topic of a benchmark. Its rate is taken between its commits."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial

from aiokafka import AIOKafkaProducer

from bench.ground import Ground
from bench.harness import Clock
from bench.history import fill
from services.contracts import decode
from services.events.bus.client import Bus
from services.events.delivery.take import take
from services.events.inbox.batches import Start
from services.events.inbox.runner import ConsumerRunner
from services.runtime.service import Service
from services.telemetry import Metrics

PATIENCE = 1800.0  # seconds
# A topic of a benchmark is its own, so the events on it belong on another one.
TAKING = partial(take, reading=lambda _, value: decode(value))


class Taken(Metrics):
    """Metrics that count committed events on a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("bench")
        self.clock = clock

    def took(self, consumer: str, counts: Mapping[str, int]) -> None:
        """Count the events that are done with, without repeats."""
        super().took(consumer, counts)
        # An event that nothing handles moves its mark all the same.
        if done := counts.get("taken", 0) + counts.get("ignored", 0):
            self.clock.tick(done)


async def filled(ground: Ground, records: Iterator[tuple[str, bytes]]) -> str:
    """Make a topic with these records. Returns its name."""
    topic = await ground.topic()
    producer = AIOKafkaProducer(**Bus(ground.settings()).client(), acks="all", max_batch_size=128 * 1024)
    await producer.start()
    await fill(producer, topic, records)
    await producer.stop()
    return topic


async def taken(service: Service, name: str, topic: str, start: Start, number: int) -> Clock:
    """Let a consumer take `number` events of the topic. Returns the clock."""
    clock = Clock()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    broker = service.bus.broker([service.metrics.middleware()])
    await broker.start()
    alike = service.settings.alike
    runner = ConsumerRunner(
        name, [topic], service.store, service.bus, start, Taken(clock), failed.set_exception, alike, TAKING
    )
    await runner.run_on(broker)
    try:
        async with asyncio.timeout(PATIENCE):
            while clock.total < number and not failed.done():
                await asyncio.sleep(0.01)
        if failed.done():
            failed.result()
    finally:
        await runner.stop()
        await broker.stop()
    return clock
