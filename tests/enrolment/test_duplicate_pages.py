"""Possible duplicates as an operator meets them: the list, two records side by side, the decision, and the merge a day later."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from enrolment.domain import Status
from enrolment.domain.twins import WAITS
from enrolment.duplicates.queries import ROWS
from enrolment.duplicates.running import end_those_due
from services.identity.auth import Role
from services.kernel import code_of
from services.settings import Settings
from tests.enrolment.operators import page, refer, send, stored
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own

FISCAL = "RSSMRA85T10A562S"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, for all tests of this file."""
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"du{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


@pytest.fixture
def desk(place: Site) -> httpx.AsyncClient:
    return place.client(Role.OPERATOR, "operator-1")


async def two(place: Site, given: str, **card: Any) -> tuple[str, str]:
    """Two records of somebody of this name; their ids, the earlier first."""

    async def another() -> str:
        return await refer(place, given, "Doppia", birth_year="1970", **card)

    return await another(), await another()


async def due_now(place: Site) -> None:
    """Let a day pass."""
    later = datetime.now(UTC) + WAITS + timedelta(minutes=1)
    rules = place.service.rules[place.programme]
    await place.service.store["worker"].update_many(
        {"programme": place.programme, "state.merging.due": {"$gt": ""}},
        {"$set": {"state.merging.due": datetime.now(UTC).isoformat()}},
    )
    await end_those_due(place.service, rules, later)


async def test_a_pair_is_in_the_list_by_code_and_in_no_list_of_a_partner(place: Site, desk: httpx.AsyncClient) -> None:
    empty = text_of(await page(desk, "/doppioni"))
    assert "Niente da fare qui: non ci sono schede simili." in empty
    one, other = await two(place, "Ada")
    shown = text_of(await page(desk, "/doppioni"))
    assert f"{code_of(one)} e {code_of(other)}" in shown
    assert "lo stesso nome, con lo stesso anno di nascita" in shown
    assert "Doppia" not in shown, "names are on the page of the pair"
    today = await page(desk, "/frammenti/doppioni")
    assert "1 scheda assomiglia a un" in today
    for role in (Role.REFERRER, Role.FACILITATOR, Role.COORDINATOR):
        client = place.client(role, "somebody")
        assert (await client.get("/doppioni")).status_code == 403
        assert (await client.get(f"/doppioni/{one}/{other}")).status_code == 403
    assert (await desk.get(f"/doppioni/{one}/none")).status_code == 404
    assert (await desk.get(f"/doppioni/{one}/{one}")).status_code == 422
    await send(desk, f"/doppioni/{one}/{other}", 200, decision="distinte", step="check")


async def test_the_pair_shows_both_records_and_is_in_both_logs(place: Site, desk: httpx.AsyncClient) -> None:
    one, other = await two(place, "Bea", email="bea@example.org")
    shown = text_of(await page(desk, f"/doppioni/{one}/{other}"))
    for words in ("Confrontare due schede", "bea@example.org", "Posto in un gruppo", "Bea"):
        assert words in shown
    assert [await place.noted(each) for each in (one, other)] == [[("operator", "person")]] * 2


async def test_records_of_two_people_are_asked_about_once_and_the_answer_can_be_taken_back(
    place: Site, desk: httpx.AsyncClient
) -> None:
    one, other = await two(place, "Carla")
    address = f"/doppioni/{one}/{other}"
    checked = await send(desk, address, 200, decision="distinte", step="check")
    assert "Restano due persone" in text_of(checked)
    assert (await stored(place, other)).alike == (one,), "looking decides nothing"
    done = await desk.post(address, data={**fields_of(checked), "step": "done"})
    assert (done.status_code, done.headers["location"]) == (303, "/doppioni?fatto=distinte")
    assert code_of(other) not in text_of(await page(desk, "/doppioni"))
    again = await page(desk, address)
    assert "È stato deciso che sono due persone." in text_of(again)
    back = await desk.post(f"{address}/annulla", data=fields_of(again))
    assert back.status_code == 303
    assert code_of(other) in text_of(await page(desk, "/doppioni"))


