"""`reaction` and `reaction_batch`: a reaction that writes one aggregate and records one event, against bare transactions.

The floor writes the same documents that ours had written (aggregate, outbox row, mark, offset), read back from its database. It uses
one transaction per event, or one per batch with a bulk write per collection. It reads no topic and nothing else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import InsertOne, ReplaceOne, UpdateOne

from bench.consuming import filled, taken
from bench.ground import PROGRAMME, Ground
from bench.harness import Clock, Figure, Goal, figure, pairs
from bench.history import PATH, events
from services.contracts import Event
from services.contracts.enrolment import WorkerReferred
from services.contracts.grouping import WorkerWaitlisted
from services.events.delivery.declare import Reactions
from services.events.delivery.state import Effect
from services.events.inbox.effects import Reacting
from services.kernel import Aggregate
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.collections import prepare
from services.store.mongo import Document, Store, Transaction
from services.store.unit import Unit
from services.store.work import Work
from services.vault.keyring import service_holder

GOALS = {
    "reaction": Goal(10, "higher", "events/s"),
    "reaction_batch": Goal(0.50, "higher", "events/s"),
}


class Guest(Aggregate):
    """A worker who waits for a seat."""

    noun: ClassVar[str] = "guest"
    partner: str
    waits: bool = False

    def wait(self) -> None:
        self.waits = True
        self.says(WorkerWaitlisted())


reactions = Reactions()


@reactions.on(WorkerReferred, needs=lambda event: [(Guest, event.subject)])
async def when_a_worker_is_referred_they_wait(event: Event[WorkerReferred], work: Work) -> None:
    """Look for the aggregate as a service does, and add it."""
    guest = await work.find(Guest, event.subject)
    if guest is None:
        guest = Guest(id=event.subject, partner=event.data.partner)
        work.add(guest)
    guest.wait()


@dataclass
class Written:
    """Documents that ours wrote for each event, in the order in which they were recorded."""

    guests: list[Document]
    outbox_rows: list[Document]
    marks: list[Document]


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """Measure events per second."""
    number, few, rounds = (1_500, 30, 1) if ground.quick else (12_000, 500, 5)
    topic = await filled(ground, events(number, PROGRAMME, PATH[:1]))
    written: list[Written] = []

    async def ours() -> float:
        rate, wrote = await _reacted(ground, topic, number)
        written[:] = [wrote]
        return rate

    async def one_by_one() -> float:
        return await _bare(ground, written[0], few, 1)

    async def in_batches() -> float:
        return await _bare(ground, written[0], number, ground.settings().batch)

    floors = {"reaction": one_by_one, "reaction_batch": in_batches}
    return [figure(n, GOALS[n], *await pairs(ours, floors[n], rounds, ground.note)) for n in floors if n in names]


async def _reacted(ground: Ground, topic: str, number: int) -> tuple[float, Written]:
    settings = ground.settings()
    service = Service(
        "grouping", settings, holder=service_holder("grouping", settings.keys), aggregates=[Guest], reactions=reactions
    )
    await prepare(service.store, service.aggregates)

    def start(transaction: Transaction) -> tuple[Effect, Callable[[], Awaitable[Any]]]:
        unit = Unit(service.store, transaction, service.holder, now_utc())
        return Reacting(unit, reactions, service.rules, service.telemetry, alone=True), lambda: unit.flush(
            silently=True
        )

    clock = await taken(service, "reactions", topic, start, number)
    store = service.store
    written = Written(*[await store[name].find().sort("_id", 1).to_list(None) for name in ("guest", "outbox", "marks")])
    assert len(written.guests) == len(written.outbox_rows) == len(written.marks) == number
    await service.stop()
    return clock.rate, written


async def _bare(ground: Ground, written: Written, number: int, batch: int) -> float:
    settings, clock = ground.settings(), Clock()
    store = Store(settings.mongo, settings.database_of("grouping"))
    await prepare(store, [Guest])
    await store["offsets"].insert_one({"_id": "offset", "next": 0})
    for begin in range(0, number, batch):
        some = slice(begin, min(number, begin + batch))
        async with await store.db.client.start_session() as session, session.start_transaction():
            await _write(store, written, some, session)
        clock.tick(some.stop - some.start)
    await store.close()
    return clock.rate


async def _write(store: Store, written: Written, some: slice, session: AsyncIOMotorClientSession) -> None:
    marks = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in written.marks[some]]
    await store["guest"].bulk_write([InsertOne(each) for each in written.guests[some]], ordered=False, session=session)
    await store["outbox"].insert_many(written.outbox_rows[some], session=session)
    await store["marks"].bulk_write(marks, ordered=False, session=session)
    await store["offsets"].bulk_write(
        [UpdateOne({"_id": "offset", "next": some.start}, {"$set": {"next": some.stop}})], session=session
    )
