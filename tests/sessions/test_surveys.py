"""From an admission to a survey that was answered, over the API and by a personal link, on real engines."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.contracts.enrolment import Purpose
from services.identity.auth import Role
from services.programmes.instruments import load_all
from sessions.invitations import invite_open
from tests.helpers.days import today
from tests.helpers.waiting import eventually
from tests.sessions.conftest import World

ANSWERS = {item.id: 2 if item.reversed else 4 for item in load_all()["ama-own"].items}
RESTRICTED = "ama.sessions.restricted"
Form = dict[str, str]


@pytest.fixture
def form() -> Form:
    return {item: str(answer) for item, answer in ANSWERS.items()}


async def submit(client: httpx.AsyncClient, worker: str, wave: str = "T0", **answers: Any) -> httpx.Response:
    return await client.put(f"/workers/{worker}/surveys/ama-own/{wave}", json={"answers": ANSWERS | answers})


async def test_every_wave_is_planned_for_somebody_who_only_waits_and_the_first_is_asked_at_once(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker, 1, status="invited")
    async with world.client(Role.WORKER, worker) as client:
        asked = (await client.get(f"/workers/{worker}/surveys")).json()
    assert [(each["wave"], each["status"]) for each in asked] == [
        ("T0", "invited"), ("T1", "planned"), ("T2", "planned"), ("T3", "planned"),
    ]  # fmt: skip
    first, second = date.fromisoformat(asked[0]["due"]), date.fromisoformat(asked[1]["due"])
    assert second - first == timedelta(days=270)
    assert len(await world.published("survey.invited")) == 1


async def test_an_answer_is_sealed_scored_and_taken_once(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker, 1, status="invited")
    async with world.client(Role.OPERATOR) as client:
        assert (await submit(client, worker)).status_code == 204
        again = await submit(client, worker)
    assert (again.status_code, again.json()["code"]) == (409, "submitted-already")
    (kept,) = await world.surveys(worker, 1, status="submitted")
    assert '"identity"' not in kept["answers"]
    assert len(await world.published("survey.submitted")) == 1
    (scored,) = await world.published("survey.scored", RESTRICTED)
    assert b"wellbeing" not in scored["value"]


async def test_an_answer_is_refused_for_what_is_wrong_with_it(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker)
    async with world.client(Role.OPERATOR) as client:
        bad = await submit(client, worker, identity=9)
        assert (bad.status_code, bad.json()["code"], bad.json()["item"]) == (422, "bad-answer", "identity")
        early = await submit(client, worker, "T2")
        assert (early.status_code, early.json()["code"]) == (409, "not-open")
        for path in (f"{worker}/surveys/ama-own/T9", f"{worker}/surveys/gse/T0", "nobody/surveys/ama-own/T0"):
            missing = await client.put(f"/workers/{path}", json={"answers": ANSWERS})
            assert (missing.status_code, missing.json()["code"]) == (404, "no-such-survey")
        wrong = await submit(client, worker, identity="3")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
    async with world.client(Role.WORKER, "another") as client:
        assert (await submit(client, worker)).status_code == 403
        assert (await client.get(f"/workers/{worker}/surveys")).status_code == 403


async def test_without_consent_to_research_nobody_is_asked_until_it_is_given(world: World) -> None:
    worker = await world.admitted()

    async def known() -> bool:
        found = await world.stored("participant", id=worker)
        return bool(found) and found[0]["admitted"] is not None

    await eventually(known)
    assert await world.stored("survey", worker=worker) == []
    async with world.client(Role.WORKER, worker) as client:
        refused = await submit(client, worker)
        assert (refused.status_code, refused.json()["code"]) == (409, "no-consent")
        await world.consent(worker, Purpose.RESEARCH, given=True)
        await world.surveys(worker, 1, status="invited")
        await world.consent(worker, Purpose.RESEARCH, given=False)
        await world.surveys(worker, 4, status="dropped")
        assert (await submit(client, worker)).json()["code"] == "no-consent"
        await world.consent(worker, Purpose.RESEARCH, given=True)
        await world.surveys(worker, 1, status="invited")
        assert (await submit(client, worker)).status_code == 204


async def test_who_withdraws_is_asked_no_more_and_what_they_answered_stays(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker, 1, status="invited")
    async with world.client(Role.OPERATOR) as client:
        await submit(client, worker)
    await world.withdraw(worker)
    await world.surveys(worker, 3, status="dropped")
    await world.surveys(worker, 1, status="submitted")


async def test_of_the_erased_no_survey_stays(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker)
    await world.erase(worker)

    async def gone() -> bool:
        return not await world.stored("survey", worker=worker) and not await world.stored("participant", id=worker)

    await eventually(gone)


async def test_what_becomes_due_is_asked_fourteen_days_before_and_once(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    await world.surveys(worker, 1, status="invited")
    (later,) = await world.stored("survey", worker=worker, wave="T1", instrument="ama-own")
    rules, due = world.sessions.rules[world.programme], date.fromisoformat(later["due"])
    noon = datetime(due.year, due.month, due.day, 12, tzinfo=UTC)
    await invite_open(world.sessions, rules, noon - timedelta(days=15))
    assert len(await world.published("survey.invited")) == 1

    near = (today() + timedelta(days=14)).isoformat()
    await world.sessions.store["survey"].update_one(
        {"_id": f"{world.programme}/{later['id']}"}, {"$set": {"state.due": near}}
    )
    for _ in range(2):
        await invite_open(world.sessions, rules, datetime.now(UTC))
    assert len(await world.published("survey.invited")) == 2


async def test_a_survey_that_cannot_be_read_keeps_no_other_invitation_back(world: World) -> None:
    one, other = await world.admitted(Purpose.RESEARCH), await world.admitted(Purpose.RESEARCH)
    near = (today() + timedelta(days=14)).isoformat()
    for worker in (one, other):
        await world.surveys(worker, 1, status="invited")
        (later,) = await world.stored("survey", worker=worker, wave="T1", instrument="ama-own")
        damage = {"state.nothing_like_it": 1} if worker == one else {}
        await world.sessions.store["survey"].update_one(
            {"_id": f"{world.programme}/{later['id']}"}, {"$set": {"state.due": near, **damage}}
        )
    await invite_open(world.sessions, world.sessions.rules[world.programme], datetime.now(UTC))
    await world.surveys(other, 2, status="invited")


async def test_a_personal_link_shows_the_survey_and_takes_the_answers(world: World, form: Form) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    path = await world.link(worker)
    async with world.browser() as browser:
        page = await browser.get(path)
        assert (page.status_code, page.headers["content-language"]) == (200, "it")
        assert page.headers["content-type"].startswith("text/html")
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert (await browser.get(path, params={"lang": "en"})).headers["content-language"] == "en"
        sent = await browser.post(path, data=form)
        assert (sent.status_code, sent.headers["location"]) == (303, path)
        thanks = await browser.get(path, params={"lang": "en"})
        assert "Thank you" in thanks.text
        assert (await browser.post(path, data=form)).status_code == 303
    assert len(await world.published("survey.submitted")) == 1


async def test_only_a_digest_of_the_token_is_kept(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    token = (await world.link(worker)).rpartition("/")[2]
    for name in await world.sessions.store.db.list_collection_names():
        async for each in world.sessions.store[name].find({}):
            assert token not in str(each), name
    (row,) = await world.published("survey.linked", RESTRICTED)
    assert token.encode() not in row["value"]


async def test_a_form_that_is_sent_twice_is_one_submission_and_shows_the_same_page(world: World, form: Form) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    path, answers = await world.link(worker), world.sessions.store["answers"]
    async with world.browser() as browser:
        both = [await browser.post(path, data=form, headers={"x-request-id": "ada@example.org"}) for _ in range(2)]
        assert [(each.status_code, each.headers["location"]) for each in both] == [(303, path)] * 2
        assert len({(await browser.get(path)).text for _ in both}) == 1
        assert await answers.count_documents({"programme": world.programme}) == 0, (
            "a hash of the form reveals the answers"
        )
        other = await browser.post(path, data=form | {"identity": "1"})
    assert (other.status_code, other.headers["location"]) == (303, path)
    (submitted,) = await world.published("survey.submitted")
    assert uuid.UUID(orjson.loads(submitted["value"])["correlationid"]).version == 7, "the caller chooses no id of ours"
    assert len(await world.published("survey.scored", RESTRICTED)) == 1


async def test_each_mistake_is_named_on_the_page_and_no_answer_is_lost(world: World, form: Form) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    path, given = f"{await world.link(worker)}?lang=en", len(form)
    resources = ("trust-able", "setting-out")  # of six, one may be left
    async with world.browser() as browser:
        left = await browser.post(path, data=form | dict.fromkeys(resources, ""))
        assert left.status_code == 422
        assert "<title>Error:" in left.text
        assert [left.text.count(f'id="{each}-wrong"') for each in (*resources, "identity")] == [1, 1, 0]
        assert left.text.count(" checked") == given - 2
        for wrong in ("9", "much"):
            page = await browser.post(path, data=form | {"identity": wrong})
            assert (page.status_code, page.text.count('id="identity-wrong"')) == (422, 1)
            assert page.text.count(" checked") == given - 1
        empty = await browser.post(path, data={})
        assert empty.text.count('-wrong"><span') == given
    assert await world.published("survey.submitted") == []


async def test_a_link_that_opens_nothing_says_so_and_whom_to_ask(world: World, form: Form) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    path = await world.link(worker)
    async with world.browser() as browser:
        for strange in ("nonsense", "A" * 43, path.rpartition("/")[2][:-1] + "~"):
            for answer in (
                await browser.get(f"/questionario/{strange}"),
                await browser.post(f"/questionario/{strange}", data=form),
            ):
                assert answer.status_code == 404
                assert "non è più valido" in answer.text
                assert "chi ti ha accolto" in answer.text
        await world.change(worker, until=(today() - timedelta(days=2)).isoformat())
        closed = await browser.get(path)
        assert (closed.status_code, "è chiuso" in closed.text) == (410, True)
        assert (await browser.post(path, data=form)).status_code == 410
    assert await world.published("survey.submitted") == []


async def test_a_link_ends_with_the_consent_and_a_new_one_comes_with_a_new_consent(world: World, form: Form) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    first = await world.link(worker)
    await world.consent(worker, Purpose.RESEARCH, given=False)
    await world.surveys(worker, 4, status="dropped")
    async with world.browser() as browser:
        assert (await browser.get(first)).status_code == 404
        await world.consent(worker, Purpose.RESEARCH, given=True)
        second = await world.link(worker, number=2)
        assert (await browser.get(first)).status_code == 404
        assert (await browser.post(second, data=form)).status_code == 303


async def test_an_operator_sends_a_new_link_and_the_old_one_opens_nothing(world: World) -> None:
    worker = await world.admitted(Purpose.RESEARCH)
    old = await world.link(worker)
    where = f"/workers/{worker}/surveys"
    async with world.client(Role.OPERATOR) as client, world.browser() as browser:
        assert (await client.post(f"{where}/ama-own/T0/link")).status_code == 202
        new = await world.link(worker, number=2)
        assert [(await browser.get(each)).status_code for each in (old, new)] == [404, 200]
        refused = {path: await client.post(f"{where}/{path}/link") for path in ("ama-own/T2", "who5/T0", "none/T0")}
    assert {path: (each.status_code, each.json()["code"]) for path, each in refused.items()} == {
        "ama-own/T2": (409, "not-open"),
        "who5/T0": (409, "no-wording"),
        "none/T0": (404, "no-such-survey"),
    }
    async with world.client(Role.WORKER, worker) as client:
        assert (await client.post(f"{where}/ama-own/T0/link")).status_code == 403
