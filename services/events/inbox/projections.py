"""Where a projection's rows are, which generation of them is read, and how a new one is built beside the live one.

Invariant: readers always read a generation that was level when the pointer was set to it; a rebuild never touches the one being read.
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
    """The generations of one service's projections."""

    def __init__(self, store: Store, projections: list[Projection]) -> None:
        self._store = store
        self.projections = {each.name: each for each in projections}

    async def live(self, name: str) -> int:
        """The generation that is read."""
        found = await self._store[ProjectionPointer.collection].find_one({"_id": name})
        return ProjectionPointer.of(found).live if found else 1

    async def rows(self, name: str, where: Document) -> AsyncIterator[Document]:
        """The live rows that match, by key. `where` must name the programme as `p`."""
        collection = collection_of(name, await self.live(name))
        async for row in self._store[collection].find(where).sort("_id", 1):
            yield row

    async def row(self, name: str, _id: str) -> Document | None:
        """One live row, by `{programme}/{key}`."""
        row: Document | None = await self._store[collection_of(name, await self.live(name))].find_one({"_id": _id})
        return row

    async def prepare(self, name: str, generation: int) -> None:
        """Make the collection and its indexes, each beginning with the programme."""
        collection = self._store[collection_of(name, generation)]
        for field in ("person", *self.projections[name].indexes):
            await collection.create_index([("programme", 1), (field, 1)])

    async def begin(self, name: str) -> int:
        """A new generation, empty. What an earlier rebuild left unfinished is dropped."""
        live = await self.live(name)
        following = live + 1
        await self.discard(name, following)
        await self.prepare(name, following)
        return following

    async def flip(self, name: str, generation: int) -> None:
        """Readers read this generation from now on."""
        await self._store.write(ProjectionPointer.collection, [ProjectionPointer(name, generation).upsert()])

    async def discard(self, name: str, generation: int) -> None:
        """Drop a generation: its rows, its marks and what it has parked. Its dead letters are nobody's business any more."""
        await self._store[collection_of(name, generation)].drop()
        consumer = consumer_of(name, generation)
        for collection in ("marks", "parked"):
            await self._store[collection].delete_many({"consumer": consumer})
        await supersede(self._store, consumer)
        await self._store["offsets"].delete_many({"_id": {"$gte": f"{consumer}|", "$lt": f"{consumer}}}"}})

    def starting(self, name: str, generation: int, holder: KeyHolder) -> Start:
        """What a consumer of this generation does in each transaction."""

        def start(session: Transaction) -> tuple[Effect, Callable[[], Any]]:
            effect = Projecting(
                Unit(self._store, session, holder, now_utc()), self.projections[name], collection_of(name, generation)
            )
            return effect, effect.write

        return start


def collection_of(name: str, generation: int) -> str:
    """Where the rows of a generation are."""
    return f"{name}.g{generation}"


def consumer_of(name: str, generation: int) -> str:
    """The consumer's name among the service's."""
    return f"{name}.g{generation}"


async def level(runner: ConsumerRunner, report: Callable[[int, int], None], poll: float = 0.2) -> None:
    """Wait until it, who reads alone, has taken what is there, reporting records read and records there."""
    while True:
        report(*await runner.level())
        if runner.holds_all() and await runner.caught_up():
            return
        await asyncio.sleep(poll)
