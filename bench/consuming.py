"""Our consumer on a topic of a bench: the `ConsumerRunner` that every service runs, its rate taken between its commits."""

import asyncio
from collections.abc import Iterator, Mapping

from aiokafka import AIOKafkaProducer

from bench.ground import Ground
from bench.harness import Clock
from bench.history import fill
from services.events.bus.client import Bus
from services.events.inbox.batches import Start
from services.events.inbox.runner import ConsumerRunner
from services.runtime.service import Service
from services.telemetry import Metrics

PATIENCE = 1800.0  # seconds


class Taken(Metrics):
    """Tells a clock what was taken, once it is committed."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("bench")
        self.clock = clock

    def took(self, consumer: str, counts: Mapping[str, int]) -> None:
        """Count what took effect, and not what came twice."""
        super().took(consumer, counts)
        if counts.get("taken"):
            self.clock.tick(counts["taken"])


async def told(ground: Ground, records: Iterator[tuple[str, bytes]]) -> str:
    """A topic with these records."""
    topic = await ground.topic()
    producer = AIOKafkaProducer(**Bus(ground.settings()).client(), acks="all", max_batch_size=128 * 1024)
    await producer.start()
    await fill(producer, topic, records)
    await producer.stop()
    return topic


async def taken(service: Service, name: str, topic: str, start: Start, number: int) -> Clock:
    """Have a consumer take so many events of the topic."""
    clock = Clock()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    broker = service.bus.broker([service.metrics.middleware()])
    await broker.start()
    alike = service.settings.alike
    runner = ConsumerRunner(name, [topic], service.store, service.bus, start, Taken(clock), failed.set_exception, alike)
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
