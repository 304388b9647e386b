"""The rows of all projections of a service, in generations: one is read, and a rebuild fills the next one beside it.

Invariant: one consumer fills all projections of a generation, so that it is read only after all of them had taken everything. A rebuild
never touches the generation that is read. `services.events.inbox.generations` begins, switches and discards generations.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from services.events.delivery.declare import Handlers, Projection
from services.events.delivery.state import Effect
from services.events.inbox.batches import Start
from services.events.inbox.effects import Projecting
from services.store.clock import now_utc
from services.store.documents import StoredDocument
from services.store.indexes import IndexModel, ascending, make_indexes
from services.store.mongo import Document, Store, Transaction
from services.store.unit import Unit
from services.vault.keyring import KeyHolder

PROJECTIONS = "projections"  # the consumer of all projections, without its generation
Order = Sequence[str | tuple[str, int]]  # `("since", -1)` is the same as `-since`
GENERATION = re.compile(r"\.g(\d+)$")  # the end of the names of its collections and of its consumer


@dataclass(frozen=True, slots=True)
class ProjectionPointer(StoredDocument):
    """The generation that readers read (`live`), one document for each service. `handled`: the event types of each projection, by name,
    that fill it; None: nobody has settled that yet. A lease keeps fields of its own beside these."""

    collection: ClassVar[str] = "projections"

    live: int = 1
    handled: dict[str, list[str]] | None = None


class ReadModels:
    """The projections of one service, and their rows."""

    def __init__(self, store: Store, projections: list[Projection]) -> None:
        self.store = store
        self.projections = {each.name: each for each in projections}
        self.handlers: Handlers = {}
        for each in projections:
            for kind, handler in each.handlers().items():
                self.handlers.setdefault(kind, []).append((each.name, handler))

    @property
    def handled(self) -> dict[str, list[str]]:
        """The event types that each projection handles, by its name."""
        return {name: sorted(each.handlers()) for name, each in self.projections.items()}

    async def pointer(self) -> ProjectionPointer:
        """The pointer of the service, as it is stored now."""
        found = await self.store[ProjectionPointer.collection].find_one({"_id": PROJECTIONS})
        return ProjectionPointer.of(found) if found else ProjectionPointer(PROJECTIONS)

    async def live(self) -> int:
        """The generation that is read."""
        return (await self.pointer()).live

    async def rows(self, name: str, where: Document) -> AsyncIterator[Document]:
        """The live rows that match, by key. `where` must name the `programme`."""
        collection = collection_of(name, await self.live())
        async for row in self.store[collection].find(where).sort("_id", 1):
            yield row

    async def page(self, name: str, where: Document, order: Order, skip: int, limit: int) -> list[Document]:
        """Some of the live rows that match, in the order of these fields; `-field` means the largest first."""
        sort = [_sorting(each) for each in order]
        found = self.store[collection_of(name, await self.live())].find(where).sort(sort).skip(skip).limit(limit)
        return [row async for row in found]

    async def count(self, name: str, where: Document, most: int) -> int:
        """The number of live rows that match, at most `most`: counting ends there."""
        return int(await self.store[collection_of(name, await self.live())].count_documents(where, limit=most))

    async def row(self, name: str, _id: str) -> Document | None:
        """One live row, by `{programme}/{key}`."""
        row: Document | None = await self.store[collection_of(name, await self.live())].find_one({"_id": _id})
        return row

    async def prepare(self, generation: int) -> None:
        """Create the collections and their indexes, each beginning with the programme."""
        # An erasure deletes rows by `person`.
        wanted = {
            collection_of(name, generation): [_index("person"), *(_index(each) for each in projection.indexes)]
            for name, projection in self.projections.items()
        }
        await make_indexes(self.store, wanted)

    async def collections(self) -> list[str]:
        """Return every collection that may hold rows: of the live generation, of one that is not discarded yet, and of one that a rebuild
        fills."""
        found = await self.store.db.list_collection_names(filter={"name": {"$regex": GENERATION.pattern}})
        return sorted(found)

    def starting(self, generation: int, holder: KeyHolder) -> Start:
        """The effect of the consumer of this generation, for each transaction."""
        collections = {name: collection_of(name, generation) for name in self.projections}

        def start(session: Transaction) -> tuple[Effect, Callable[[], Any]]:
            effect = Projecting(Unit(self.store, session, holder, now_utc()), self.handlers, collections)
            return effect, effect.write

        return start


def _sorting(field: str | tuple[str, int]) -> tuple[str, int]:
    if isinstance(field, tuple):
        return field
    return field.removeprefix("-"), -1 if field.startswith("-") else 1


def _index(fields: str | tuple[str, ...]) -> IndexModel:
    return ascending("programme", *((fields,) if isinstance(fields, str) else fields))


def collection_of(name: str, generation: int) -> str:
    """The collection of the rows of one projection."""
    return f"{name}.g{generation}"


def consumer_of(generation: int) -> str:
    """The name of the consumer that fills the generation."""
    return f"{PROJECTIONS}.g{generation}"


def generation_in(name: str) -> int | None:
    """The generation that a collection or a consumer is of; None when it is of none."""
    found = GENERATION.search(name)
    return int(found[1]) if found else None
