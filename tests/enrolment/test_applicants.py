"""People who ask to take part by themselves: the address first, the form behind its link, one person for one link."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from enrolment.domain import Asking, Status, Worker, digest_of
from enrolment.domain.applicants import LASTS
from enrolment.intake.limits import end_some
from services import vault
from services.contracts.enrolment import How, Origin, Purpose, SelfReferralOpened, WorkerErased, WorkerReferred
from services.settings import Settings
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.enrolment.workers import AT
from tests.helpers.own_programme import in_a_programme_of_its_own
from tests.helpers.services import sasl

TOKEN = "a" * 43
AT_PAGE = "/partecipa"


def begun() -> Asking:
    asking = Asking.begin("a1", "digest", AT)
    asking.card = {"email": "sealed"}
    asking.issue(TOKEN)
    return asking


def test_a_link_opens_the_form_for_a_day_and_its_token_is_kept_by_nobody() -> None:
    asking = begun()
    assert asking.digest == digest_of(TOKEN)
    assert TOKEN not in asking.model_dump_json()
    assert asking.is_open(AT + LASTS - timedelta(seconds=1))
    assert not asking.is_open(AT + LASTS)


def test_when_a_request_ends_the_address_and_its_digest_are_gone() -> None:
    asking = begun()
    asking.end("w1")
    assert (asking.card, asking.address, asking.worker, asking.is_open(AT)) == ({}, "", "w1", False)
    assert [each.data for each in asking._events] == [
        SelfReferralOpened(token=TOKEN, expires=AT + LASTS),
        WorkerErased(),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, for all tests of this file: each has an address of its own."""
    bare = Settings(
        kafka=engines.kafka,
        mongo=engines.mongo,
        keys=keys,
        database=f"ask{datetime.now(UTC):%H%M%S%f}",
        **sasl(engines),
    )
    settings = in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))
    assert settings.programmes is not None
    for file in settings.programmes.glob("own*.toml"):  # its first partner takes the requests
        file.write_text(file.read_text().replace('roles = ["referrer"]', 'roles = ["lead"]', 1))
    async with site(settings) as found:
        yield found


async def requests(here: Site, **where: Any) -> list[Asking]:
    found = here.service.store[Asking.noun].find({"programme": here.programme, **where}).sort("_id", 1)
    return [Asking.model_validate(each["state"]) async for each in found]


async def token_of(here: Site, asking: str) -> str:
    """The token as notifications reads it: from the encrypted event."""
    where = {"programme": here.programme, "key": asking, "topic": SelfReferralOpened.topic}
    row = await here.service.store["outbox"].find_one(where)

    async def opened(work: Any) -> Any:
        data = orjson.loads(row["value"])["data"]
        return orjson.loads(vault.decrypt_payload(await work.key(asking), data))["token"]

    return str(await here.service.commanding.query(opened, here.service.rules[here.programme]))


async def asked(here: Site, email: str) -> Any:
    """Send an address from the public page, from a network of its own."""
    async with here.client() as client:
        here.service.app.state.asking = Unlimited()
        page = await client.get(f"{AT_PAGE}?programma={here.programme}")
        assert page.status_code == 200, text_of(page.text)
        return await client.post(AT_PAGE, data={**fields_of(page.text), "email": email})


class Unlimited:
    """Counts nothing: the tests of the flow all come from one network."""

    async def begin(self, account: str, address: str) -> None:
        return None


async def test_before_the_link_nothing_is_stored_but_the_address_and_that_is_sealed(here: Site) -> None:
    answer = await asked(here, "eva@example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/partecipa/inviato/{here.programme}")
    asking = (await requests(here))[-1]
    stored = await here.service.store[Asking.noun].find_one({"state.id": asking.id})
    assert b"eva@example.org" not in orjson.dumps(stored["state"], default=str)
    assert set(asking.card) == {"email", "language"}
    outbox = [each async for each in here.service.store["outbox"].find({"key": asking.id})]
    assert {each["topic"] for each in outbox} == {
        "ama.enrolment.keys",
        "ama.enrolment.contacts",
        "ama.enrolment.restricted",
    }
    assert not any(b"eva@example.org" in each["value"] for each in outbox)


async def test_an_address_that_asks_twice_gets_one_link_and_the_same_answer(here: Site) -> None:
    answers = [await asked(here, "twice@example.org") for _ in range(2)]
    before = len(await requests(here))
    answers.append(await asked(here, "TWICE@example.org".replace("TWICE", "twice")))
    assert {each.headers["location"] for each in answers} == {f"/partecipa/inviato/{here.programme}"}
    assert len(await requests(here)) == before


