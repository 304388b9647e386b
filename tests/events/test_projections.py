"""One consumer for all projections of a service: what readers see, also after an older version and beside a rebuild."""

import asyncio
import re
from collections.abc import Collection
from typing import Any

import pytest

from services.contracts import TOPICS, Event, encode
from services.contracts.enrolment import ConsentChanged, WorkerErased, WorkerReferred
from services.events.delivery.declare import Projection, Rows, on
from services.events.delivery.state import Dead, Mark, Parked, ParkedStatus, Record, key_of
from services.events.inbox import dead_letters
from services.events.inbox.documents import (
    dead_change,
    dead_id,
    mark_document,
    mark_id,
    offset_document,
    parked_document,
)
from services.events.inbox.generations import begin, is_whole, lease_of, switch
from services.events.inbox.projections import consumer_of
from services.kernel import NotYet
from services.operations.rebuild import rebuild
from services.runtime.erasures import state_of
from services.runtime.service import Service, running
from services.settings import Misconfigured, Settings
from services.store.clock import now_utc
from services.store.lease import LeaseLost
from services.store.mongo import InsertOne, UpdateOne
from services.vault.keyring import service_holder
from tests.helpers.own_engines import PROGRAMME, event, subjects, tell, until_dead
from tests.helpers.waiting import eventually

EVENTS = "ama.enrolment"


class Partners(Projection):
    """One row per worker: the partner. It waits for the events in `missing`."""

    name = "partners"
    missing: Collection[str] = ()

    @on(WorkerReferred)
    def referred(self, event: Event[WorkerReferred], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, partner=event.data.partner)
        if event.id in self.missing:
            raise NotYet("what the test holds back")


class Seen(Projection):
    """One row per worker: the last sequence. It fails at the events in `broken`."""

    name = "seen"
    broken: Collection[str] = ()

    @on(WorkerReferred, ConsentChanged)
    def took(self, event: Event[Any], rows: Rows) -> None:
        if event.id in self.broken:
            raise RuntimeError("Mario Rossi cannot be found")
        rows.set(event.subject, person=event.subject, last=event.sequence)


def service_of(settings: Settings, *projections: Projection) -> Service:
    """A service of these projections, which has no reactions."""
    return Service("grouping", settings, holder=service_holder("grouping", settings.keys), projections=projections)


async def rows(service: Service, *wanted: str) -> dict[str, dict[str, Any]]:
    """Facts of these subjects in the live rows of all projections."""
    found: dict[str, dict[str, Any]] = {}
    for name in service.read_models.projections:
        async for row in service.read_models.rows(name, {"programme": PROGRAMME, "person": {"$in": [*wanted]}}):
            found.setdefault(row["person"], {}).update({fact: row[fact] for fact in ("partner", "last") if fact in row})
    return found


async def until_rows(service: Service, wanted: dict[str, dict[str, Any]]) -> None:
    async def there() -> bool:
        return await rows(service, *wanted) == wanted

    await eventually(there)


async def rows_of(service: Service, person: str) -> dict[str, int]:
    """The number of rows about the person, by collection, of whatever generation."""
    store = service.store
    found = {
        name: await store[name].count_documents({"person": person}) for name in await service.read_models.collections()
    }
    return {name: n for name, n in found.items() if n}


async def kept_of(service: Service, consumer: str) -> dict[str, int]:
    """The number of documents that each collection keeps of a consumer."""
    store, where = service.store, {"consumer": consumer}
    found = {name: await store[name].count_documents(where) for name in ("marks", "offsets", "parked")}
    return {name: n for name, n in found.items() if n}


async def fill_as_an_older_version(service: Service, projection: str, generation: int, *taken: Event[Any]) -> None:
    """Store what this one projection had when each had a consumer of its own; its rows say that they are `old`."""
    store, consumer = service.store, f"{projection}.g{generation}"
    for each in taken:
        row = {"_id": f"{PROGRAMME}/{each.subject}", "programme": PROGRAMME, "person": each.subject, "partner": "old"}
        await store.write(consumer, [InsertOne(row)])
        mark = mark_document(consumer, key_of(each), Mark(each.sequence, each.id))
        await store["marks"].insert_one({"_id": mark_id(key_of(each), consumer), **mark})
        dead = dead_change(consumer, Dead(Record(EVENTS, 0, 0, b"k", encode(each)), "why", each), now_utc())
        await store.write("dead", [UpdateOne({"_id": dead_id(consumer, each.id)}, dead, upsert=True)])
    await store["offsets"].insert_one(offset_document(consumer, (EVENTS, 0), 1))


