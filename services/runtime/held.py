"""The route by which a service tells a person everything that it holds of them: aggregates, rows, consents, contact card, reads.

Invariants: every collection of the service is told, or stands in `TECHNICAL` with the reason; a test compares both with the database. Who
asks is in the person's log of accesses.
"""

from functools import partial
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter
from pydantic import BaseModel

from services import vault
from services.contracts.base import Id
from services.events.delivery.declare import Gate
from services.events.inbox.projections import ReadModels
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.store.consents import Consents
from services.store.held import Held
from services.store.mongo import Document, Store
from services.store.people import Access, ContactCard, ErasedPerson
from services.store.work import Work
from services.web.run import Run

PURPOSE = "export"  # as the log of accesses names it
READS, ROWS = 1_000, 2_000  # the newest reads, and the rows of one read model, that are told
# Collections that name a person and are not told, because each document is told elsewhere or says nothing of its own.
TECHNICAL = {
    "keys": "the key that opens the data: whoever has it reads them",
    "outbox": "events on their way: the same facts as in the records, some encrypted",
    "marks": "numbers of events that have taken effect",
    "parked": "events that wait for an earlier one: the same facts as in the records",
    "dead": "events that could not take effect: the same facts as in the records",
    "dismissed": "events that an administrator has set aside",
    "answers": "answers to requests, kept for 30 days against repeats: ids alone",
    "erased": "the register of erased people, which holds an id and a day",
    "recalled": "events that a restore knows again",
}


class Holding(Protocol):
    """The parts of a service that are needed here."""

    name: str
    store: Store
    gate: Gate
    held: Held
    read_models: ReadModels


class HeldData(BaseModel):
    """Everything that one service holds of a person, in the clear. `records`: by aggregate. `read_models`: rows by projection. `digests`:
    how many documents hold a digest of the person, which nobody can read, by collection. `technical`: what is not told, and why."""

    service: str
    person: str
    records: dict[str, list[dict[str, Any]]]
    read_models: dict[str, list[dict[str, Any]]]
    consents: list[dict[str, Any]]
    contact_card: dict[str, Any] | None
    accesses: list[dict[str, Any]]
    digests: dict[str, int]
    technical: dict[str, str]


def routes(service: Holding) -> APIRouter:
    """Return the route, for the person and for an administrator of their programme, who answers the person's request."""
    router = APIRouter(tags=["people"])

    @router.get("/people/{worker}/held")
    async def held(worker: Id, run: Run, _: Annotated[Who, allowed(Role.WORKER, Role.ADMINISTRATOR)]) -> HeldData:
        """Everything that this service holds of the person. 404 no-such-worker · 410 erased."""
        found: HeldData = await run.query(partial(tell, service=service), worker)
        return found

    return router


async def tell(work: Work, person: str, *, service: Holding) -> HeldData:
    """Everything that the service holds of the person, noted in their log. Refused("no-such-worker", 404), ("erased", 410)."""
    store, programme = service.store, work.programme
    if not await work.knows(person):
        raise Refused("no-such-worker", f"There is no worker {person}.", Refusal.NOT_FOUND)
    if await store.by_id(ErasedPerson.collection, [f"{programme}/{person}"]):
        raise Refused("erased", f"Person {person} was erased.", Refusal.GONE)
    work.reads_for(PURPOSE)
    work.note_access(person)
    records = {kind.noun: await teller(person, work) for kind, teller in service.held.tellers.items()}
    return HeldData(
        service=service.name,
        person=person,
        records={noun: found for noun, found in records.items() if found},
        read_models=await _rows(service, programme, person),
        consents=await _consents(store, programme, person),
        contact_card=await _card(store, work, person),
        accesses=await _reads(store, programme, person),
        digests={
            each.collection: n for each in service.gate.holdings if (n := await each.count(store, programme, person))
        },
        technical=TECHNICAL,
    )


async def _rows(service: Holding, programme: str, person: str) -> dict[str, list[dict[str, Any]]]:
    found = {
        name: await service.read_models.page(name, {"programme": programme, "person": person}, ("_id",), 0, ROWS)
        for name in service.read_models.projections
    }
    return {name: [_own(row) for row in rows] for name, rows in found.items() if rows}


def _own(row: Document) -> dict[str, Any]:
    """A row without the fields by which the chassis finds it."""
    return {name: value for name, value in row.items() if name not in {"_id", "programme", "person"}}


async def _consents(store: Store, programme: str, person: str) -> list[dict[str, Any]]:
    found = (await store.by_id(Consents.collection, [f"{programme}/{person}"])).values()
    return [dict(each) for document in found for each in Consents.of(document).decisions]


async def _card(store: Store, work: Work, person: str) -> dict[str, Any] | None:
    """The contact card that this service keeps beside its aggregates, opened; None when it keeps none."""
    for document in (await store.by_id(ContactCard.collection, [f"{work.programme}/{person}"])).values():
        card = ContactCard.of(document)
        if card.value is not None:
            opened = vault.decrypt_payload(await work.key(person), card.value.decode())
            return dict(orjson.loads(opened))
    return None


async def _reads(store: Store, programme: str, person: str) -> list[dict[str, Any]]:
    """The newest reads of this person's data here, the latest first. Not who of the staff it was: the role says what they may see."""
    found = store[Access.collection].find(
        {"programme": programme, "person": person}, {"_id": 0, "role": 1, "what": 1, "at": 1}
    )
    return [each async for each in found.sort("_id", -1).limit(READS)]
