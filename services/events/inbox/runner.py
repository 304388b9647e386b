"""A consumer that runs: where it reads on, how far it is, what waits and is looked at again.

Invariants: nothing is acknowledged but by the transaction that took it; on assignment a partition is read from the offset kept with the
effects; one that was refilled after a loss is read again from its first record, and marks drop what was taken; whatever escapes stops the
process, since FastStream would go on with the next batch.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka import KafkaBroker

from services.events.bus.client import Bus, Records, failure_of
from services.events.delivery.state import Letter
from services.events.inbox.batches import Batches, Start
from services.events.outbox.acknowledged import generation_of
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import Store, UpdateOne
from services.telemetry import Metrics

log = logging.getLogger(__name__)
LOOK = 5.0  # seconds for a look at how far it is
PARKED_EVERY = 0.1  # seconds between looks at what is parked
BACK = 16  # records: so far before its place a reader begins, to see whether what stands there is what stood there


@dataclass(eq=False)
class ConsumerRunner(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One consumer of one service: what it is given is for `Batches`, but topics, bus, and whom to tell of an end."""

    name: str
    topics: Sequence[str]
    store: Store
    bus: Bus
    start: Start
    metrics: Metrics
    fatal: Callable[[BaseException], None]
    alike: int
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _batches: Batches = field(init=False)
    _in_hand: int = 0
    _subscriber: Any = None
    _task: asyncio.Task[None] | None = None
    _generations: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._batches = Batches(self.name, self.store, self.start, self.metrics, self.alike)

    async def run_on(self, broker: KafkaBroker) -> None:
        """Subscribe, and start."""
        self._subscriber = self.bus.subscribe(broker, self.topics, f"{self.store.name}.{self.name}", self._batch, self)
        await self._subscriber.start()
        self._task = asyncio.create_task(self._look_at_parked(), name=f"parked of {self.name}")

    async def stop(self) -> None:
        """Finish the batch in hand, unless it waits for an engine or has failed, and leave the group."""
        self._batches.stopping.set()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._subscriber is not None:
            async with self._lock:
                pass  # the batch in hand is done; one that comes now is left, and must not wait for the lock
            await self._subscriber.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to do: a batch in hand either commits where it stood, or finds that another copy did."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read on from where the effects are. Until that is known nothing is read, or it would be from a place of aiokafka's own."""
        consumer = self._subscriber.consumer
        consumer.pause(*assigned)
        wanted = [self._place(each.topic, each.partition) for each in assigned]
        try:
            kept = await self._batches.patiently(partial(self.store.by_id, "offsets", wanted))
            for each in assigned:
                stored = kept.get(self._place(each.topic, each.partition), {})
                self._generations[each.topic, each.partition] = stored.get("generation", 0)
                consumer.seek(each, max(0, stored.get("next", 0) - BACK))
            consumer.resume(*assigned)
        except Exception as error:
            if not self._batches.stopping.is_set():
                self.fatal(error)  # aiokafka would swallow it, and leave them paused for ever
            raise

    async def places(self) -> dict[tuple[str, int], int]:
        """What it reads next of each partition this copy holds, between two batches, however long one takes."""
        consumer = self._subscriber.consumer
        async with self._lock:
            return {each: await consumer.position(each) for each in (consumer.assignment() if consumer else ())}

    def _place(self, topic: str, partition: int) -> str:
        return f"{self.name}|{topic}|{partition}"

    async def level(self) -> tuple[int, int]:
        """How many records were taken of how many there are now, over the partitions this copy holds. Waits for no batch: it may hang."""
        if (consumer := self._subscriber.consumer) is None:
            return 0, 1
        held = list(consumer.assignment())
        try:
            async with asyncio.timeout(LOOK):  # a partition that is just being handed over has no position to wait for
                ends = await consumer.end_offsets(held) if held else {}
                read = [min(await consumer.position(each), ends[each]) for each in held]
        except (TimeoutError, IllegalStateError):
            return 0, 1
        return max(0, sum(read) - self._in_hand), sum(ends.values()) if held else 1

    def holds_all(self) -> bool:
        """Whether it holds of every topic: what Kafka's metadata lacks at first comes with a later assignment, and counts for nothing
        in `level` until then."""
        consumer = self._subscriber.consumer
        return consumer is not None and {each.topic for each in consumer.assignment()} >= {*self.topics}

    async def behind(self) -> int:
        """How many records of the partitions this copy holds it has not taken; 0 when it holds none."""
        read, there = await self.level()
        return max(0, there - read) if self._subscriber.consumer and self._subscriber.consumer.assignment() else 0

    async def caught_up(self) -> bool:
        """Whether everything that was there at this moment is taken and nothing waits its turn."""
        read, there = await self.level()
        waiting = await self.store["parked"].find_one({"consumer": self.name, "why": {"$regex": "^not yet"}})
        return read >= there and waiting is None

    async def _batch(self, records: Records) -> None:
        letters = [Letter(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
        self._in_hand = len(letters)
        try:
            async with self._lock:
                if not self._batches.stopping.is_set():
                    anew = await self._begin_anew(letters)
                    await self._batches.take([each for each in letters if (each.topic, each.partition) not in anew])
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # FastStream would swallow it and go on
            self.fatal(error)
            await self._batches.stopping.wait()
        finally:
            self._in_hand = 0

    async def _begin_anew(self, letters: Sequence[Letter]) -> set[tuple[str, int]]:
        """The partitions that were refilled since they were read: what was before this reader's place may be new to it."""
        found: dict[tuple[str, int], int] = {}
        for each in letters:
            place = (each.topic, each.partition)
            found[place] = max(found.get(place, 0), generation_of(each))
        anew = {place: made for place, made in found.items() if made > self._generations.get(place, 0)}
        for (topic, partition), made in anew.items():
            where: dict[str, Any] = {"topic": topic, "partition": partition}
            log.warning("partition was refilled: reading it again", extra={"consumer": self.name, **where})
            start = {**where, "next": 0, "generation": made}
            write = UpdateOne({"_id": self._place(topic, partition)}, {"$set": start}, upsert=True)
            await self._batches.patiently(
                partial(self.store.transaction, partial(self.store.write, "offsets", [write]))
            )
            self._generations[topic, partition] = made
            self._subscriber.consumer.seek(TopicPartition(topic, partition), 0)
        return set(anew)

    async def _look_at_parked(self) -> None:
        """Try again what waits for something that came by another road."""
        while True:
            await asyncio.sleep(PARKED_EVERY if self._batches.parked else 2.0)
            if (dead := failure_of(self._subscriber.consumer)) is not None:
                self.fatal(dead)
                return
            try:
                await self._retry_due()
            except Exception as error:  # noqa: BLE001  # told to the process, which ends or begins again
                if not is_transient(error):
                    self.fatal(error)
                    return
                self._batches.tell("what is parked cannot be looked at", error)

    async def _retry_due(self) -> None:
        waiting = {"consumer": self.name, "why": {"$regex": "^not yet"}}
        held = {(each.topic, each.partition) for each in self._subscriber.consumer.assignment()}
        due = self.store["parked"].find({**waiting, "retry": {"$lte": now_utc()}}).sort("retry", 1).limit(500)
        keys = [each["subject_key"] async for each in due if (each["topic"], each["partition"]) in held]
        if keys:
            async with self._lock:
                await self._batches.take((), list(dict.fromkeys(keys)))
        else:
            self._batches.parked = await self.store["parked"].find_one(waiting) is not None
