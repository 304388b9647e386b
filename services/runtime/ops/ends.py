"""End offsets of topics, read over a connection that stays open, since an operator's page asks every few seconds.

Invariant: a connection that failed is not used again.
"""

import asyncio
from collections.abc import Collection
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import TOPICS
from services.events.bus.client import Bus

LOOK = 2.0  # seconds in which a running broker answers


class Ends:
    """The reader of one process; it connects at the first call."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._lock = bus, asyncio.Lock()
        self._reader: Any = None

    async def of(self, topics: Collection[str]) -> dict[TopicPartition, int] | None:
        """Return the next offset of every partition; None when the bus does not answer."""
        partitions = [TopicPartition(topic, n) for topic in topics for n in range(TOPICS[topic].partitions)]
        # Two requests at once would otherwise open two connections, and lose one of them.
        async with self._lock:
            try:
                async with asyncio.timeout(LOOK):
                    found: dict[TopicPartition, int] = await (await self._connected()).end_offsets(partitions)
                    return found
            except (
                KafkaError,
                TimeoutError,
                AssertionError,
            ):  # the last is aiokafka's, of a cluster that is just starting
                await self.close()
                return None

    async def _connected(self) -> Any:
        if self._reader is None:
            reader = self._bus.reader()
            try:
                await reader.start()
            except BaseException:
                await reader.stop()
                raise
            self._reader = reader
        return self._reader

    async def close(self) -> None:
        """Close the connection, if there is one."""
        # Forgotten first: a stop that fails must not leave a broken reader in use.
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()
