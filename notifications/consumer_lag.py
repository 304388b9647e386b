"""The lag of this service's gate on its topic, whichever of its copies consumes it.

Invariant: lag is the age of the oldest record that was not consumed, not a number of records. A partition ends with the marker of a
transaction, which nobody consumes, and under load there is always something to consume.
"""

import time
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.contracts.topics import PARTITIONS
from services.events.bus.client import Bus
from services.events.inbox.documents import offset_id
from services.store.mongo import Store

CONSUMER = "gate"
WAIT = 20  # milliseconds for a record, before checking whether there was only a marker
PATIENCE = 2.0  # seconds after which the bus counts as away


class ConsumerLag:
    """An async context manager, since it holds a connection."""

    def __init__(self, store: Store, bus: Bus, topic: str) -> None:
        self._store = store
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._reader: AIOKafkaConsumer = bus.reader(isolation_level="read_uncommitted", fetch_max_wait_ms=50)
        self._markers: dict[TopicPartition, tuple[int, int]] = {}  # offsets between which there are markers only

    async def __aenter__(self) -> Self:
        await self._reader.start()
        self._reader.assign(self._partitions)
        self._reader.pause(*self._partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.stop()

    async def exceeds(self, seconds: float) -> bool:
        """True when a record has waited longer than that to be consumed."""
        stored, ends = await self._stored_offsets(), await self._reader.end_offsets(self._partitions)
        spans = {each: (stored.get(each, 0), ends[each]) for each in self._partitions}
        open_ = {each: span for each, span in spans.items() if span[0] < span[1] and self._markers.get(each) != span}
        oldest = await self._oldest(open_) if open_ else None
        return oldest is not None and time.time() - oldest > seconds

    async def _stored_offsets(self) -> dict[TopicPartition, int]:
        ids = {offset_id(CONSUMER, (each.topic, each.partition)): each for each in self._partitions}
        return {ids[_id]: found["next"] for _id, found in (await self._store.by_id("offsets", list(ids))).items()}

    async def _oldest(self, spans: dict[TopicPartition, tuple[int, int]]) -> float | None:
        """The time of the oldest of the first records of these spans, in seconds since 1970; None when there are markers only. A record
        that does not arrive in time counts as very old: better to wait than to deliver."""
        sent: list[float] = []
        for each, (start, _) in spans.items():
            self._reader.seek(each, start)
        self._reader.resume(*spans)
        deadline = time.monotonic() + PATIENCE
        while spans and time.monotonic() < deadline:
            found = await self._reader.getmany(*spans, timeout_ms=WAIT)
            sent += [records[0].timestamp / 1000 for records in found.values() if records]
            read = {each: span for each, span in spans.items() if await self._reader.position(each) >= span[1]}
            self._markers |= {each: span for each, span in read.items() if not found.get(each)}
            spans = {each: span for each, span in spans.items() if each not in read and not found.get(each)}
        self._reader.pause(*self._partitions)
        return 0.0 if spans else min(sent, default=None)
