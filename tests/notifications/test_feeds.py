"""A partner's feed on a real bus: its own referrals, by consent, once each, in order."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka.errors import KafkaError, ProducerFenced

from notifications.consumer_lag import ConsumerLag
from notifications.feed_topic import last_records
from notifications.publisher import Publisher
from services.contracts import Event, Topic
from services.contracts.enrolment import Purpose
from services.runtime.service import Service, running
from services.store.lease import Lease
from tests.helpers.own_programme import World
from tests.helpers.randomness import chance
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
FEEDBACK = (Purpose.PARTICIPATION, Purpose.PARTNER_FEEDBACK)


def kinds(events: list[Event[Any]]) -> list[str]:
    return [each.type.removeprefix("it.amalavoro.feed.").removesuffix(".v1") for each in events]


def gap_free(events: list[Event[Any]]) -> bool:
    return [each.sequence for each in events] == list(range(1, len(events) + 1))


def publisher(service: Service) -> Publisher:
    """A publisher with a lease of its own: a feed is protected by fencing, not by the lease."""
    return Publisher(service, Lease(service.store, uuid.uuid4().hex))


@asynccontextmanager
async def life(one: Publisher) -> AsyncIterator[None]:
    """Run a publisher, and cancel it at the end."""
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        while not task.done():
            task.cancel()  # again, since aiokafka takes one that comes while it closes a reader for its own
            await asyncio.wait([task], timeout=3)
        if not task.cancelled():
            task.result()


async def in_the_ledger(service: Service, world: World, number: int) -> None:
    async def there() -> bool:
        return int(await service.store["entry"].count_documents({"state.partner": world.partner})) >= number

    await eventually(there, 40)


async def test_a_partner_reads_what_became_of_its_own_referrals_and_of_no_other(world: World, teller: Teller) -> None:
    async with running(teller(), ["relay", "consume"]):
        mine, other = await world.refer(), await world.refer(world.stranger)
        for each in (mine, other):
            await world.consent(each)
            await world.admit(each)
        await world.seat(mine, other)
        events = await world.feed(3)
    assert kinds(events) == ["worker.referred", "worker.admitted", "worker.seated"]
    assert gap_free(events)
    assert len({each.subject for each in events}) == 1
    assert mine not in str(events)


async def test_without_consent_nothing_is_delivered_but_withdrawals_and_erasures(world: World, teller: Teller) -> None:
    async with running(teller(), ["relay", "consume"]) as service:
        silent, withdrawing, erased = [await world.refer() for _ in range(3)]
        await world.consent(silent, False, *FEEDBACK)
        await world.consent(withdrawing, True, *FEEDBACK)
        await world.consent(erased, True, *FEEDBACK)
        await in_the_ledger(service, world, 2)
        assert len(await world.feed(2)) == 2
        await world.consent(withdrawing, False, Purpose.PARTNER_FEEDBACK)
        await in_the_ledger(service, world, 3)
        await world.erase(erased)
        events = await world.feed(4)
        rest = await service.store["entry"].find({"state.worker": {"$ne": None}}).to_list(None)
    assert kinds(events) == ["worker.referred", "worker.referred", "consent.withdrawn", "worker.erased"]
    assert events[2].subject in {events[0].subject, events[1].subject}
    assert {events[2].subject, events[3].subject} == {events[0].subject, events[1].subject}
    assert gap_free(events)
    assert rest == []


async def test_what_is_withdrawn_between_writing_and_delivery_goes_out_as_withheld(
    world: World, teller: Teller
) -> None:
    service = teller(background=())  # nothing is delivered yet
    async with running(service, ["consume"]):
        worker = await world.refer()
        await world.consent(worker, True, *FEEDBACK)
        await in_the_ledger(service, world, 1)
        await world.consent(worker, False, Purpose.PARTNER_FEEDBACK)
        await in_the_ledger(service, world, 2)
    async with running(teller(), ["consume"]):
        events = await world.feed(2)
    assert kinds(events) == ["entry.withheld", "consent.withdrawn"]
    assert events[0].subject == "-"


async def test_a_publisher_that_dies_again_and_again_delivers_each_entry_once(world: World, teller: Teller) -> None:
    service = teller(background=())
    reached, moments = [0], chance()
    async with running(service, ["consume"]):
        people = [await world.refer() for _ in range(12)]
        for number, each in enumerate(people):
            await world.consent(each, True, *FEEDBACK)
            await world.admit(each)
            dying = publisher(service)

            def last(one: Publisher = dying) -> int:
                return next((each.last for each in one.feeds if each.partner == world.partner), 0)

            async def further(last: Callable[[], int] = last) -> bool:
                return last() > reached[-1]

            async with life(dying):
                if number % 2:  # every other one dies at its work, the rest at any moment from their start on
                    await eventually(further, 30)
                await asyncio.sleep(moments.uniform(0, 0.6))
                reached.append(max(reached[-1], last()))
        await in_the_ledger(service, world, 24)
        async with life(publisher(service)):
            events = await world.feed(24)
    assert len(set(reached)) > 5, "too few lives delivered something for this to be a test"
    assert gap_free(events)
    assert len(events) == 24


async def test_a_death_between_sending_and_committing_leaves_nothing_and_repeats_nothing(
    world: World, teller: Teller
) -> None:
    service = teller(background=())
    async with running(service, ["consume"]):
        await world.consent(await world.refer(), True, *FEEDBACK)
        await in_the_ledger(service, world, 1)
        dying = publisher(service)
        await service.bus.prepare([Topic(world.topic, service.name, partitions=1)])
        producer = service.bus.producer(dying.producer)
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(world.topic, b"never committed", partition=0)  # its process dies here
        async with life(publisher(service)):
            events = await world.feed(1)
        with suppress(KafkaError):
            await producer.stop()
    assert kinds(events) == ["worker.referred"]


async def test_a_publisher_that_was_frozen_is_fenced_when_it_wakes(world: World, teller: Teller) -> None:
    service = teller(background=())
    async with running(service, ["consume"]):
        await world.consent(await world.refer(), True, *FEEDBACK)
        await in_the_ledger(service, world, 1)
        frozen, waking = publisher(service), asyncio.Event()
        deliver = frozen.deliver

        async def deliver_after_a_sleep(*given: Any) -> bool:
            await waking.wait()
            return await deliver(*given)

        frozen.deliver = deliver_after_a_sleep  # type: ignore[assignment, method-assign]  # its places are found already
        sleeping = asyncio.create_task(frozen.run())
        await asyncio.sleep(2)
        async with life(publisher(service)):
            assert len(await world.feed(1)) == 1
            waking.set()
            with pytest.raises(ProducerFenced):
                await sleeping
            await world.consent(await world.refer(), True, *FEEDBACK)
            events = await world.feed(2)
    assert len(events) == 2
    assert gap_free(events)


async def test_a_topic_that_holds_another_ledger_is_left_alone(world: World, teller: Teller) -> None:
    async with running(teller(), ["consume"]):
        await world.consent(await world.refer(), True, *FEEDBACK)
        await world.feed(1)
    async with running(teller(database=world.settings.database + "x"), ["consume"]) as lost:

        async def stopped() -> Any:
            return (await lost.store["deliveries"].find_one({"partner": world.partner}) or {}).get("stopped")

        assert "not of this ledger" in await eventually(stopped)
    assert len(await world.feed(1)) == 1


async def test_the_last_record_is_found_behind_markers_and_what_was_aborted(world: World, teller: Teller) -> None:
    service = teller()
    await service.bus.prepare([Topic(world.topic, service.name, partitions=1)])
    assert await last_records(service.bus, [world.topic]) == {world.topic: None}
    producer = service.bus.producer(f"t.{world.partner}")
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(world.topic, b"the last", partition=0)
    for _ in range(3):
        await producer.begin_transaction()
        for _ in range(10):
            await producer.send_and_wait(world.topic, b"aborted", partition=0)
        await producer.abort_transaction()
    await producer.stop()
    last = (await last_records(service.bus, [world.topic]))[world.topic]
    assert last is not None
    assert last.value == b"the last"
    await service.store.close()


async def test_reactions_are_behind_while_a_record_lies_untaken_and_not_by_a_marker(
    world: World, teller: Teller
) -> None:
    service = teller(background=())
    await world.refer()
    async with ConsumerLag(service.store, service.bus, "ama.enrolment") as lag:
        await asyncio.sleep(1)
        assert await lag.exceeds(0.5)
        async with running(service, ["consume"]):

            async def level() -> bool:
                return not await lag.exceeds(0.5)

            assert await eventually(level)
