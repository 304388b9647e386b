"""A running consumer: it reads on from its stored offsets, reports its progress, and retries parked events.

Invariants:

- Only the transaction that took a record acknowledges it.
- On assignment, a partition is read from the offset that is stored with the effects.
- A partition that was refilled after a loss is read again from its first record; marks drop what was taken before.
- A consumer that `follows` another takes a record only after that one has taken it, and what is before it in its partition.
- Any error that reaches this module ends the process, because FastStream would go on with the next batch.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka import KafkaBroker

from services.events.bus.client import Bus, Records
from services.events.bus.workarounds import failure_of
from services.events.delivery.state import BatchResult, ParkedStatus, Partition, Record
from services.events.delivery.take import take
from services.events.inbox.assignment import begin_partitions
from services.events.inbox.batches import Batches, Start
from services.events.inbox.documents import offset_document, offset_id
from services.events.inbox.progress import Progress
from services.events.outbox.acknowledged import generation_of
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import Document, Store, UpdateOne
from services.store.unasked import until_asked
from services.telemetry import Metrics

log = logging.getLogger(__name__)
LOOK = 5.0  # seconds in which Kafka must tell positions and ends
PARKED_EVERY = 0.1  # seconds between tries of parked events
IDLE_EVERY = 2.0  # the same, while nothing is parked that could be tried
BACK = 16  # records; a reader begins so far before its offset, to see whether the partition was refilled meanwhile


@dataclass(eq=False)
class ConsumerRunner(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One consumer of one service. `fatal` is called with the error that must end the process; see `Batches` for the other fields."""

    name: str
    topics: Sequence[str]
    store: Store
    bus: Bus
    start: Start
    metrics: Metrics
    fatal: Callable[[BaseException], None]
    alike: int
    taking: Callable[..., Awaitable[BatchResult]] = take
    concerns: Callable[[Record], bool] | None = None
    follows: "ConsumerRunner | None" = None
    progress: Progress = field(default_factory=Progress)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _batches: Batches = field(init=False)
    _in_progress: int = 0
    _subscriber: Any = None
    _task: asyncio.Task[None] | None = None
    _generations: dict[Partition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = self.name, self.store, self.start, self.metrics, self.alike, self.taking, self.concerns
        self._batches = Batches(*given, progress=self.progress)

    async def run_on(self, broker: KafkaBroker) -> None:
        self._subscriber = self.bus.subscribe(broker, self.topics, f"{self.store.name}.{self.name}", self._batch, self)
        await self._subscriber.start()
        name = f"parked of {self.name}"
        self._task = asyncio.create_task(
            until_asked(self._look_at_parked, name, self._batches.stopping.is_set), name=name
        )

    async def stop(self) -> None:
        """Finish the current batch, unless it waits for an engine or has failed, and leave the group."""
        self._batches.stopping.set()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._subscriber is not None:
            async with self._lock:
                pass  # the current batch is done; one that comes now is not taken, and must not wait for the lock
            await self._subscriber.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Only tell it: the current batch commits at its offset, or finds that another copy has committed it."""
        self.progress.drop([(each.topic, each.partition) for each in revoked])

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read on from the stored offsets. Until they are known the partitions are paused, or aiokafka would begin where it likes."""
        consumer = self._subscriber.consumer
        self._batches.memory.forget()
        consumer.pause(*assigned)
        places = [(each.topic, each.partition) for each in assigned]
        try:
            # Before the first record, because an erasure conflicts with a consumer by the documents that are there.
            kept = await self._batches.patiently(partial(begin_partitions, self.store, self.name, places))
            for each in assigned:
                stored = kept.get(self._offset_id(each.topic, each.partition), {})
                self._generations[each.topic, each.partition] = stored.get("generation", 0)
                consumer.seek(each, max(0, stored.get("next", 0) - BACK))
                self.progress.hold({(each.topic, each.partition): stored.get("next", 0)})
            consumer.resume(*assigned)
        except Exception as error:
            if not self._batches.stopping.is_set():
                self.fatal(error)  # aiokafka would swallow it and leave the partitions paused for ever
            raise

    async def places(self) -> dict[Partition, int]:
        """The next offset to read of each partition that this copy holds, after the current batch, however long that takes."""
        consumer = self._subscriber.consumer
        async with self._lock:
            return {each: await consumer.position(each) for each in (consumer.assignment() if consumer else ())}

    def _offset_id(self, topic: str, partition: int) -> str:
        return offset_id(self.name, (topic, partition))

    async def level(self) -> tuple[int, int]:
        """Records taken and records there are now, over the partitions that this copy holds. Never waits for a batch, which may hang."""
        if (consumer := self._subscriber.consumer) is None:
            # Unknown counts as behind, so that nobody takes it for the end.
            return 0, 1
        held = list(consumer.assignment())
        try:
            async with asyncio.timeout(LOOK):  # a partition that is being handed over has no position yet
                ends = await consumer.end_offsets(held) if held else {}
                read = [min(await consumer.position(each), ends[each]) for each in held]
        except (TimeoutError, IllegalStateError):
            return 0, 1
        # aiokafka's position counts all records that it gave out, also those that are not taken yet.
        return max(0, sum(read) - self._in_progress), sum(ends.values()) if held else 1

    def holds_all(self) -> bool:
        """True when it holds partitions of every topic. `level` does not count a topic that Kafka's metadata does not have yet."""
        consumer = self._subscriber.consumer
        return consumer is not None and {each.topic for each in consumer.assignment()} >= {*self.topics}

    async def behind(self) -> int:
        """Records that are not taken, over the partitions that this copy holds; 0 when it holds none."""
        read, there = await self.level()
        return max(0, there - read) if self._subscriber.consumer and self._subscriber.consumer.assignment() else 0

    async def caught_up(self) -> bool:
        """True when everything that was there at this moment is taken and no event is to be tried again."""
        read, there = await self.level()
        return read >= there and not await self._any_retried()

    async def _any_retried(self) -> bool:
        return await self.store["parked"].find_one(self._retried, {"_id": 1}) is not None

    @property
    def _retried(self) -> Document:
        return {"consumer": self.name, "status": ParkedStatus.NOT_YET}

    async def _batch(self, consumed: Records) -> None:
        records = [Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in consumed]
        self._in_progress = len(records)
        try:
            # What was taken before the cancellation is dropped as a repeat.
            await until_asked(partial(self._take, records), f"batch of {self.name}", self._batches.stopping.is_set)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # FastStream would swallow it and go on
            self.fatal(error)
            # Without returning: FastStream would give out the next batch before the process has ended.
            await self._batches.stopping.wait()
        finally:
            self._in_progress = 0

    async def _take(self, records: Sequence[Record]) -> None:
        await self._follow(records)
        async with self._lock:
            if not self._batches.stopping.is_set():
                refilled = await self._begin_again(records)
                await self._batches.take([each for each in records if (each.topic, each.partition) not in refilled])

    async def _follow(self, records: Sequence[Record]) -> None:
        """Wait until the consumer that goes first has taken these records too. It waits behind nothing, so it is ahead almost always."""
        if self.follows is None:
            return
        wanted: dict[Partition, int] = {}
        for each in records:
            if each.topic in self.follows.topics:
                place = (each.topic, each.partition)
                wanted[place] = max(wanted.get(place, 0), each.offset + 1)
        ahead = partial(self._not_stored, self.follows.name)
        await self.follows.progress.wait_for(wanted, ahead, self._batches.stopping)

    async def _not_stored(self, consumer: str, wanted: dict[Partition, int]) -> dict[Partition, int]:
        """Those of the wanted offsets that the consumer has not stored, whichever copy runs it."""
        ids = {offset_id(consumer, each): each for each in wanted}
        stored = await self._batches.patiently(partial(self.store.by_id, "offsets", list(ids)))
        return {each: wanted[each] for id, each in ids.items() if stored.get(id, {}).get("next", 0) < wanted[each]}

    async def _begin_again(self, records: Sequence[Record]) -> set[Partition]:
        """Read refilled partitions again from their first record, and return them: records before this reader's offset may be new."""
        found: dict[Partition, int] = {}
        for each in records:
            place = (each.topic, each.partition)
            found[place] = max(found.get(place, 0), generation_of(each))
        refilled = {
            place: generation for place, generation in found.items() if generation > self._generations.get(place, 0)
        }
        for (topic, partition), generation in refilled.items():
            where: dict[str, Any] = {"topic": topic, "partition": partition}
            log.warning("partition was refilled: reading it again", extra={"consumer": self.name, **where})
            # Stored before the seek, so that a copy that takes over now also begins at the first record.
            start = offset_document(self.name, (topic, partition), 0)
            start["generation"] = generation
            write = UpdateOne({"_id": start["_id"]}, {"$set": start}, upsert=True)
            await self._batches.patiently(
                partial(self.store.transaction, partial(self.store.write, "offsets", [write]))
            )
            self._batches.memory.forget()
            self.progress.hold({(topic, partition): 0})
            self._generations[topic, partition] = generation
            self._subscriber.consumer.seek(TopicPartition(topic, partition), 0)
        return set(refilled)

    async def _look_at_parked(self) -> None:
        """Retry parked events for as long as the consumer runs. End the process when a task of aiokafka has died."""
        while True:
            await asyncio.sleep(PARKED_EVERY if self._batches.parked else IDLE_EVERY)
            if (dead := failure_of(self._subscriber.consumer)) is not None:
                self.fatal(dead)
                return
            try:
                await self._retry_due()
            except Exception as error:  # noqa: BLE001  # given to the process, which ends or starts again
                if not is_transient(error):
                    self.fatal(error)
                    return
                self._batches.warn("parked events cannot be read", error)

    async def _retry_due(self) -> None:
        if not self._batches.parked and not await self._any_retried():
            return
        # Another copy retries the events of its own partitions; two that try the same event would conflict.
        held = {(each.topic, each.partition) for each in self._subscriber.consumer.assignment()}
        due = self.store["parked"].find({**self._retried, "retry": {"$lte": now_utc()}}).sort("retry", 1).limit(500)
        keys = [each["subject_key"] async for each in due if (each["topic"], each["partition"]) in held]
        if keys:
            async with self._lock:
                await self._batches.take((), list(dict.fromkeys(keys)))
        else:
            self._batches.parked = await self._any_retried()
