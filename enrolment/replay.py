"""Replay of enrolment's own events on a restored database, which can be older than they are.

Invariants: the aggregate alone changes its state from an event; whoever is in the register of erased persons is erased, also when
neither the database nor the bus has the event, and the erasure is then published again.
"""

from typing import Any

import orjson

from enrolment.commands import Erase, erase
from enrolment.domain import Status, Worker
from enrolment.programmes.domain import PublishedProgramme
from services import vault
from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerProfiled,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.contracts.programmes import ProgrammePublished
from services.contracts.topics import CONTACTS
from services.events.delivery.declare import Reactions
from services.runtime.service import Service
from services.store.mongo import Store
from services.store.work import Work

replays = Reactions()


@replays.on(WorkerReferred)
async def create(event: Event[WorkerReferred], work: Work) -> None:
    """Create a worker who is missing. The name comes from the contact card on the bus; without one the card stays empty."""
    if await work.find(Worker, event.subject) is None:
        worker = Worker(id=event.subject, partner=event.data.partner, trace=event.traceparent)
        work.add(worker)
        worker.card = await _card(worker, work)
        worker.apply(event.data, event.time)


async def _card(worker: Worker, work: Work) -> dict[str, str]:
    sealed = await work.published(CONTACTS, worker)
    if sealed is None:
        return {}
    card = orjson.loads(vault.decrypt_payload(await work.key(worker.id), sealed.decode()))
    return {name: await work.seal(worker.id, name, text) for name, text in card.items()}


@replays.on(ConsentChanged)
@replays.on(WorkerAdmitted)
@replays.on(WorkerDeclined)
@replays.on(WorkerWithdrawn)
@replays.on(WithdrawalExplained)  # changes nothing; taken here, it does not count as lost
async def apply(event: Event[Any], work: Work) -> None:
    """Change the worker's state as the event did when it was live."""
    (await work.get(Worker, event.subject)).apply(event.data, event.time)


@replays.on(WorkerProfiled)
async def seal_profile(event: Event[WorkerProfiled], work: Work) -> None:
    """Seal the profile again, since the event has it in the clear."""
    worker = await work.get(Worker, event.subject)
    worker.profile = await work.seal(worker.id, "profile", event.data.model_dump_json())
    worker.apply(event.data, event.time)


@replays.on(ProgrammePublished)
async def publish_again(event: Event[ProgrammePublished], work: Work) -> None:
    """Take the version that was published, unless the database has a later one."""
    programme = await work.find(PublishedProgramme, event.subject)
    if programme is None:
        programme = PublishedProgramme(id=event.subject)
        work.add(programme)
    programme.apply(event.data, event.time)


async def erase_again(service: Service) -> None:
    """Erase those who are in the register of erased persons alone, since the database and the bus both lost the event."""
    async for each in service.store["erased"].find({}, {"programme": 1}):
        record = (await service.store.by_id(Worker.noun, [each["_id"]])).get(each["_id"])
        if record is None or record["state"]["status"] == Status.ERASED.value or each["programme"] not in service.rules:
            continue
        if not await _erasure_recorded(service.store, each["programme"], record["state"]["id"]):
            await service.do(erase, Erase(worker=record["state"]["id"]), each["programme"])


async def _erasure_recorded(store: Store, programme: str, worker: str) -> bool:
    """Tell whether the outbox holds the worker's erasure, which the reaction to it will then apply."""
    where = {"programme": programme, "topic": WorkerErased.topic, "key": worker, "sequence": {"$gt": 0}}
    return any([WorkerErased.type.encode() in row["value"] async for row in store["outbox"].find(where)])
