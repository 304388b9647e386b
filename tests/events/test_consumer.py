"""A consumer on real engines takes each event once: one that fails, one that waits, and records that are no events."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from services.contracts import Event, Topic
from services.contracts.enrolment import ConsentChanged, WorkerReferred
from services.contracts.topics import PARTITIONS
from services.events.delivery.declare import Reactions
from services.kernel import NotYet
from services.runtime.service import Service, running
from services.store.mongo import InsertOne
from services.store.work import Work
from tests.events.conftest import PROGRAMME, consent, on_the_topic, refer
from tests.helpers.waiting import eventually

Build = Callable[[Reactions], Service]


def noting(taken: list[tuple[str, int]], before: Callable[[Event[Any]], Any] | None = None) -> Reactions:
    """Reactions that store and list the events that they take."""
    reactions = Reactions()

    async def note(event: Event[Any], work: Work) -> None:
        if before is not None:
            await before(event)
        entry = {"_id": event.id, "subject": event.subject, "sequence": event.sequence}
        await work._unit.write("noted", [InsertOne(entry)])  # an effect of its own
        taken.append((event.subject, event.sequence))

    for kind in (WorkerReferred, ConsentChanged):
        reactions.on(kind)(note)
    return reactions


async def noted(service: Service, subject: str) -> list[int]:
    """The sequences that took effect, in order."""
    return [each["sequence"] async for each in service.store["noted"].find({"subject": subject}).sort("sequence", 1)]


async def test_an_event_that_fails_once_takes_effect_once_and_nothing_before_it_was_acknowledged(
    enrolled: Service, probe: Build
) -> None:
    workers = [await refer(enrolled) for _ in range(3)]
    await on_the_topic(enrolled, "ama.enrolment", lambda all_: {e.subject for e in all_} >= set(workers))
    failed: list[Any] = []

    async def fail_once(event: Event[Any]) -> None:
        if event.subject == workers[1] and not failed:
            where = {"topic": "ama.enrolment", "consumer": "reactions", "next": {"$gt": 0}}
            failed.append(await service.store["offsets"].find(where).to_list(10))
            failed.append(await noted(service, workers[0]))
            raise RuntimeError("once")

    service = probe(noting([], fail_once))
    await service.store.make("noted")
    async with running(service, ["consume"]):

        async def all_noted() -> bool:
            return [await noted(service, worker) for worker in workers] == [[1], [1], [1]]

        await eventually(all_noted)
        assert failed[0] == []
        assert failed[1] == []
        assert await service.store["dead"].count_documents({}) == 0


async def test_an_event_that_always_fails_is_buried_its_subject_waits_and_the_others_flow(
    enrolled: Service, probe: Build
) -> None:
    bad, good = await refer(enrolled), await refer(enrolled)
    await consent(enrolled, bad)

    async def fail(event: Event[Any]) -> None:
        if event.subject == bad:
            raise RuntimeError("never")

    service = probe(noting([], fail))
    await service.store.make("noted")
    async with running(service, ["consume", "relay"]):
        await eventually(lambda: noted(service, good))

        async def buried() -> Any:
            return await service.store["dead"].find_one({"key": bad.encode()})

        why = (await eventually(buried))["why"]
        assert why.startswith("RuntimeError at test_consumer.py:")
        assert "never" not in why, "an exception may quote what somebody said of themselves"
        later = await refer(enrolled)
        await eventually(lambda: noted(service, later))
        assert await noted(service, bad) == []

        async def waiting() -> bool:
            held = service.store["parked"].find({"subject_key": {"$regex": bad}}).sort("sequence", 1)
            return [each["sequence"] async for each in held] == [1, 2]

        await eventually(waiting)


async def test_what_needs_something_that_is_not_there_yet_waits_with_its_subject_and_then_follows(
    enrolled: Service, probe: Build
) -> None:
    early, needed = await refer(enrolled), asyncio.Event()
    await consent(enrolled, early)

    async def need(event: Event[Any]) -> None:
        if event.subject == early and not needed.is_set():
            raise NotYet("the other half")

    service = probe(noting([], need))
    await service.store.make("noted")
    async with running(service, ["consume"]):
        other = await refer(enrolled)
        await eventually(lambda: noted(service, other))
        assert await noted(service, early) == []
        needed.set()

        async def followed() -> bool:
            return await noted(service, early) == [1, 2]

        await eventually(followed)
        assert await service.store["parked"].count_documents({"subject_key": {"$regex": early}}) == 0


async def test_records_that_are_no_events_are_buried_and_what_follows_is_taken(enrolled: Service, probe: Build) -> None:
    service = probe(noting([]))
    await service.store.make("noted")
    producer = enrolled.bus.producer(f"stranger-{uuid.uuid4().hex}")
    await producer.start()
    async with producer.transaction():
        for value, headers in (
            (b"", []),
            (None, []),
            (b"{}", [("content-type", b"\xff\xfe")]),
            (b"\x00", [("\u00e9", b"\x80")]),
        ):
            await producer.send("ama.enrolment", value=value, key=b"nobody", headers=headers)
    await producer.stop()
    async with running(service, ["consume"]):
        worker = await refer(enrolled)
        await eventually(lambda: noted(service, worker))

        async def buried() -> bool:
            return bool(await service.store["dead"].count_documents({"key": b"nobody"}) >= 4)

        await eventually(buried)


async def test_a_service_that_starts_again_goes_on_where_its_effects_are(enrolled: Service, probe: Build) -> None:
    first = await refer(enrolled)
    taken: list[tuple[str, int]] = []
    service = probe(noting(taken))
    await service.store.make("noted")
    async with running(service, ["consume"]):
        await eventually(lambda: noted(service, first))
    second = await refer(enrolled)
    again = Service("grouping", service.settings, holder=service.holder, reactions=noting(taken))
    async with running(again, ["consume"]):
        await eventually(lambda: noted(again, second))
    assert [subject for subject, _ in taken if subject in {first, second}] == [first, second]
    assert PROGRAMME in again.rules


async def test_a_consumer_that_holds_nothing_of_a_topic_knows_that_it_does_not_hold_of_all(probe: Build) -> None:
    single = Topic(f"single.{uuid.uuid4().hex[:8]}", "enrolment", partitions=1)
    one = probe(Reactions())
    other = Service("grouping", one.settings, holder=one.holder, reactions=Reactions())
    await one.bus.prepare([single])
    async with running(one, ["consume"]), running(other, ["consume"]):
        for each in (one, other):
            consumers = each._consumers
            await consumers._run("both", ["ama.enrolment", single.name], consumers.reacting)
        shared = [each.runners["both"] for each in (one, other)]

        async def shares() -> bool:
            held = [each._subscriber.consumer.assignment() for each in shared]
            return all(held) and sum(len(each) for each in held) == PARTITIONS + 1

        await eventually(shares)
        assert sorted(each.holds_all() for each in shared) == [False, True]
