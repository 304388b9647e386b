"""Offsets behind the markers of transactions, which take offsets as records do: with them, a consumer that is level has no lag.

Invariant: a stored level says that only markers are between `next` and `end`. It counts only while the offset of the consumer is still
`next`. It is written only when a consumer did not move between two checks, so that a busy one writes nothing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from aiokafka.errors import IllegalStateError

from services.events.inbox.documents import offset_id
from services.store.documents import StoredDocument
from services.store.mongo import Store

LOOK = 1.0  # seconds in which a consumer that is not busy answers
Offsets = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Level(StoredDocument):
    """The level of one consumer and partition: between the offset `next` and `end` there are markers alone."""

    collection: ClassVar[str] = "levels"

    next: int
    end: int

    def position(self, offset: int) -> int:
        """Return the first offset that may hold a record that was not consumed. `offset`: the consumer's own."""
        return self.end if self.next == offset else offset


class Reading(Protocol):
    """The part of a running consumer that is needed here."""

    async def places(self) -> Offsets:
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
            except (TimeoutError, IllegalStateError):  # busy, or in a rebalance: it is not at rest
                continue
            now |= {offset_id(name, partition): place for partition, place in places.items()}
        still = [id for id, at in now.items() if self._seen.get(id) == at != self._kept.get(id)]
        self._seen = now
        offsets = await self._store.by_id("offsets", still)
        levels = [Level(id, offsets.get(id, {}).get("next", 0), now[id]) for id in still]
        await self._store.write(Level.collection, [level.upsert() for level in levels])
        self._kept = {id: at for id, at in self._kept.items() if id in now} | {id: now[id] for id in still}
