"""The route by which a service tells whether nothing of an erased person is left in it.

Invariants: it is not below `/ops`, which the front closes, because `ama person erase` asks from outside. The answer comes from the
database, so every copy answers the same. It names collections and counts, never a document.
"""

from functools import partial
from typing import Annotated, Protocol

from fastapi import APIRouter
from pydantic import BaseModel

from services.contracts.base import Id
from services.events.delivery.declare import Gate
from services.events.inbox.dead_letters import release
from services.events.inbox.projections import ReadModels
from services.events.inbox.traces import traces_of
from services.identity.auth import Role, Who, allowed
from services.store.answers import Answer
from services.store.consents import Consents
from services.store.mongo import Document, Store
from services.store.people import Access, ContactCard, ErasedPerson, StoredKey


class Erasing(Protocol):
    """The parts of a service that are needed here."""

    name: str
    store: Store
    gate: Gate
    read_models: ReadModels


class ErasureState(BaseModel):
    """The state of one person's erasure in one service. `registered`: the service knows of it. `complete`: its rooms are empty of the
    person as well. `left`: the number of documents about the person, by collection, without those that have none."""

    service: str
    registered: bool
    complete: bool
    left: dict[str, int]


def routes(service: Erasing) -> APIRouter:
    """Return the route, for the administrator of the person's programme."""
    router = APIRouter(tags=["erasures"])

    @router.get("/erasures/{person}")
    async def erasure(person: Id, who: Annotated[Who, allowed(Role.ADMINISTRATOR)]) -> ErasureState:
        """State of a person's erasure in this service. A person whom nobody erased is not registered."""
        return await state_of(service, who.programme, person)

    return router


async def state_of(service: Erasing, programme: str, person: str) -> ErasureState:
    """Look for everything that the chassis keeps of the person, and for the note that the rooms are done."""
    _id = f"{programme}/{person}"
    found = (await service.store.by_id(ErasedPerson.collection, [_id])).get(_id)
    done = found is not None and ErasedPerson.of(found).done is not None
    left = await _left(service, programme, person)
    if done and left:
        # A record that came after the erasure may have become a dead letter. Before the rooms are done, theirs may be among them.
        await service.store.transaction(partial(release, service.store, programme, person))
        left = await _left(service, programme, person)
    return ErasureState(service=service.name, registered=found is not None, complete=done and not left, left=left)


async def _left(service: Erasing, programme: str, person: str) -> dict[str, int]:
    """Return the number of documents about the person, by collection, without those that have none."""
    found = [(name, await _count(service, name, where)) for name, where in await _places(service, programme, person)]
    traces = await traces_of(service.store, programme, person)
    found += [("dead", len(traces.dead)), ("parked", len(traces.parked)), ("outbox", len(traces.outbox))]
    found += [(each.collection, await each.count(service.store, programme, person)) for each in service.gate.holdings]
    return {name: n for name, n in found if n}


async def _places(service: Erasing, programme: str, person: str) -> list[tuple[str, Document]]:
    """Return every collection that may hold documents about the person, with their query."""
    about = {"programme": programme, "person": person}
    by_id = {"_id": f"{programme}/{person}"}
    places: list[tuple[str, Document]] = [
        (name, by_id) for name in (StoredKey.collection, ContactCard.collection, Consents.collection)
    ]
    places.append((Access.collection, about))
    places.append((Answer.collection, {"programme": programme, "about": person}))
    return places + [(name, about) for name in await service.read_models.collections()]


async def _count(service: Erasing, collection: str, where: Document) -> int:
    return int(await service.store[collection].count_documents(where))
