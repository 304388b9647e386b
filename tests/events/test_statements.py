"""The statements that a consumer sends for a batch. The bounds are exact: a new read breaks them."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from services.contracts import Event, encode
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerAdmitted, WorkerReferred
from services.events.delivery.declare import Projection, Reactions, Rows, on
from services.events.delivery.state import Record
from services.events.inbox.batches import Batches
from services.events.inbox.documents import offset_document
from services.events.inbox.gate import GATE
from services.events.inbox.gate_reading import concerns_gate
from services.events.inbox.gate_taking import take_in_any_order
from services.events.inbox.projections import collection_of, consumer_of
from services.runtime.consumers import Consumers
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.mongo import InsertOne
from services.store.work import Work
from services.vault.keyring import service_holder
from tests.events.conftest import refer
from tests.helpers.statements import Statements, listened
from tests.helpers.waiting import eventually

PROGRAMME, TOPIC = "jobs2", "ama.enrolment"
SOURCE = f"/programmes/{PROGRAMME}/enrolment"
COMMIT, OFFSETS, MARKS = "commitTransaction", "update offsets", "update marks"


class Seen(Projection):
    name = "seen"

    @on(WorkerReferred, WorkerAdmitted)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, partner=event.data.partner)


def record(sequence: int, at: int, subject: str = "w", *, consent: bool = False) -> Record:
    """A referral (1), an admission, or a consent."""
    kind = WorkerReferred if sequence == 1 else WorkerAdmitted
    asked = ConsentChanged(purpose=Purpose.CONTACT, given=True, notice="1", language="it")
    data, now = asked if consent else kind(partner="afol"), now_utc()
    event: Event[Any] = Event(f"{subject}-{sequence}", SOURCE, data.type, subject, now, now, sequence, data)
    return Record(TOPIC, 0, at, subject.encode(), encode(event))


@pytest_asyncio.fixture
async def heard(settings: Settings) -> AsyncIterator[tuple[Service, Statements]]:
    own, reactions = settings.model_copy(update={"database": f"n{uuid.uuid4().hex[:10]}"}), Reactions()

    async def note(event: Event[Any], work: Work) -> None:
        await work._unit.write("noted", [InsertOne({"_id": event.id})])

    reactions.on(WorkerReferred)(note)
    reactions.on(WorkerAdmitted)(note)
    with listened() as statements:
        holder = service_holder("grouping", own.keys)
        service = Service("grouping", own, holder=holder, reactions=reactions, projections=[Seen()])
        async with running(service, []):
            await service.store.make("noted")
            for consumer in (consumer_of(1), "reactions", GATE):
                await service.store["offsets"].insert_one(offset_document(consumer, (TOPIC, 0), 0))
            yield service, statements


def projecting(service: Service) -> Batches:
    start = service.read_models.starting(1, service.holder)
    return Batches(consumer_of(1), service.store, start, service.metrics, 0)


async def test_a_projection_that_remembers_everything_writes_and_reads_nothing(
    heard: tuple[Service, Statements],
) -> None:
    service, statements = heard
    batches, database = projecting(service), service.store.name
    await batches.take([record(1, 0)])
    first = statements.taken(database)
    await batches.take([record(2, 1), record(3, 2)])
    assert statements.taken(database) == [OFFSETS, MARKS, "update seen.g1", COMMIT]
    await batches.take([record(1, 3, "v"), record(4, 4)])
    assert statements.taken(database) == [OFFSETS, MARKS, "update seen.g1", COMMIT]
    await batches.take([record(2, 5, "u")])
    assert statements.taken(database) == ["find marks", OFFSETS, MARKS, "update parked", COMMIT], "it waits"
    reads = ["find offsets", "find marks", "find parked", "find dismissed", "find erased"]
    assert first == [*reads, OFFSETS, MARKS, "update seen.g1", COMMIT]


async def test_a_reaction_reads_only_what_its_handler_asks_for(heard: tuple[Service, Statements]) -> None:
    service, statements = heard
    begin = Consumers(service).reacting
    batches, database = Batches("reactions", service.store, begin, service.metrics, 0), service.store.name
    await batches.take([record(1, 0)])
    statements.taken(database)
    await batches.take([record(2, 1)])
    assert statements.taken(database) == ["insert noted", OFFSETS, MARKS, COMMIT]


async def test_the_gate_reads_nothing_for_a_record_that_is_none_of_its_own(heard: tuple[Service, Statements]) -> None:
    service, statements = heard
    begin, database = Consumers(service).gating, service.store.name
    batches = Batches(GATE, service.store, begin, service.metrics, 0, take_in_any_order, concerns_gate)
    await batches.take([record(2, 0, consent=True)])
    statements.taken(database)
    await batches.take([record(3, 1)])
    assert statements.taken(database) == ["alone"]
    await batches.take([record(4, 2, consent=True)])
    assert statements.taken(database) == ["find consents", OFFSETS, "update consents", COMMIT]
    await batches.take([record(2, 3, "v", consent=True)])
    assert statements.taken(database) == ["find consents", OFFSETS, "update consents", COMMIT]


async def test_repeats_of_first_events_are_looked_up_after_the_first_of_them(
    heard: tuple[Service, Statements],
) -> None:
    service, statements = heard
    batches, database = projecting(service), service.store.name
    for n in range(3):
        await batches.take([record(1, n, f"w{n}")])
    batches.memory.forget()
    await batches.take([record(2, 3, "w0")])
    statements.taken(database)
    counts = []
    for n in (1, 2):
        await batches.take([record(1, 3 + n, f"w{n}")])
        counts.append(statements.taken(database).count("abortTransaction"))
    assert counts == [1, 0]
    rows = await service.store[collection_of("seen", 1)].count_documents({})
    assert (rows, await service.store["parked"].count_documents({})) == (3, 0)


@pytest.mark.parametrize("known", [1, 50])
async def test_the_number_of_statements_does_not_depend_on_the_size_of_the_batch(
    heard: tuple[Service, Statements], known: int
) -> None:
    service, statements = heard
    batches, people = projecting(service), [f"w{n}" for n in range(known)]
    await batches.take([record(1, n, each) for n, each in enumerate(people)])
    statements.taken(service.store.name)
    await batches.take([record(2, known + n, each) for n, each in enumerate(people)])
    assert len(statements.taken(service.store.name)) == 4


async def test_what_a_command_of_another_service_costs_a_service_that_hears_of_it(
    enrolled: Service, settings: Settings
) -> None:
    """A referral, of a new person: two events, a key. The service has a table, the gate, reactions and a projection."""
    own, commands, reactions = settings.model_copy(update={"database": f"n{uuid.uuid4().hex[:10]}"}), 12, Reactions()

    async def note(event: Event[Any], work: Work) -> None:
        await work._unit.write("noted", [InsertOne({"_id": event.id})])

    reactions.on(WorkerReferred)(note)
    with listened() as statements:
        holder = service_holder("grouping", own.keys)
        service = Service("grouping", own, holder=holder, reactions=reactions, projections=[Seen()])
        await service.store.make("noted")

        async def has(person: str) -> bool:
            rows = service.store[collection_of("seen", 1)]
            row = await rows.find_one({"person": person})
            return row is not None and await service.store["noted"].count_documents({}) >= len(people)

        async with running(service, ["consume"]):
            people: list[str] = []
            for n in range(2 * commands):
                if n == commands:  # by now everything is remembered of every partition
                    statements.taken(service.store.name)
                people.append(await refer(enrolled))
                await eventually(partial(has, people[-1]))
                await asyncio.sleep(0.1)  # the other consumers end their batches
        sent = Counter(statements.taken(service.store.name))
    print(sent)
    reads = sum(number for what, number in sent.items() if what.startswith("find"))
    assert reads <= commands * 2, sent  # the key's table; a batch that begins a partition
    assert sum(sent.values()) <= commands * 22, sent