async def test_a_merge_is_planned_shown_and_said_a_day_later(place: Site, desk: httpx.AsyncClient) -> None:
    one, other = await two(place, "Dora", fiscal_code=FISCAL)
    address = f"/doppioni/{one}/{other}"
    assert "lo stesso codice fiscale" in text_of(await page(desk, "/doppioni"))
    assert fields_of(await page(desk, address))["decision"] == one, "certain: the older one is suggested"
    checked = await send(desk, address, 200, decision=one, step="check")
    assert f"Resta la scheda {code_of(one)}" in text_of(checked)
    done = await desk.post(address, data={**fields_of(checked), "step": "done"})
    assert done.headers["location"] == "/doppioni?fatto=unione"
    planned = text_of(await page(desk, done.headers["location"]))
    assert "L'unione è prevista" in planned
    assert "Unioni previste" in planned
    twice = await desk.post(address, data={**fields_of(checked), "step": "done"})
    assert twice.status_code == 303, "the same form sent twice plans once"
    await due_now(place)
    ended, stays = await stored(place, other), await stored(place, one)
    assert (ended.status, ended.into, stays.status, stays.absorbed) == (Status.MERGED, one, Status.REFERRED, (other,))
    assert "una delle due schede si è chiusa" in text_of(await page(desk, address))
    led = await desk.get(f"/persone/{other}")
    assert (led.status_code, led.headers["location"]) == (303, f"/persone/{one}"), "the sheet of the one that ended"


async def test_a_merge_that_was_taken_back_is_never_said(place: Site, desk: httpx.AsyncClient) -> None:
    one, other = await two(place, "Elsa")
    client_side = await desk.put(f"/workers/{one}/duplicates/{other}", json={"judgement": "same", "into": one})
    assert client_side.status_code == 200
    assert datetime.fromisoformat(client_side.json()["due"]) > datetime.now(UTC) + WAITS / 2
    shown = await page(desk, f"/doppioni/{other}/{one}")
    back = await desk.post(f"/doppioni/{other}/{one}/annulla", data=fields_of(shown))
    assert back.status_code == 303
    await due_now(place)
    assert [(await stored(place, each)).status for each in (one, other)] == [Status.REFERRED] * 2


async def test_the_routes_say_why_they_refuse(place: Site, desk: httpx.AsyncClient) -> None:
    one, other = await two(place, "Fede")
    path = f"/workers/{one}/duplicates/{other}"
    for body, status, code in (
        ({"judgement": "same"}, 422, "no-such-record"),
        ({"judgement": "same", "into": "none"}, 422, "no-such-record"),
        ({"judgement": "open"}, 409, "not-judged"),
        ({"judgement": "perhaps"}, 422, "invalid"),
    ):
        answer = await desk.put(path, json=body, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), (body, answer.status_code, answer.text)
    assert (await desk.put(f"/workers/{one}/duplicates/none", json={"judgement": "different"})).status_code == 404
    assert (await desk.put(path, json={"judgement": "same", "into": other})).status_code == 200
    again = await desk.put(path, json={"judgement": "different"}, headers={"Accept": "application/json"})
    assert (again.status_code, again.json()["code"]) == (409, "merging-already")
    pairs = (await desk.get("/duplicates")).json()
    assert {"worker", "other", "certain"} == set(pairs[0])


async def test_a_page_of_pairs_reads_its_own_rows_whatever_the_number_of_people(place: Site) -> None:
    store = place.service.store
    where = {"programme": place.programme, "state.alike": {"$gt": ""}}
    told = await store.db.command(
        "explain",
        {"find": "worker", "filter": where, "sort": {"state.alike": 1, "_id": 1}, "limit": ROWS},
        verbosity="executionStats",
    )
    pairs = await store["worker"].count_documents(where)
    assert told["executionStats"]["totalDocsExamined"] <= max(ROWS, pairs)
