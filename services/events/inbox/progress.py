"""The progress of a consumer, for another consumer of the same process that must stay behind it.

Invariant: an offset that is told here is at most the stored one, of a partition that this copy holds. So whoever waits needs no statement
of MongoDB while both consumers have the partition; it asks the stored offsets when another copy has it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress

from services.events.delivery.state import Partition

ELSEWHERE = 0.01  # seconds between looks at the stored offsets, while another copy has the partition
HERE = 0.5  # the same, while this copy has it, whose progress is told
Unstored = Callable[[dict[Partition, int]], Awaitable[dict[Partition, int]]]


class Progress:
    """The next offsets of one consumer, as its own transactions have committed them."""

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}
        self._moved = asyncio.Event()

    def hold(self, stored: Mapping[Partition, int]) -> None:
        """Begin at these offsets: the partitions were assigned, or refilled."""
        self._next.update(stored)
        self._wake()

    def drop(self, partitions: Collection[Partition]) -> None:
        """Another copy may have these from now on."""
        for each in partitions:
            self._next.pop(each, None)
        self._wake()

    def reached(self, offsets: Mapping[Partition, int]) -> None:
        """Tell offsets that a committed transaction has read or moved."""
        for partition, following in offsets.items():
            if partition in self._next:
                self._next[partition] = max(self._next[partition], following)
        self._wake()

    async def wait_for(self, wanted: Mapping[Partition, int], unstored: Unstored, over: asyncio.Event) -> None:
        """Wait until these offsets are reached, or `over`. `unstored` tells those that are not, by the stored offsets of all copies."""
        left = self._missing(wanted)
        while left and not over.is_set():
            if not (self._next.keys() >= left.keys() and await self._moves()):
                left = await unstored(left)
                if left and not self._next.keys() >= left.keys():
                    await asyncio.sleep(ELSEWHERE)
            left = self._missing(left)

    def _missing(self, wanted: Mapping[Partition, int]) -> dict[Partition, int]:
        return {each: offset for each, offset in wanted.items() if self._next.get(each, 0) < offset}

    async def _moves(self) -> bool:
        """Wait for a change; False when there was none in time, as when another copy goes on with these partitions unnoticed."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._moved.wait(), HERE)
        return False

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
