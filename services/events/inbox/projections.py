"""The rows of projections, in generations: one is read, and a rebuild fills the next one beside it.

Invariant: a generation is read only after it had taken everything; a rebuild never touches the generation that is read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from services.events.delivery.declare import Projection
from services.events.delivery.state import Effect
from services.events.inbox.batches import Start
from services.events.inbox.dead_letters import supersede
from services.events.inbox.effects import Projecting
from services.events.inbox.runner import ConsumerRunner
from services.store.clock import now_utc
from services.store.documents import StoredDocument
from services.store.mongo import Document, Store, Transaction
from services.store.unit import Unit
from services.vault.keyring import KeyHolder


@dataclass(frozen=True, slots=True)
class ProjectionPointer(StoredDocument):
    """The generation of a projection that readers read (`live`). Its id is the name of the projection."""

    collection: ClassVar[str] = "projections"

    live: int


class ReadModels:
    """Generations of the projections of one service."""

    def __init__(self, store: Store, projections: list[Projection]) -> None:
        self._store = store
        self.projections = {each.name: each for each in projections}

    async def live(self, name: str) -> int:
        """The generation that is read."""
        found = await self._store[ProjectionPointer.collection].find_one({"_id": name})
        return ProjectionPointer.of(found).live if found else 1

    async def rows(self, name: str, where: Document) -> AsyncIterator[Document]:
        """The live rows that match, by key. `where` must name the `programme`."""
        collection = collection_of(name, await self.live(name))
        async for row in self._store[collection].find(where).sort("_id", 1):
            yield row

    async def row(self, name: str, _id: str) -> Document | None:
        """One live row, by `{programme}/{key}`."""
        row: Document | None = await self._store[collection_of(name, await self.live(name))].find_one({"_id": _id})
        return row

    async def prepare(self, name: str, generation: int) -> None:
        """Create the collection and its indexes, each beginning with the programme."""
        collection = self._store[collection_of(name, generation)]
        # An erasure deletes rows by `person`.
        for field in ("person", *self.projections[name].indexes):
            await collection.create_index([("programme", 1), (field, 1)])

    async def begin(self, name: str) -> int:
        """Create a new, empty generation. What an earlier rebuild left unfinished is dropped."""
        live = await self.live(name)
        following = live + 1
        await self.discard(name, following)
        await self.prepare(name, following)
        return following

    async def flip(self, name: str, generation: int) -> None:
        """Readers read this generation from now on."""
        await self._store.write(ProjectionPointer.collection, [ProjectionPointer(name, generation).upsert()])

    async def discard(self, name: str, generation: int) -> None:
        """Drop a generation: its rows, marks, offsets and parked events. Its dead letters are closed."""
        await self._store[collection_of(name, generation)].drop()
        consumer = consumer_of(name, generation)
        for collection in ("marks", "parked", "offsets"):
            await self._store[collection].delete_many({"consumer": consumer})
        await supersede(self._store, consumer)

    def starting(self, name: str, generation: int, holder: KeyHolder) -> Start:
        """The effect of a consumer of this generation, for each transaction."""

        def start(session: Transaction) -> tuple[Effect, Callable[[], Any]]:
            effect = Projecting(
                Unit(self._store, session, holder, now_utc()), self.projections[name], collection_of(name, generation)
            )
            return effect, effect.write

        return start


def collection_of(name: str, generation: int) -> str:
    """The collection of a generation's rows."""
    return f"{name}.g{generation}"


def consumer_of(name: str, generation: int) -> str:
    """The name of the consumer that fills the generation."""
    return f"{name}.g{generation}"


async def level(runner: ConsumerRunner, report: Callable[[int, int], None], poll: float = 0.2) -> None:
    """Wait until the runner, the only reader, has taken everything. `report` is given records read and records there are."""
    while True:
        report(*await runner.level())
        # A topic that Kafka's metadata does not have yet would count as read to its end.
        if runner.holds_all() and await runner.caught_up():
            return
        await asyncio.sleep(poll)
