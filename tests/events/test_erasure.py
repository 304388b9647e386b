"""A consumer's transaction that began before an erasure writes nothing about the person: it conflicts, and is taken again."""

import asyncio
import dataclasses
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio

from services.contracts import Event, decode, encode
from services.contracts.enrolment import WorkerErased, WorkerReferred
from services.events.delivery.declare import Projection, Rows, on
from services.events.delivery.state import Dead, Mark, Parked, ParkedStatus, Record, key_of
from services.events.inbox import dead_letters
from services.events.inbox.assignment import begin_partitions
from services.events.inbox.batches import Batches
from services.events.inbox.documents import dead_change, mark_document, mark_id, offset_document, parked_document
from services.events.inbox.effects import Projecting
from services.events.inbox.gate import GATE
from services.events.inbox.gate_taking import take_in_any_order
from services.events.inbox.generations import begin
from services.events.inbox.projections import collection_of, consumer_of
from services.kernel import Command, Refused
from services.runtime.consumers import Consumers
from services.runtime.erasures import state_of
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.answers import Repeat
from services.store.clock import now_utc
from services.store.collections import prepare
from services.store.commands import Commanding
from services.store.mongo import InsertOne, Store, Transaction, UpdateOne
from services.store.unit import Unit
from services.store.work import Work
from services.vault.keyring import KeyHolder, master_holder, service_holder

PROGRAMME = "jobs2"
Pause = Callable[[], Awaitable[Any]]


class Seen(Projection):
    name = "seen"

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, partner=event.data.partner)


