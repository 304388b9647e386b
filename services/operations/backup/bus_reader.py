"""Reader of the bus for a restore: the topics that exist, and their records from an offset on, in batches.

Invariant: it writes nothing and joins no group. It reads records of aborted transactions too: every event is stored before it
is sent, and consumers, which read these records as well, may have taken it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient

from services.events.bus.client import Bus
from services.events.bus.topic_ids import topic_ids
from services.operations.backup.manifest import Topic

PATIENCE = 10.0  # seconds for one answer of a broker
AT_ONCE = 1_000  # records
WAIT_MS = 50  # where only transaction markers are left; other requests to the broker queue behind this one


@dataclass(slots=True)
class TopicState:
    """A topic on the bus: its id, and the end offset of each partition."""

    id: str
    ends: dict[int, int]

    def known_as(self, topic: Topic | None) -> bool:
        """Tell if this is the topic that the backup knew, still with every record that was acknowledged then."""
        same = topic is not None and topic.id == self.id
        return same and topic is not None and all(self.ends.get(number, 0) >= end for number, end in topic.ends.items())


class BusReader:
    """An open reader, made by `open_reader`."""

    def __init__(self, bus: Bus, reader: AIOKafkaConsumer, client: AIOKafkaClient) -> None:
        self._bus, self._reader, self._client = bus, reader, client

    async def states(self, topics: Collection[str]) -> dict[str, TopicState]:
        """Read the state of those of the topics that exist."""
        async with asyncio.timeout(PATIENCE):
            ids = await topic_ids(self._client, sorted(topics))
            return {name: TopicState(id, await self._ends(name)) for name, id in ids.items()}

    async def _ends(self, topic: str) -> dict[int, int]:
        await self._client.set_topics([topic])
        numbers = self._client.cluster.partitions_for_topic(topic) or set()
        ends = await self._reader.end_offsets([TopicPartition(topic, number) for number in numbers])
        return {each.partition: end for each, end in ends.items()}

    async def records(
        self, topic: str, state: TopicState, start: Mapping[int, int]
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Read batches of records by partition, from the offsets of `start` (else the first) to the ends of `state`."""
        parts = {TopicPartition(topic, number): end for number, end in state.ends.items()}
        self._reader.assign(list(parts))
        await self._reader.seek_to_beginning(*parts)
        for part in parts:
            if start.get(part.partition):
                self._reader.seek(part, start[part.partition])
        waiting = set(parts)
        # By positions, not by records: markers of transactions take offsets, and no call returns them.
        while waiting := {each for each in waiting if await self._reader.position(each) < parts[each]}:
            async with asyncio.timeout(PATIENCE * 3):
                found = await self._reader.getmany(*waiting, timeout_ms=WAIT_MS, max_records=AT_ONCE)
            for records in found.values():
                yield records


@asynccontextmanager
async def open_reader(bus: Bus) -> AsyncIterator[BusReader]:
    """Open a reader for the block. KafkaError when no broker answers."""
    client, reader = AIOKafkaClient(**bus.client()), bus.reader(auto_offset_reset="earliest", fetch_max_wait_ms=WAIT_MS)
    try:
        await client.bootstrap()
        await reader.start()
        yield BusReader(bus, reader, client)
    finally:
        await reader.stop()
        await client.close()
