"""Many failures one after the other: the consumer finds the event at fault, or stops when no event is."""

import asyncio

from aiokafka import AIOKafkaProducer

from services.contracts import TOPICS
from services.contracts.topics import KEYS
from services.events.delivery.state import key_of
from services.events.inbox import dead_letters
from services.events.inbox.failures import TooManyFailures
from services.runtime.service import Service, running
from services.vault.keyring import service_holder
from tests.helpers.own_engines import (
    Apart,
    changed,
    event,
    failing,
    from_now_on,
    key,
    listening,
    noted,
    noting,
    subjects,
    tell,
    until_dead,
    until_noted,
)
from tests.helpers.waiting import eventually


async def test_of_events_that_follow_each_other_in_one_transaction_the_one_that_fails_is_buried(apart: Apart) -> None:
    (late,), poison = subjects(1), set[str]()
    poison.add(f"{late}-3")
    service = apart.service(noting([], failing(poison)))
    async with listening(service):
        await tell(service.bus, event(late, 2), event(late, 3), event(late, 4))

        async def parked() -> bool:
            return bool(await service.store["parked"].count_documents({"subject_key": key(late)}) == 3)

        await eventually(parked)
        await tell(service.bus, event(late, 1))
        await until_dead(service, f"{late}-3")
        assert await noted(service, late) == {late: [1, 2]}
        assert [each["name"] for each in await dead_letters.listed(service.store)] == [f"{late}-3"]


async def test_when_many_fail_alike_the_consumer_stops_and_mended_takes_everything(apart: Apart) -> None:
    many, settings = subjects(8), apart.settings(alike=4)
    broken = apart.service(noting([], failing({f"{each}-1" for each in many})), settings=settings)
    async with listening(broken):
        await tell(broken.bus, *(event(each, n) for each in many for n in (1, 2)))
        assert broken.tasks.ended is not None
        await asyncio.wait([broken.tasks.ended], timeout=60)
        error = broken.tasks.ended.exception()
        assert isinstance(error, TooManyFailures)
        assert "reactions stopped: 4 subjects failed one after the other" in str(error)
        assert "\n" not in str(error)
        assert await dead_letters.listed(broken.store) == []
    mended = apart.service(noting([]), settings=settings)
    async with listening(mended):
        await until_noted(mended, {each: [1, 2] for each in many})
        assert await dead_letters.listed(mended.store) == []
        assert await mended.store["parked"].count_documents({}) == 0


async def test_when_the_events_are_at_fault_after_all_each_becomes_a_dead_letter_at_the_operators_word(
    apart: Apart,
) -> None:
    many, settings = subjects(6), apart.settings(alike=4)
    service = apart.service(noting([]), settings=settings)
    await service.store.make("noted")
    async with listening(service):
        await tell(service.bus, *(changed(event(each, 1), data={}) for each in many))
        assert service.tasks.ended is not None
        await asyncio.wait([service.tasks.ended], timeout=60)
        assert isinstance(service.tasks.ended.exception(), TooManyFailures)
        assert await dead_letters.listed(service.store) == [], "what fails in one batch is not buried either"
    patient = apart.service(noting([]), settings=settings.model_copy(update={"alike": 0}))
    async with listening(patient):
        assert len(await until_dead(patient, *(f"{each}-1" for each in many))) == 6
        assert key_of(event(many[0], 1)) == key(many[0])


async def test_a_service_that_stops_so_says_it_in_one_sentence_on_its_way_out(apart: Apart) -> None:
    many, service = subjects(3), apart.service(noting([]))
    admitted = "it.amalavoro.enrolment.worker.admitted.v1"
    await from_now_on(service, "reactions", "projections.g1")
    await tell(service.bus, *(changed(event(each, 1), type=admitted, data={}) for each in many))
    words = ("serve", "grouping", "--roles", "consume", "--port", "0")
    status, said = await apart.process(service, *words, AMA_ALIKE="3")
    assert status == 1
    (last,) = [line for line in said.splitlines() if not line.startswith("{")]
    assert last.startswith("ama: reactions stopped: 3 subjects failed one after the other")
    assert await dead_letters.listed(service.store) == []
    await service.stop()


async def test_a_record_that_no_table_can_keep_is_dead_and_the_service_goes_on(apart: Apart) -> None:
    settings = apart.settings()
    service = Service("grouping", settings, holder=service_holder("grouping", settings.keys), tables=[KEYS])
    await service.bus.prepare(TOPICS.values())
    producer = AIOKafkaProducer(**service.bus.client())
    await producer.start()
    for headers in ([("programme", b"\xff")], [("programme", b"p"), ("sequence", b"1")]):
        await producer.send_and_wait(KEYS.name, value=b"{}", key=b"somebody", headers=headers)
    await producer.stop()
    async with running(service, ["consume"]):
        assert await service.store["keys"].count_documents({"_id": "p/somebody"}) == 1
        assert [each["why"] for each in await dead_letters.listed(service.store)] == ["headers or key: not UTF-8"]
