"""The bus as a restore reads it: what stands on a topic from a place on, in batches, and which topics there are.

Invariant: nothing is written, and no group is joined. Records are read uncommitted: what an aborted transaction holds was stored before it
was sent, and consumers, who read so too, may have taken it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient

from services.events.bus.client import Bus
from services.events.bus.topic_ids import topic_ids
from services.operations.backup.manifest import Topic

PATIENCE = 10.0  # seconds for one answer of the bus
AT_ONCE = 1_000  # records
WAIT_MS = 50  # for records, where only a marker stands; all else that is asked of the broker waits behind that


@dataclass(slots=True)
class TopicState:
    """A topic on the bus: its id, and where each partition ends."""

    id: str
    ends: dict[int, int]

    def known_as(self, topic: Topic | None) -> bool:
        """Whether it is the topic that the backup knew, with nothing lost of what was acknowledged then."""
        same = topic is not None and topic.id == self.id
        return same and topic is not None and all(self.ends.get(number, 0) >= end for number, end in topic.ends.items())


class Reading:
    """Made by `reading`."""

    def __init__(self, bus: Bus, reader: AIOKafkaConsumer, client: AIOKafkaClient) -> None:
        self._bus, self._reader, self._client = bus, reader, client

    async def standing(self, topics: Collection[str]) -> dict[str, TopicState]:
        """Those of the topics that are there."""
        async with asyncio.timeout(PATIENCE):
            ids = await topic_ids(self._client, sorted(topics))
            return {name: TopicState(id, await self._ends(name)) for name, id in ids.items()}

    async def _ends(self, topic: str) -> dict[int, int]:
        await self._client.set_topics([topic])
        numbers = self._client.cluster.partitions_for_topic(topic) or set()
        ends = await self._reader.end_offsets([TopicPartition(topic, number) for number in numbers])
        return {each.partition: end for each, end in ends.items()}

    async def records(
        self, topic: str, standing: TopicState, start: Mapping[int, int]
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """What stands there from `start` (without an entry: the first) to where it ended when it was looked at."""
        parts = {TopicPartition(topic, number): end for number, end in standing.ends.items()}
        self._reader.assign(list(parts))
        await self._reader.seek_to_beginning(*parts)
        for part in parts:
            if start.get(part.partition):
                self._reader.seek(part, start[part.partition])
        waiting = set(parts)
        while waiting := {each for each in waiting if await self._reader.position(each) < parts[each]}:
            async with asyncio.timeout(PATIENCE * 3):
                found = await self._reader.getmany(*waiting, timeout_ms=WAIT_MS, max_records=AT_ONCE)
            for records in found.values():
                yield records


@asynccontextmanager
async def reading(bus: Bus) -> AsyncIterator[Reading]:
    """A look at the bus. KafkaError when no broker answers."""
    client, reader = AIOKafkaClient(**bus.client()), bus.reader(auto_offset_reset="earliest", fetch_max_wait_ms=WAIT_MS)
    try:
        await client.bootstrap()
        await reader.start()
        yield Reading(bus, reader, client)
    finally:
        await reader.stop()
        await client.close()


def headers_of(record: Any) -> dict[str, bytes]:
    """A record's headers by name."""
    return dict(record.headers)