async def publish(service: Service, *events: Event[Any]) -> None:
    await service.bus.prepare([TOPICS[EVENTS]])
    await tell(service.bus, *events)


async def test_after_an_older_version_nobody_reads_a_half_filled_generation(settings: Settings) -> None:
    seen = subjects(30)
    service = service_of(settings, Partners(), Seen())
    store, told = service.store, [event(each, 1) for each in seen]
    await fill_as_an_older_version(service, "partners", 1, *told)
    await fill_as_an_older_version(service, "seen", 3, *told)
    await store["projections"].insert_one({"_id": "seen", "live": 3})
    gone = {"_id": dead_id("seen", told[0].id), "consumer": "seen", "name": told[0].id, "keeps": True}
    await store["dismissed"].insert_one({**gone, "by": "anna", "why": "of no use", "at": now_utc()})
    await publish(service, *told)
    async with running(service, ["consume"]):
        wanted = {each: {"partner": "afol", "last": 1} for each in seen[1:]}
        assert await rows(service, *seen) == wanted, "at once; and what was dismissed stays so"
        assert await service.read_models.collections() == ["partners.g4", "seen.g4"]
        assert [await kept_of(service, each) for each in ("partners.g1", "seen.g3")] == [{}, {}]
        assert await store["dead"].distinct("status", {"consumer": {"$in": ["partners.g1", "seen.g3"]}}) == [
            "superseded"
        ]
        assert [*service.runners] == ["tables", "gate", "projections.g4"]


async def test_a_copy_that_only_answers_waits_for_one_that_consumes(settings: Settings) -> None:
    (one,) = subjects(1)
    service, answers = service_of(settings, Partners()), service_of(settings, Partners())
    await fill_as_an_older_version(service, "partners", 1, event(one, 1))
    await publish(service, event(one, 1))
    started = asyncio.create_task(answers.start(["api"]))
    assert not (await asyncio.wait([started], timeout=2))[0]
    async with running(service, ["consume"]):
        await asyncio.wait_for(started, 30)
        assert await rows(answers, one) == {one: {"partner": "afol"}}
    await answers.stop()


class SeenBefore(Projection):
    """The projection `Seen` of an older version, which handled fewer types."""

    name = Seen.name

    @on(WorkerReferred)
    def took(self, event: Event[Any], rows: Rows) -> None:
        rows.set(event.subject, person=event.subject, last=event.sequence)


@pytest.mark.parametrize("old", [Partners, SeenBefore])
async def test_a_projection_of_a_new_version_is_filled_before_the_service_is_ready(
    settings: Settings, old: type[Projection]
) -> None:
    (one,) = subjects(1)
    before = service_of(settings, old())
    await publish(before, event(one, 1), event(one, 2))
    async with running(before, ["consume"]):
        await eventually(lambda: rows_of(before, one))
    new = [Seen()] if old is SeenBefore else [Partners(), Seen()]
    service = service_of(settings, *new)
    async with running(service, ["consume"]):
        assert (await rows(service, one))[one]["last"] == 2
        assert await service.read_models.live() == 2
    async with running(service_of(settings, *new), ["consume"]) as again:
        assert await again.read_models.live() == 2, "nothing has changed since"


async def test_the_reason_names_the_projection_that_failed_and_its_subject_waits_in_all(settings: Settings) -> None:
    bad, good = subjects(2)
    seen = Seen()
    seen.broken = {f"{bad}-1"}
    service = service_of(settings, Partners(), seen)
    await publish(service, *(event(each, n) for each in (bad, good) for n in (1, 2)))
    async with running(service, ["consume"]):
        await until_rows(service, {good: {"partner": "afol", "last": 2}})
        (dead,) = await until_dead(service, f"{bad}-1")
        assert dead["consumer"] == "projections.g1"
        assert re.fullmatch(r"RuntimeError at test_projections.py:\d+ in took of the projection seen", dead["why"])
        assert await rows_of(service, bad) == {}
        seen.broken = ()
        await dead_letters.redrive(service.store, dead["_id"], "anna")
        await until_rows(service, {bad: {"partner": "afol", "last": 2}})


async def test_an_event_for_which_one_projection_waits_is_in_none(settings: Settings) -> None:
    late, good = subjects(2)
    partners = Partners()
    partners.missing = {f"{late}-1"}
    service = service_of(settings, Seen(), partners)
    await publish(service, *(event(each, n) for each in (late, good) for n in (1, 2)))
    async with running(service, ["consume"]):
        await until_rows(service, {good: {"partner": "afol", "last": 2}})
        assert await rows_of(service, late) == {}
        partners.missing = ()
        await until_rows(service, {late: {"partner": "afol", "last": 2}})


