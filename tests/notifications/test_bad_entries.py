"""An entry that cannot be read or written stops the delivery of its own ledger, with a reason, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notifications.replay import restore_feeds
from services.contracts import Topic
from services.contracts.enrolment import Purpose
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.own_programme import World, in_a_programme_of_its_own, with_another_file
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
FEEDBACK = (Purpose.PARTICIPATION, Purpose.PARTNER_FEEDBACK)


@pytest.fixture
def own(settings: Settings, tmp_path: Path, tmp_path_factory: Any) -> Settings:
    """Settings with a programme of the test's own, of which both partners have a feed."""
    folder: Path = tmp_path_factory.mktemp("files")
    return with_another_file(in_a_programme_of_its_own(settings, tmp_path), folder, _both_have_a_feed)


async def entered(service: Service, partner: str, number: int) -> None:
    async def there() -> bool:
        return int(await service.store["entry"].count_documents({"state.partner": partner})) >= number

    await eventually(there, 40)


async def delivered(service: Service, partner: str, where: Callable[[Any], bool]) -> Any:
    """The state of a feed's delivery, as soon as it is as wanted."""

    async def there() -> Any:
        found = await service.store["deliveries"].find_one({"partner": partner})
        return found if found and where(found) else None

    return await eventually(there, 60)


def _both_have_a_feed(text: str) -> str:
    return text.replace('name = "A partner without"\n', 'name = "A partner without"\nfeed = ["worker.referred"]\n')


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"state.fact.type": "it.amalavoro.feed.nobody.knows.v1"}, "entry 2 cannot be written"),
        ({"state.fact.on": "no day"}, "entry 2 cannot be read"),
    ],
    ids=["unknown-type", "no-day"],
)
async def test_a_bad_entry_stops_its_own_ledger_alone(
    world: World, teller: Teller, damage: dict[str, str], reason: str
) -> None:
    async with running(teller(background=()), ["consume"]) as service:
        for _ in range(3):
            await world.consent(await world.refer(), True, *FEEDBACK)
        await world.consent(await world.refer(world.stranger), True, *FEEDBACK)
        await entered(service, world.partner, 3)
        await entered(service, world.stranger, 1)
        await service.store["entry"].update_one({"_id": f"{world.programme}/{world.partner}.2"}, {"$set": damage})
    async with running(teller(), ["consume"]) as service:
        stopped = await delivered(service, world.partner, lambda found: bool(found["stopped"]))
        await delivered(service, world.stranger, lambda found: found["delivered"] == 1)
        await world.consent(await world.refer(world.stranger), True, *FEEDBACK)
        await delivered(service, world.stranger, lambda found: found["delivered"] == 2)
        assert not service.tasks.over
    assert (stopped["delivered"], stopped["stopped"]) == (1, reason)


async def with_a_bad_record(world: World, teller: Teller) -> Service:
    """Return notifications before its start, with a record on the partner's topic that is no entry."""
    service = teller(background=())
    await service.bus.prepare([Topic(world.topic, service.name, partitions=1)])
    producer = service.bus.producer(f"t.{world.partner}")
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(world.topic, b"no entry", partition=0)
    await producer.stop()
    return service


async def test_a_record_on_a_feeds_topic_that_is_no_entry_stops_this_feed(world: World, teller: Teller) -> None:
    service = await with_a_bad_record(world, teller)
    await service.store.close()
    async with running(teller(), ["consume"]) as service:
        stopped = await delivered(service, world.partner, lambda found: bool(found["stopped"]))
        assert not service.tasks.over
    assert stopped["stopped"] == "the topic's record at offset 0 is none of a ledger"


async def test_a_topic_that_cannot_be_read_back_after_a_restore_ends_no_start(
    world: World, teller: Teller, caplog: pytest.LogCaptureFixture
) -> None:
    service = await with_a_bad_record(world, teller)
    await restore_feeds(service)
    await service.store.close()
    assert "feed cannot be read back" in caplog.messages
