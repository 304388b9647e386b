"""How far behind this service takes what was said on a topic, whichever of its copies takes it.

Age tells, not numbers: the end of a partition is a transaction's marker, which nobody takes, and under load there is always
something untaken. What counts is how long the oldest untaken record has been there.
"""

import time
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.bus import Bus
from services.contracts.topics import PARTITIONS
from services.store import Store

CONSUMER = "reactions"
LOOK = 200  # milliseconds to wait for a record that should be there


class Punctuality:
    """An async context manager, since it holds a connection; `behind` asks."""

    def __init__(self, store: Store, bus: Bus, topic: str) -> None:
        self._store = store
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._reader: AIOKafkaConsumer = bus.reader(auto_offset_reset="earliest", isolation_level="read_uncommitted")
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
        for partition in self._partitions:
            here = taken.get(partition, 0), ends[partition]
            if here[0] < here[1] and self._bare.get(partition) != here and await self._late(partition, *here, seconds):
                return True
        return False

    async def _taken(self) -> dict[TopicPartition, int]:
        ids = {f"{CONSUMER}|{each.topic}|{each.partition}": each for each in self._partitions}
        return {ids[_id]: found["next"] for _id, found in (await self._store.by_id("offsets", list(ids))).items()}

    async def _late(self, partition: TopicPartition, start: int, end: int, seconds: float) -> bool:
        """Look at the first record untaken. One that does not come in time is taken to be late: better to wait than to tell."""
        self._reader.seek(partition, start)
        self._reader.resume(partition)
        try:
            records = (await self._reader.getmany(partition, timeout_ms=LOOK, max_records=1)).get(partition, [])
            if records:
                return bool(time.time() - records[0].timestamp / 1000 > seconds)
            if await self._reader.position(partition) < end:
                return True
            self._bare[partition] = (start, end)
            return False
        finally:
            self._reader.pause(partition)
