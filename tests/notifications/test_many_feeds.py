"""Feeds of another programme, however many and however their topics fail, keep no partner waiting."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from notifications import publisher as publishing
from notifications.feed_position import FeedPosition
from notifications.feed_start import find_positions
from notifications.publisher import Publisher
from services.contracts import Topic
from services.contracts.enrolment import Purpose
from services.programmes import read_text
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.lease import Lease
from tests.helpers.own_programme import World, in_a_programme_of_its_own
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
FEEDBACK = (Purpose.PARTICIPATION, Purpose.PARTNER_FEEDBACK)
MANY = 40
PARTNER = '[[partners]]\nid = "{id}"\nname = "One of many"\nroles = ["referrer"]\nfeed = ["worker.referred"]\n\n'


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a programme of the test's own, beside which another one, `two…`, comes with very many feeds."""
    own = in_a_programme_of_its_own(settings, tmp_path)
    text, partner = (tmp_path / f"{own.only}.toml").read_text(), str(own.only).replace("own", "m")
    head, slots = text[: text.index("[[partners]]")], text[text.index("[[slots]]") :]
    many = "".join(PARTNER.format(id=f"{partner}-{each}") for each in range(MANY))
    second = (head + many + slots).replace(f'"{own.only}"', f'"two{own.only}"')
    (tmp_path / f"two{own.only}.toml").write_text(second)
    read_text(second, "two.toml")
    return own


@pytest_asyncio.fixture
async def both(own: Settings, teller: Teller) -> AsyncIterator[Callable[[], Service]]:
    """A function that builds notifications for both programmes."""
    yield lambda: teller(only=f"{own.only},two{own.only}")


async def delivered(service: Service, partner: str, number: int, seconds: float) -> None:
    async def there() -> bool:
        found = await service.store["deliveries"].find_one({"partner": partner})
        return found is not None and found["delivered"] >= number

    await eventually(there, seconds)


async def test_a_topic_of_another_programme_that_fails_stops_its_own_feed_alone(
    world: World, both: Callable[[], Service]
) -> None:
    service, bad = both(), f"{world.programme.replace('own', 'm')}-7"
    await service.bus.prepare([Topic(f"ama.feed.{bad}", service.name, partitions=2)])
    async with running(service, ["consume"]):
        for number in (1, 2):
            await world.consent(await world.refer(), True, *FEEDBACK)
            await delivered(service, world.partner, number, 60)

        async def noted() -> Any:
            return (await service.store["deliveries"].find_one({"partner": bad}) or {}).get("stopped")

        assert await eventually(noted, 60) == "its topic fails: Misconfigured"

        async def others() -> bool:
            found = service.store["deliveries"].find({"programme": f"two{world.programme}", "stopped": None})
            return len(await found.to_list(None)) == MANY - 1

        await eventually(others, 90)
        assert not service.tasks.over


async def test_one_reader_finds_the_positions_of_many_feeds(
    world: World, both: Callable[[], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, partner = both(), world.programme.replace("own", "m")
    feeds = [FeedPosition(f"two{world.programme}", f"{partner}-{each}") for each in range(MANY)]
    readers, made = [], service.bus.reader

    def counted(**options: Any) -> Any:
        readers.append(made(**options))
        return readers[-1]

    monkeypatch.setattr(service.bus, "reader", counted)
    await find_positions(service.store, service.bus, service.name, feeds)
    assert len(readers) == 1
    assert {(each.last, each.end, each.stopped) for each in feeds} == {(0, 0, None)}
    await service.store.close()


async def test_feeds_begin_in_parts_and_one_transaction_takes_so_much_and_each_in_its_turn(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AT_ONCE", 10)
    monkeypatch.setattr(publishing, "TOGETHER", 3)
    service = teller(background=(), only=f"{world.programme},two{world.programme}")
    one = Publisher(service, Lease(service.store, "another"))
    async with running(service, ["consume"]):
        for _ in range(4):
            await world.consent(await world.refer(), True, *FEEDBACK)

        async def entered() -> bool:
            return int(await service.store["entry"].count_documents({})) == 4

        await eventually(entered, 40)
        begun = []
        while await one.begin():
            begun.append(len(one.feeds))
        assert begun == [10, 20, 30, 40, 41]
        assert [len(entries) for _, entries in await one._waiting()] == [3]