async def test_an_erasure_beside_a_rebuild_leaves_no_row_and_none_comes_back(settings: Settings) -> None:
    gone, held = subjects(2)
    partners = Partners()
    service = service_of(settings, partners, Seen())
    await publish(service, event(gone, 1), event(held, 1))
    async with running(service, ["consume"]):
        await until_rows(service, {each: {"partner": "afol", "last": 1} for each in (gone, held)})
        partners.missing = {f"{held}-1"}  # the rebuild waits for it
        rebuilding = asyncio.create_task(rebuild(service, lambda *_: None))

        async def in_both() -> bool:
            return len(await rows_of(service, gone)) == 4

        await eventually(in_both)
        at = event(gone, 2)
        erasure: Event[Any] = at._replace(type=WorkerErased.type, data=WorkerErased())
        await tell(service.bus, erasure)

        async def erased() -> bool:
            return (await state_of(service, PROGRAMME, gone)).complete

        await eventually(erased)
        assert await rows_of(service, gone) == {}
        # What comes late from a bus that repeats has no effect.
        await tell(service.bus, event(gone, 1), event(gone, 3))
        partners.missing = ()
        assert await rebuilding == 2
        await until_rows(service, {held: {"partner": "afol", "last": 1}})
        assert await rows_of(service, gone) == {}


async def test_of_two_rebuilds_at_once_one_is_refused(settings: Settings) -> None:
    (held,) = subjects(1)
    partners = Partners()
    service, other = service_of(settings, partners), service_of(settings, Partners())
    await publish(service, event(held, 1))
    async with running(service, ["consume"]):
        await until_rows(service, {held: {"partner": "afol"}})
        partners.missing = {f"{held}-1"}
        rebuilding = asyncio.create_task(rebuild(service, lambda *_: None))
        await eventually(lambda: kept_of(service, consumer_of(2)))
        with pytest.raises(Misconfigured, match="rebuilt already, by"):
            await rebuild(other, lambda *_: None)
        partners.missing = ()
        assert await rebuilding == 2
        assert await rebuild(other, lambda *_: None) == 3
    await other.stop()


async def test_a_process_that_lost_its_lease_does_not_switch(settings: Settings) -> None:
    service = service_of(settings, Partners())
    models, lease = service.read_models, lease_of(service.read_models)
    assert await is_whole(models)
    assert await lease.take()
    generation = await begin(models)
    await lease.release()
    assert await lease_of(models).take()
    with pytest.raises(LeaseLost):
        await switch(models, generation, lease)
    assert await models.live() == 1
    await service.stop()


async def test_generations_before_the_live_one_are_discarded_at_the_start(settings: Settings) -> None:
    """A process that ended between the switch and the discard has left them."""
    service = service_of(settings, Partners())
    (one,) = subjects(1)
    await publish(service, event(one, 1))
    async with running(service, ["consume"]):
        await until_rows(service, {one: {"partner": "afol"}})
    service = service_of(settings, Partners())
    lease = lease_of(service.read_models)
    assert await lease.take()
    await switch(service.read_models, await begin(service.read_models), lease)
    async with running(service, ["consume"]):
        await until_rows(service, {one: {"partner": "afol"}})
        assert await service.read_models.collections() == ["partners.g2"]
        assert await kept_of(service, consumer_of(1)) == {}


async def test_what_a_consumer_kept_of_a_topic_that_it_reads_no_more_is_deleted(settings: Settings) -> None:
    """Its marks stay: if it reads the topic again, nothing takes effect twice."""
    service = service_of(settings, Partners())
    store, late = service.store, event(subjects(1)[0], 2)
    dead = Dead(Record(EVENTS, 0, 7, b"k", encode(late)), "why", late)
    await store["offsets"].insert_one(offset_document("reactions", (EVENTS, 0), 8))
    await store["marks"].insert_one({"_id": "m", **mark_document("reactions", key_of(late), Mark(1, "a", "why"))})
    parked = Parked(dead.record, ParkedStatus.DEAD, "why", now_utc(), now_utc())
    await store["parked"].insert_one(parked_document("reactions", key_of(late), 2, parked))
    await store.write("dead", [UpdateOne({"_id": "d"}, dead_change("reactions", dead, now_utc()), upsert=True)])
    async with running(service, ["consume"]):
        assert await kept_of(service, "reactions") == {"marks": 1}
        mark = await store["marks"].find_one({"_id": "m"})
        assert (mark["sequence"], "stopped" in mark) == (1, False)
        assert (await store["dead"].find_one({"_id": "d"}))["status"] == "superseded"
        assert "reactions" not in await service.consumers()
