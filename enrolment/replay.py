"""What enrolment's own events tell of a record, for a database that is older than they are; and erasures of which no event is left.

Invariant: whoever stands in the register of the erased is erased, and all others are told.
"""

import orjson

from enrolment.commands import Erase, erase
from enrolment.domain import Consent, Status, Worker
from services import vault
from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerProfiled,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.contracts.topics import CONTACTS
from services.events.delivery.declare import Reactions
from services.runtime.service import Service
from services.store.mongo import Store
from services.store.work import Work

recalls = Reactions()


@recalls.on(WorkerReferred)
async def referred(event: Event[WorkerReferred], work: Work) -> None:
    """A record without a name, unless they have a contact card on the bus."""
    if await work.find(Worker, event.subject) is None:
        worker = Worker(id=event.subject, partner=event.data.partner, trace=event.traceparent)
        work.add(worker)
        worker.card = await _card(worker, work)


async def _card(worker: Worker, work: Work) -> dict[str, str]:
    sealed = await work.published(CONTACTS, worker)
    if sealed is None:
        return {}
    card = orjson.loads(vault.decrypt_payload(await work.key(worker.id), sealed.decode()))
    return {name: await work.seal(worker.id, name, text) for name, text in card.items()}


@recalls.on(ConsentChanged)
async def decided(event: Event[ConsentChanged], work: Work) -> None:
    """The last decision counts."""
    told, worker = event.data, await work.get(Worker, event.subject)
    consent = Consent(given=told.given, notice=told.notice, language=told.language, at=event.time)
    worker.consents = {**worker.consents, told.purpose: consent}


@recalls.on(WorkerProfiled)
async def described(event: Event[WorkerProfiled], work: Work) -> None:
    """What grouping matches on."""
    worker = await work.get(Worker, event.subject)
    worker.profile = await work.seal(worker.id, "profile", event.data.model_dump_json())


@recalls.on(WorkerAdmitted)
async def admitted(event: Event[WorkerAdmitted], work: Work) -> None:
    """Admitted."""
    (await work.get(Worker, event.subject)).status = Status.ADMITTED


@recalls.on(WorkerDeclined)
async def declined(event: Event[WorkerDeclined], work: Work) -> None:
    """Declined."""
    (await work.get(Worker, event.subject)).status = Status.DECLINED


@recalls.on(WorkerWithdrawn)
async def withdrawn(event: Event[WorkerWithdrawn], work: Work) -> None:
    """Gone."""
    (await work.get(Worker, event.subject)).status = Status.WITHDRAWN


async def erase_again(service: Service) -> None:
    """Those who are known to be erased by another register alone, since both the database and the bus forgot it."""
    async for each in service.store["erased"].find({}, {"programme": 1}):
        record = (await service.store.by_id(Worker.noun, [each["_id"]])).get(each["_id"])
        gone = (
            record is None or record["state"]["status"] == Status.ERASED.value or each["programme"] not in service.rules
        )
        if record is not None and not gone and not await _said(service.store, each["programme"], record["state"]["id"]):
            await service.do(erase, Erase(worker=record["state"]["id"]), each["programme"])


async def _said(store: Store, programme: str, worker: str) -> bool:
    letters = store["outbox"].find(
        {"programme": programme, "topic": WorkerErased.topic, "key": worker, "sequence": {"$gt": 0}}
    )
    return any([WorkerErased.type.encode() in each["value"] async for each in letters])
