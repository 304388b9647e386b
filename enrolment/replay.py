"""Replay of enrolment's own events on a restored database, which can be older than they are.

Invariants: the aggregate alone changes its state from an event; whoever is in the register of erased persons is erased, and whatever a
register knows as refused is refused, also when neither the database nor the bus has the event. It is then published again.
"""

import logging
from datetime import datetime
from typing import Any

import orjson

from enrolment import replay_paths
from enrolment.commands import FISCAL, Erase, RefuseAgain, erase, refuse_again
from enrolment.domain import Status, Worker
from enrolment.programmes.domain import PublishedProgramme
from services import vault
from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    ContactTried,
    DeclineExplained,
    DuplicateJudged,
    InterviewBooked,
    InterviewHeld,
    PersonalLinkIssued,
    PersonalLinkRevoked,
    Purpose,
    SelfReferralOpened,
    StepRedated,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerContacted,
    WorkerCorrected,
    WorkerDeclined,
    WorkerErased,
    WorkerMerged,
    WorkerProfiled,
    WorkerReferred,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.programmes import ProgrammePublished
from services.contracts.rights import RecordOpened
from services.contracts.topics import CONTACTS
from services.events.delivery.declare import Reactions
from services.kernel import NotYet, Unavailable
from services.runtime.service import Service
from services.store.mongo import Store
from services.store.restored import RestoreState, settle_refusals
from services.store.work import Work

log = logging.getLogger(__name__)
replays = Reactions()
replays.handlers |= replay_paths.path_replays.handlers


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
@replays.on(WorkerContacted)
@replays.on(InterviewBooked)
@replays.on(InterviewHeld)
@replays.on(WorkerReturned)
@replays.on(StepRedated)
@replays.on(DuplicateJudged)
@replays.on(ContactTried)  # this one, and the two that explain, change nothing; taken here, they do not count as lost
@replays.on(DeclineExplained)
@replays.on(PersonalLinkIssued)
@replays.on(PersonalLinkRevoked)
@replays.on(RecordOpened)
@replays.on(WithdrawalExplained)
async def apply(event: Event[Any], work: Work) -> None:
    """Change the worker's state as the event did when it was live."""
    (await work.get(Worker, event.subject)).apply(event.data, event.time)


@replays.on(SelfReferralOpened)
async def leave_out(event: Event[SelfReferralOpened], work: Work) -> None:
    """Leave a request that a restore has lost: its address is gone with it, its link opens nothing, and whoever sent it can ask again."""


@replays.on(WorkerMerged)
async def end_in_the_other(event: Event[WorkerMerged], work: Work) -> None:
    """End the record, and let the other one remember it."""
    (await work.get(Worker, event.subject)).apply(event.data, event.time)
    (await work.get(Worker, event.data.into)).absorb(event.subject)


@replays.on(WorkerProfiled)
async def seal_profile(event: Event[WorkerProfiled], work: Work) -> None:
    """Seal the profile again, since the event has it in the clear."""
    worker = await work.get(Worker, event.subject)
    worker.profile = await work.seal(worker.id, "profile", event.data.model_dump_json())
    worker.apply(event.data, event.time)


@replays.on(WorkerCorrected)
async def take_the_corrected_card(event: Event[WorkerCorrected], work: Work) -> None:
    """Take the card that is on the bus. Without one there, the card of before the correction stays."""
    worker = await work.get(Worker, event.subject)
    card = await _card(worker, work)
    if card and FISCAL in worker.card:  # it is not on the bus
        card = {**card, FISCAL: worker.card[FISCAL]}
    worker.card = card or worker.card
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


async def refuse_all_again(service: Service) -> None:
    """Refuse what a restore noted: the refusals of a register and, when nothing told of those since the backup, everything but
    participation. A decision that is later than the refusal stays."""
    found = await service.store[RestoreState.collection].find_one()
    state = RestoreState.of(found) if found else None
    if state is None or not (state.refusals or state.closed):
        return
    noted = {each["person"]: each["refused"] for each in state.refusals}
    settled = True
    for _id in sorted(noted) if state.closed is None else await _everybody(service.store):
        programme, _, worker = _id.partition("/")
        refused = _all_but_participation(state.closed) | noted.get(_id, {})
        if programme not in service.rules:  # with AMA_ONLY another deployment serves it
            settled = False
        elif await service.store.by_id(Worker.noun, [_id]):
            settled = await _refused(service, programme, RefuseAgain(worker=worker, refused=refused)) and settled
    if settled:
        await service.store.write(RestoreState.collection, [settle_refusals()])


async def _everybody(store: Store) -> list[str]:
    return [each["_id"] async for each in store[Worker.noun].find({}, {"_id": 1}).sort("_id", 1)]


def _all_but_participation(at: datetime | None) -> dict[str, datetime]:
    return {each.value: at for each in Purpose if each is not Purpose.PARTICIPATION} if at is not None else {}


async def _refused(service: Service, programme: str, command: RefuseAgain) -> bool:
    """Publish one person's refusals. False when their key is missing: every gate has the refusals all the same, and the start goes on."""
    try:
        await service.do(refuse_again, command, programme)
    except (NotYet, Unavailable) as missing:
        log.warning("refusals are not settled", extra={"service": service.name, "reason": str(missing)})
        return False
    return True


async def _erasure_recorded(store: Store, programme: str, worker: str) -> bool:
    """Tell whether the outbox holds the worker's erasure, which the reaction to it will then apply."""
    where = {"programme": programme, "topic": WorkerErased.topic, "key": worker, "sequence": {"$gt": 0}}
    return any([WorkerErased.type.encode() in row["value"] async for row in store["outbox"].find(where)])