@pytest_asyncio.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A service with one projection, whose consumers do not run."""
    own = settings.model_copy(update={"database": f"e{uuid.uuid4().hex[:10]}"})
    one = Service("grouping", own, holder=service_holder("grouping", own.keys), projections=[Seen()])
    async with running(one, []):
        yield one


def record(kind: type[WorkerErased | WorkerReferred], offset: int, person: str = "somebody") -> Record:
    """A record about the person, in partition 0."""
    data = WorkerErased() if kind is WorkerErased else WorkerReferred(partner="afol")
    source, at = f"/programmes/{PROGRAMME}/enrolment", now_utc()
    event: Event[Any] = Event(f"{person}-{offset}", source, kind.type, person, at, at, offset + 1, data)
    return Record("ama.enrolment", 0, offset, person.encode(), encode(event))


def gate(service: Service) -> Batches:
    """The gate of the service, without a bus."""
    begin = Consumers(service).gating
    return Batches(GATE, service.store, begin, service.metrics, 0, taking=take_in_any_order)


def projecting(service: Service, pause: Pause, generation: int = 1) -> Batches:
    """A consumer that pauses between reading the register of the erased and writing its rows."""
    store = service.store

    def begin(session: Transaction) -> tuple[Any, Callable[[], Awaitable[Any]]]:
        unit = Unit(store, session, service.holder, now_utc())
        effect = _Pausing(unit, service.read_models.handlers, {"seen": collection_of("seen", generation)})
        effect.pause = pause
        return effect, effect.write

    return Batches(consumer_of(generation), store, begin, service.metrics, 0)


class _Pausing(Projecting):
    pause: Pause

    async def apply(self, event: Event[Any]) -> str:
        outcome = await super().apply(event)
        await self.pause()
        return outcome


def once() -> tuple[asyncio.Event, asyncio.Event, Pause]:
    """Make a pause for the first caller alone. Returns what tells that it was reached, what ends it, and the pause."""
    reached, over = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        if not reached.is_set():
            reached.set()
            await over.wait()

    return reached, over, pause


async def nothing() -> None:
    """Pause for no time."""


async def rows(store: Store) -> list[dict[str, Any]]:
    return list(await store[collection_of("seen", 1)].find().to_list(None))


async def test_a_row_that_is_written_beside_an_erasure_is_not_stored(service: Service) -> None:
    store = service.store
    await store["offsets"].insert_one(offset_document(consumer_of(1), ("ama.enrolment", 0), 0))
    reached, over, pause = once()
    late = asyncio.create_task(projecting(service, pause).take([record(WorkerReferred, 0)]))
    await reached.wait()
    await gate(service).take([record(WorkerErased, 1)])
    over.set()
    await late
    assert await rows(store) == []
    kept = await store["offsets"].find_one({"consumer": consumer_of(1)})
    assert kept["next"] == 1, "the record is taken, without an effect"


async def test_a_parked_event_that_is_taken_beside_an_erasure_has_no_effect(service: Service) -> None:
    store, waiting = service.store, record(WorkerReferred, 0)
    event = Event("somebody-0", f"/programmes/{PROGRAMME}/enrolment", "", "somebody", now_utc(), now_utc(), 1, None)
    parked = Parked(waiting, ParkedStatus.NOT_YET, "", now_utc(), now_utc())
    await store["offsets"].insert_one(offset_document(consumer_of(1), ("ama.enrolment", 0), 1))
    await store["parked"].insert_one(parked_document(consumer_of(1), key_of(event), 1, parked))
    reached, over, pause = once()
    late = asyncio.create_task(projecting(service, pause).take([], [key_of(event)]))
    await reached.wait()
    await gate(service).take([record(WorkerErased, 1)])
    over.set()
    await late
    assert await rows(store) == []
    assert await store["parked"].count_documents({}) == 0


async def left(service: Service, person: str = "somebody") -> tuple[bool, dict[str, int]]:
    state = await state_of(service, PROGRAMME, person)
    return state.complete, state.left


async def test_a_dead_letter_that_names_the_person_in_its_content_alone_is_deleted(service: Service) -> None:
    store, at = service.store, now_utc()
    batches = projecting(service, once()[2])
    envelope = orjson.loads(record(WorkerReferred, 0).value or b"")
    unreadable = Record("ama.enrolment", 0, 0, b"k", orjson.dumps({**envelope, "time": "yesterday"}))
    other = Record("ama.enrolment", 0, 1, b"k", unreadable.value.replace(b"somebody", b"somebody-else"))  # type: ignore[union-attr]
    await batches.take([unreadable, other])
    assert await store["dead"].count_documents({}) == await store["outbox"].count_documents({}) == 2
    await gate(service).take([record(WorkerErased, 1)])
    assert await left(service) == (True, {})
    (kept,) = await store["dead"].find().to_list(None)
    assert (b"somebody-else" in kept["value"], kept["at"] >= at.replace(microsecond=0)) == (True, True)
    assert await store["outbox"].count_documents({}) == 1
    # What becomes a dead letter after the erasure is deleted when the confirmation is asked for.
    await batches.take([replace(unreadable, offset=2)])
    assert await store["dead"].count_documents({}) == 2
    assert await left(service) == (True, {})


async def test_an_event_in_whose_place_an_intruder_stands_holds_no_erasure_up(service: Service) -> None:
    store, nobody_waits = service.store, asyncio.Event()
    nobody_waits.set()
    batches = projecting(service, nobody_waits.wait)
    forged = record(WorkerReferred, 0)
    erased = orjson.loads(record(WorkerErased, 0).value or b"")
    true = Record("ama.enrolment", 0, 1, b"k", orjson.dumps({**erased, "id": "true"}))
    await batches.take([forged])
    await gate(service).take([true])
    await batches.take([true])
    assert await store["dead"].count_documents({}) == 0
    assert await left(service) == (True, {})


async def test_a_dead_letter_of_an_erased_person_that_is_closed_is_deleted(service: Service) -> None:
    store, batches = service.store, projecting(service, once()[2])
    await gate(service).take([record(WorkerErased, 1)])
    dead = Dead(record(WorkerReferred, 0), "why", decode(record(WorkerReferred, 0).value))
    await store.write("dead", [UpdateOne({"_id": "a"}, dead_change(batches.name, dead, now_utc()), upsert=True)])
    mark = mark_document(batches.name, key_of(decode(dead.record.value)), Mark(stopped="why"))
    await store["marks"].insert_one({"_id": mark_id(mark["subject_key"], batches.name), **mark})
    await dead_letters.dismiss(store, "a", "anna", "of no use")
    assert await store["dead"].count_documents({}) == 0


async def test_a_consumer_that_begins_a_partition_beside_an_erasure_stores_nothing(service: Service) -> None:
    generation, store = await begin(service.read_models), service.store
    reached, over, pause = once()

    @service.gate.on(WorkerErased)
    async def slowly(_: str, __: Work) -> None:
        await pause()

    async def rebuild() -> None:
        batches = projecting(service, nothing, generation)
        await begin_partitions(store, batches.name, [("ama.enrolment", 0)])
        await batches.take([record(WorkerReferred, 0)])

    erasing = asyncio.create_task(gate(service).take([record(WorkerErased, 1)]))
    await reached.wait()
    late = asyncio.create_task(rebuild())
    await asyncio.wait([late], timeout=1)
    over.set()
    await asyncio.gather(erasing, late)
    assert await left(service) == (True, {})
    kept = await store["offsets"].find_one({"consumer": consumer_of(generation)})
    assert kept["next"] == 1, "the record is taken, without an effect"


async def test_an_erasure_deletes_rows_of_every_generation(service: Service) -> None:
    store = service.store
    generation = await begin(service.read_models)
    for each in (1, generation):
        row = {"_id": f"{PROGRAMME}/somebody", "programme": PROGRAMME, "person": "somebody"}
        await store.write(collection_of("seen", each), [InsertOne(row)])
    await gate(service).take([record(WorkerErased, 0)])
    assert [await store[collection_of("seen", each)].count_documents({}) for each in (1, generation)] == [0, 0]
    (entry,) = await store["erased"].find().to_list(None)
    assert (entry["_id"], entry["done"] is not None) == (f"{PROGRAMME}/somebody", True)


async def test_a_command_that_seals_a_field_beside_an_erasure_is_refused(service: Service) -> None:
    store, sealed = service.store, asyncio.Event()
    keys = service.settings.keys
    published = master_holder(keys).make("somebody").published
    await store["keys"].insert_one(
        {"_id": f"{PROGRAMME}/somebody", "programme": PROGRAMME, "sequence": 1, "value": published}
    )
    erased = asyncio.Event()

    async def keep(_: Command, work: Work) -> None:
        await work.seal("somebody", "wish", "apart")
        sealed.set()
        await erased.wait()

    late = asyncio.create_task(service.do(keep, Command(), PROGRAMME))
    await sealed.wait()
    await gate(service).take([record(WorkerErased, 0)])
    erased.set()
    with pytest.raises(Refused) as refused:
        await late
    assert refused.value.code == "erased"


def request(person: str, answers: str = "3") -> Repeat:
    """A request that a client may send again, with a body of few possible contents."""
    return Repeat(PROGRAMME, f"PUT /workers/{person}/surveys/who5/T0\nkey", answers.encode(), frozenset({person}))


async def send(
    service: Service, repeat: Repeat, runs: list[str] | None = None, commanding: Commanding | None = None
) -> Any:
    async def survey(_: Command, __: Work) -> dict[str, int]:
        (runs if runs is not None else []).append("run")
        return {"score": 3}

    commanding = commanding or service.commanding
    return await commanding.run(survey, Command(), service.rules[PROGRAMME], "c", repeat=repeat)


async def test_a_kept_answer_cannot_be_found_by_trying_every_body(service: Service) -> None:
    for person in ("w1", "w2"):
        await send(service, request(person))
    kept = await service.store["answers"].find().to_list(None)
    assert len({each["body"] for each in kept}) == 2, "nobody learns that two people said the same"
    for each in kept:
        tried = [hashlib.sha256(body).hexdigest() for n in range(6) for body in (b"%d" % n, request("w1").body)]
        assert not set(tried) & {each["body"], each["_id"].partition("/")[2]}
        with_another_key = {request(person, str(n)).digest(bytes(32)) for person in ("w1", "w2") for n in range(6)}
        assert each["body"] not in with_another_key


async def test_an_erasure_empties_kept_answers_and_a_repeat_of_them_is_refused(service: Service) -> None:
    runs: list[str] = []
    assert await send(service, request("somebody"), runs) == await send(service, request("somebody"), runs)
    await send(service, request("other"), runs)
    assert runs == ["run"] * 2
    assert (await state_of(service, PROGRAMME, "somebody")).left == {"answers": 1}
    await gate(service).take([record(WorkerErased, 0)])
    state = await state_of(service, PROGRAMME, "somebody")
    assert (state.complete, state.left) == (True, {})
    (empty,) = await service.store["answers"].find({"erased": True}).to_list(None)
    assert (empty["body"], empty["answer"], empty["about"]) == ("", None, [])
    assert await service.store["answers"].count_documents({"about": "other", "answer": {"score": 3}}) == 1
    with pytest.raises(Refused) as refused:
        await send(service, request("somebody"), runs)
    assert (refused.value.code, len(runs)) == ("erased", 2)


async def test_an_answer_that_is_kept_beside_an_erasure_names_nobody_afterwards(service: Service) -> None:
    published = master_holder(service.settings.keys).make("somebody").published
    key = {"_id": f"{PROGRAMME}/somebody", "programme": PROGRAMME, "sequence": 1, "value": published}
    await service.store["keys"].insert_one(key)
    reached, over, pause = once()

    async def slow(_: Command, work: Work) -> None:
        await work.knows("somebody")  # the snapshot of this transaction is from before the erasure
        await pause()

    command = service.commanding.run(slow, Command(), service.rules[PROGRAMME], "c", repeat=request("somebody"))
    late = asyncio.create_task(command)
    await reached.wait()
    await gate(service).take([record(WorkerErased, 0)])
    over.set()
    await late
    assert (await state_of(service, PROGRAMME, "somebody")).left == {}


async def test_answers_of_an_older_version_go_at_the_start(service: Service) -> None:
    await service.store["answers"].insert_one({"_id": f"{PROGRAMME}/old", "programme": PROGRAMME, "body": "hash"})
    await send(service, request("somebody"))
    await prepare(service.store, [])
    assert await service.store["answers"].distinct("about") == ["somebody"]
    assert await service.store["answers"].count_documents({}) == 1


async def test_an_answer_is_found_by_its_repeat_after_the_master_key_was_rotated(service: Service) -> None:
    class Rotated:
        """The secrets of a holder after a rotation: a newer one before the older one."""

        def secrets(self, purpose: str) -> list[bytes]:
            return [bytes(32), *service.holder.secrets(purpose)]

    runs: list[str] = []
    await send(service, request("somebody"), runs)
    rotated = dataclasses.replace(service.commanding, holder=cast("KeyHolder", Rotated()))
    await send(service, request("somebody"), runs, rotated)
    assert runs == ["run"]