async def test_behind_the_link_the_form_makes_one_worker_however_often_it_is_sent(here: Site) -> None:
    await asked(here, "ada.prova@example.org")
    asking = (await requests(here))[-1]
    address = f"{AT_PAGE}/{await token_of(here, asking.id)}"
    async with here.client() as client:
        form = await client.get(address)
        assert form.status_code == 200
        assert fields_of(form.text)["email"] == "ada.prova@example.org"
        typed = {
            **fields_of(form.text),
            "email": "another@example.org",
            "given_name": "Ada",
            "family_name": "Prova",
            "employment": "about-to-lose",
            "municipality": "monza",
            "consents.participation": "yes",
        }
        checked = await client.post(address, data={**typed, "step": "check"})
        assert checked.status_code == 200, text_of(checked.text)
        assert "Sta per perdere il lavoro" in text_of(checked.text)
        assert await workers(here) == []
        sent = [await client.post(address, data={**fields_of(checked.text), "step": "done"}) for _ in range(2)]
        assert [each.status_code for each in sent] == [303, 303], text_of(sent[0].text) if sent[0].text else ""
        done = await client.get(address)
    [worker] = await workers(here)
    assert worker.id[-4:].upper() in text_of(done.text)
    assert worker.consents[Purpose.PARTICIPATION].how is How.BY_LINK
    assert worker.status is Status.REFERRED
    assert worker.sketch is not None
    assert await read_email(here, worker) == "ada.prova@example.org"
    [event] = [
        each
        async for each in here.service.store["outbox"].find({"key": worker.id, "topic": WorkerReferred.topic}).limit(1)
    ]
    assert orjson.loads(event["value"])["data"]["origin"] == Origin.SELF
    ended = next(each for each in await requests(here) if each.id == asking.id)
    assert (ended.card, ended.address, ended.worker) == ({}, "", worker.id)
    assert await here.service.store["keys"].count_documents({"_id": f"{here.programme}/{asking.id}"}) == 0


async def workers(here: Site) -> list[Worker]:
    found = here.service.store[Worker.noun].find({"programme": here.programme})
    return [Worker.model_validate(each["state"]) async for each in found]


async def read_email(here: Site, worker: Worker) -> str:
    async def read(work: Any) -> str:
        return str(await work.unseal(worker.id, "email", worker.card["email"]))

    return str(await here.service.commanding.query(read, here.service.rules[here.programme]))


async def test_a_link_that_nobody_used_ends_and_its_address_is_forgotten(here: Site) -> None:
    await asked(here, "late@example.org")
    asking = (await requests(here))[-1]
    token = await token_of(here, asking.id)
    past = datetime.now(UTC) - timedelta(minutes=1)
    await here.service.store[Asking.noun].update_one({"state.id": asking.id}, {"$set": {"state.until": past}})
    async with here.client() as client:
        assert (await client.get(f"{AT_PAGE}/{token}")).status_code == 404
    await end_some(here.service)
    ended = next(each for each in await requests(here) if each.id == asking.id)
    assert (ended.ended, ended.card, ended.address) == (True, {}, "")
    assert await here.service.store["keys"].count_documents({"_id": f"{here.programme}/{asking.id}"}) == 0


async def test_whoever_asks_for_many_addresses_has_to_wait(here: Site) -> None:
    from enrolment.intake.limits import prepare_limits

    await prepare_limits(here.service)
    async with here.client() as client:
        page = fields_of((await client.get(f"{AT_PAGE}?programma={here.programme}")).text)
        answers = [await client.post(AT_PAGE, data={**page, "email": f"many{n}@example.org"}) for n in range(6)]
    assert [each.status_code for each in answers[:3]] == [303] * 3
    assert answers[-1].status_code == 429
    assert "Aspetta" in text_of(answers[-1].text)
    assert f"many{5}@example.org" in answers[-1].text


async def test_without_an_address_and_with_a_wrong_link_somebody_is_told_what_to_do(here: Site) -> None:
    async with here.client() as client:
        page = fields_of((await client.get(f"{AT_PAGE}?programma={here.programme}")).text)
        empty = await client.post(AT_PAGE, data=page)
        assert (empty.status_code, 'href="#email"' in empty.text) == (422, True)
        wrong = await client.get(f"{AT_PAGE}/{'x' * 43}")
    assert wrong.status_code == 404
    assert "Puoi chiederne uno nuovo" in text_of(wrong.text)
