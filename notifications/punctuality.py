"""How far behind this service takes what was said on a topic, whichever of its copies takes it.

Age tells, not numbers: the end of a partition is a transaction's marker, which nobody takes, and under load there is always
something untaken. What counts is how long the oldest untaken record has been there.
"""

import time
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.contracts.topics import PARTITIONS
from services.events.bus.client import Bus
from services.events.inbox.documents import offset_id
from services.store.mongo import Store

CONSUMER = "reactions"
LOOK = 20  # milliseconds to wait for a record, before looking whether there was only a marker
PATIENCE = 2.0  # seconds until the bus is taken to be away


class Punctuality:
    """An async context manager, since it holds a connection; `behind` asks."""

    def __init__(self, store: Store, bus: Bus, topic: str) -> None:
        self._store = store
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._reader: AIOKafkaConsumer = bus.reader(isolation_level="read_uncommitted", fetch_max_wait_ms=50)
        self._bare: dict[TopicPartition, tuple[int, int]] = {}  # from where to where there are markers only

    async def __aenter__(self) -> Self:
        await self._reader.start()
        self._reader.assign(self._partitions)
        self._reader.pause(*self._partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.stop()

    async def behind(self, seconds: float) -> bool:
        """Whether a record has been there for longer than that and is not taken."""
        taken, ends = await self._taken(), await self._reader.end_offsets(self._partitions)
        spans = {each: (taken.get(each, 0), ends[each]) for each in self._partitions}
        open_ = {each: span for each, span in spans.items() if span[0] < span[1] and self._bare.get(each) != span}
        oldest = await self._oldest(open_) if open_ else None
        return oldest is not None and time.time() - oldest > seconds

    async def _taken(self) -> dict[TopicPartition, int]:
        ids = {offset_id(CONSUMER, (each.topic, each.partition)): each for each in self._partitions}
        return {ids[_id]: found["next"] for _id, found in (await self._store.by_id("offsets", list(ids))).items()}

    async def _oldest(self, spans: dict[TopicPartition, tuple[int, int]]) -> float | None:
        """When the oldest of the first untaken records was sent, in seconds since 1970; None when there are markers only. Records
        that do not come in time are taken to be very old: better to wait than to tell."""
        sent: list[float] = []
        for each, (start, _) in spans.items():
            self._reader.seek(each, start)
        self._reader.resume(*spans)
        deadline = time.monotonic() + PATIENCE
        while spans and time.monotonic() < deadline:
            found = await self._reader.getmany(*spans, timeout_ms=LOOK)
            sent += [records[0].timestamp / 1000 for records in found.values() if records]
            bare = {each: span for each, span in spans.items() if await self._reader.position(each) >= span[1]}
            self._bare |= {each: span for each, span in bare.items() if not found.get(each)}
            spans = {each: span for each, span in spans.items() if each not in bare and not found.get(each)}
        self._reader.pause(*self._partitions)
        return 0.0 if spans else min(sent, default=None)
