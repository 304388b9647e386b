"""Where a reader that has taken all there is stands: behind the markers of transactions, which stand on the bus as records do and are none.

Invariant: what is kept says of a place that nothing but markers is between it and `end`, and it counts only while the consumer still
stands at that place. It is written only when a reader stood still between two looks, so that a busy consumer writes nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol, TypedDict

from aiokafka.errors import IllegalStateError

from services.events.inbox.documents import offset_id
from services.store.mongo import Store, UpdateOne

LOOK = 1.0  # seconds
Places = Mapping[tuple[str, int], int]


class LevelDocument(TypedDict):
    """Collection `levels`: nothing but transaction markers is between the stored offset `next` and `end`. Ids are those of `offsets`."""

    next: int
    end: int


class Reading(Protocol):
    """What it needs of a consumer that runs."""

    async def places(self) -> Places:
        """What it reads next of each partition it holds."""


class Levels:
    """Kept by the copies that consume; read by whichever copy is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, int] = {}
        self._kept: dict[str, int] = {}

    async def keep(self, runners: Mapping[str, Reading]) -> None:
        """Take one look; write down what did not move since the last one, once."""
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
            now |= {offset_id(name, partition): place for partition, place in places.items()}
        still = [id for id, at in now.items() if self._seen.get(id) == at != self._kept.get(id)]
        self._seen = now
        taken = await self._store.by_id("offsets", still)
        levels = {id: LevelDocument(next=taken.get(id, {}).get("next", 0), end=now[id]) for id in still}
        writes = [UpdateOne({"_id": id}, {"$set": level}, upsert=True) for id, level in levels.items()]
        await self._store.write("levels", writes)
        self._kept = {id: at for id, at in self._kept.items() if id in now} | {id: now[id] for id in still}
