"""Offsets behind the markers of transactions, which take offsets as records do: with them, a consumer that is level has no lag.

Invariant: a stored level says that only markers are between `next` and `end`. It counts only while the offset of the consumer is still
`next`. It is written only when a consumer did not move between two checks, so that a busy one writes nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import IllegalStateError

from services.store.mongo import Store, UpdateOne

LOOK = 1.0  # seconds in which a consumer that is not busy answers
Places = Mapping[tuple[str, int], int]


class Reading(Protocol):
    """The part of a running consumer that is needed here."""

    async def places(self) -> Places:
        """Return the offset that it reads next, of each partition that it holds."""


class Levels:
    """The levels of one service: written by the copies that consume, read by any copy."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, int] = {}
        self._kept: dict[str, int] = {}

    async def keep(self, runners: Mapping[str, Reading]) -> None:
        """Check all consumers; store the offsets that did not move since the last check, once."""
        now: dict[str, int] = {}
        for name, runner in list(runners.items()):
            try:
                async with asyncio.timeout(LOOK):
                    places = await runner.places()
            except (
                TimeoutError,
                IllegalStateError,
            ):  # it is busy, or just being handed partitions: no reader that stands still
                continue
            now |= {f"{name}|{topic}|{partition}": place for (topic, partition), place in places.items()}
        still = [id for id, at in now.items() if self._seen.get(id) == at != self._kept.get(id)]
        self._seen = now
        taken = await self._store.by_id("offsets", still)
        writes = [
            UpdateOne({"_id": id}, {"$set": {"next": taken.get(id, {}).get("next", 0), "end": now[id]}}, upsert=True)
            for id in still
        ]
        await self._store.write("levels", writes)
        self._kept = {id: at for id, at in self._kept.items() if id in now} | {id: now[id] for id in still}
