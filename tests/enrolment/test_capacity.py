"""The room that the programme has, in bands: the rules, the first look of a day that counts for all copies, and the pages that say it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from enrolment.capacity.bands import Capacity, Places, Wait, granted, places_of, wait_of
from enrolment.capacity.judging import capacity
from enrolment.capacity.wording import PLACES, WEEKS
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.operators import page
from tests.enrolment.site import Site, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own


@pytest.mark.parametrize(
    ("free", "band"),
    [(-3, Places.NONE), (0, Places.NONE), (1, Places.FEW), (15, Places.FEW), (16, Places.SOME), (400, Places.SOME)],
)
def test_places_are_none_few_or_some(free: int, band: Places) -> None:
    assert places_of(free, 15) is band


@pytest.mark.parametrize(
    ("days", "band"),
    [
        ([7] * 9, None),  # nine people: the wait of one would tell too much of it
        ([7] * 10, Wait.UP_TO_4),
        ([28] * 10, Wait.UP_TO_4),
        ([29] * 10, Wait.UP_TO_8),
        ([57] * 11, Wait.UP_TO_12),
        ([85] * 10, Wait.LONGER),
        ([7] * 6 + [300] * 5, Wait.UP_TO_4),  # the median, not the mean
    ],
)
def test_the_usual_wait_is_the_band_of_the_median_from_ten_people_on(days: list[int], band: Wait | None) -> None:
    assert wait_of(days) is band


@pytest.mark.parametrize(
    ("target", "open_", "concluded", "groups"),
    [(6, 0, 0, 6), (6, 4, 1, 5), (6, 6, 2, 6), (None, 0, 0, 1), (None, 3, 5, 4)],
)
def test_there_is_room_for_the_groups_that_the_programme_grants(
    target: int | None, open_: int, concluded: int, groups: int
) -> None:
    assert granted(target, open_, concluded) == groups


def test_every_band_has_words() -> None:
    assert {*PLACES} == {*Places}
    assert {*WEEKS} == {*Wait, None}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"ca{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


async def rows(place: Site, projection: str, *documents: dict[str, Any]) -> None:
    """Rows of the live read model, as events would have set them."""
    live = await place.service.read_models.live()
    made = [{"_id": f"{place.programme}/{each.pop('key')}", "programme": place.programme, **each} for each in documents]
    await place.service.store[f"{projection}.g{live}"].insert_many(made)


async def test_a_band_is_judged_once_a_day_and_a_leaving_is_not_seen_before_the_next(place: Site) -> None:
    service, day = place.service, datetime(2030, 5, 6, 9, tzinfo=UTC)
    await rows(place, "sizes", *({"key": f"g{n}", "group": f"g{n}", "meets": True, "members": 15} for n in range(6)))
    assert await capacity(service, place.programme, day) == Capacity(places=Places.NONE)
    live = await service.read_models.live()
    await service.store[f"sizes.g{live}"].update_one({"_id": f"{place.programme}/g0"}, {"$set": {"members": 14}})
    later = day + timedelta(hours=12)
    assert await capacity(service, place.programme, later) == Capacity(places=Places.NONE)
    assert (await capacity(service, place.programme, day + timedelta(days=1))).places is Places.FEW


async def test_who_waits_takes_a_place_and_the_usual_wait_is_that_of_the_latest(place: Site) -> None:
    given = datetime(2030, 4, 1, tzinfo=UTC)
    await rows(
        place,
        "desk",
        *({"key": f"w{n}", "worker": f"w{n}", "stage": "admitted", "seated": None} for n in range(1, 3)),
        *(
            {"key": f"s{n}", "worker": f"s{n}", "stage": "admitted", "seated": "2030-04-01", "given": given,
             "asked": given - timedelta(days=40)}
            for n in range(10)
        ),
    )  # fmt: skip
    found = await capacity(place.service, place.programme, datetime(2030, 5, 20, tzinfo=UTC))
    assert found == Capacity(places=Places.NONE, weeks=Wait.UP_TO_8)


async def test_outside_the_intake_there_is_no_place(place: Site) -> None:
    closes: date = place.service.rules[place.programme].intake.closes
    after = datetime(closes.year, 12, 31, 23, 30, tzinfo=UTC) + timedelta(days=1)
    assert (await capacity(place.service, place.programme, after)).places is Places.NONE


async def test_referrers_and_operators_are_told_and_the_public_page_says_it(place: Site) -> None:
    referrer = place.client(Role.REFERRER, "desk", place.partner)
    said: httpx.Response = await referrer.get("/capacity")
    assert said.status_code == 200
    assert {*said.json()} == {"places", "weeks"}
    assert (await place.client(Role.OPERATOR, "operator-1").get("/capacity")).json() == said.json()
    assert (await place.client(Role.FACILITATOR, "f").get("/capacity")).status_code == 403
    words = PLACES[Places(said.json()["places"])]
    assert words  # in English; the pages below are in Italian
    desk = text_of(await page(referrer, "/segnalazioni"))
    assert "Posti adesso" in desk
    assert "Valutato una volta al giorno." in desk
    public = text_of(await page(referrer, f"/partecipa?programma={place.programme}"))
    assert "Attesa abituale per un posto" in public
