"""The pages of a referrer: their own referrals with names, and a new one that is sent once, whole or not at all."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from enrolment import commands as do
from enrolment.domain import Worker
from enrolment.referral import pages
from services.contracts.enrolment import How, Purpose, WorkerProfiled
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.participants import refer
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.helpers.waiting import eventually

PERSON = {
    "given_name": "Nicolò",
    "family_name": "D'Angelo",
    "email": "nico@example.org",
    "phone": "333 123 4567",
    "language": "it",
}
KNOWN = {"birth_year": "1971", "gender": "m", "municipality": "monza", "slots.thu-evening": "yes"}
CONSENTS = {"consents.participation": "yes", "consents.contact": "yes", "how": "signed-paper"}
NEW = "/segnalazioni/nuova"


@pytest_asyncio.fixture
async def here(own: Settings) -> AsyncIterator[Site]:
    async with site(own) as found:
        yield found


async def sent(client: httpx.AsyncClient, typed: dict[str, str], step: str = "check") -> httpx.Response:
    """Give what follows when the empty form is filled in like this."""
    once = fields_of((await client.get(NEW)).text)["once"]
    return await client.post(NEW, data={"once": once, **typed, "step": step})


async def workers(here: Site) -> list[Worker]:
    found = here.service.store[Worker.noun].find({"programme": here.programme})
    return [Worker.model_validate(each["state"]) async for each in found]


async def opened(here: Site, worker: Worker) -> dict[str, str]:
    """The card of a worker in the clear."""

    async def read(work: Any) -> dict[str, str]:
        return {name: await work.unseal(worker.id, name, text) for name, text in worker.card.items()}

    return await here.service.commanding.query(read, here.service.rules[here.programme])


async def test_a_person_is_referred_after_the_answers_were_checked_with_everything_that_was_said(here: Site) -> None:
    async with here.referrer() as client:
        checked = await sent(client, PERSON | KNOWN | CONSENTS)
        assert checked.status_code == 200, text_of(checked.text)
        said = text_of(checked.text)
        assert await workers(here) == []
        for answer in ("Nicolò", "D'Angelo", "nico@example.org", "1971", "Uomo", "Monza", "18:30"):
            assert answer in said, answer
        done = await client.post(NEW, data={**fields_of(checked.text), "step": "done"})
        assert done.status_code == 303, text_of(done.text)
        [worker] = await workers(here)
        receipt = await client.get(done.headers["location"])
        assert receipt.status_code == 200
        assert worker.id[-4:].upper() in text_of(receipt.text)
    assert worker.partner == here.partner
    assert await opened(here, worker) == {**PERSON, "phone": "+393331234567"}
    assert {purpose: each.how for purpose, each in worker.consents.items() if each.given} == {
        Purpose.PARTICIPATION: How.SIGNED_PAPER,
        Purpose.CONTACT: How.SIGNED_PAPER,
    }
    assert worker.profile is not None


async def test_the_same_form_sent_twice_is_one_referral(here: Site) -> None:
    async with here.referrer() as client:
        once = fields_of((await client.get(NEW)).text)["once"]
        answers = [await client.post(NEW, data={"once": once, **PERSON, "step": "done"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(await workers(here)) == 1


async def test_what_is_wrong_is_told_at_its_field_and_everything_that_was_typed_stays(here: Site) -> None:
    wrong = (
        PERSON | KNOWN | {"email": "nico at example", "birth_year": "71", "consents.contact": "yes", "given_name": ""}
    )
    async with here.referrer() as client:
        page = await sent(client, wrong, "done")
    assert page.status_code == 422
    assert "<title>Errore:" in page.text
    for name in ("given_name", "email", "birth_year", "how"):
        assert f'href="#{name}"' in page.text, name
        assert f'id="{name}-wrong"' in page.text, name
    kept = fields_of(page.text)
    assert {name: kept.get(name) for name in wrong} == wrong
    assert await workers(here) == []


async def test_somebody_whom_nobody_could_call_is_not_referred(here: Site) -> None:
    async with here.referrer() as client:
        page = await sent(client, {**PERSON, "email": "", "phone": ""}, "done")
    assert (page.status_code, await workers(here)) == (422, [])
    assert 'href="#email"' in page.text


async def test_from_the_answers_one_goes_back_to_change_them_and_nothing_is_lost(here: Site) -> None:
    typed = PERSON | KNOWN | CONSENTS
    async with here.referrer() as client:
        checked = await sent(client, typed)
        form = await client.post(NEW, data={**fields_of(checked.text), "step": "change"})
    assert form.status_code == 200
    kept = fields_of(form.text)
    assert {name: kept.get(name) for name in typed} == typed
    assert kept["once"] == fields_of(checked.text)["once"]


async def test_a_refusal_of_the_command_leaves_nothing_half_done_and_keeps_what_was_typed(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice is of another version than the command is given: as when it changed while the form was open."""
    rules = here.service.rules[here.programme]
    other = rules.model_copy(update={"notice": rules.notice.model_copy(update={"version": "never-published"})})
    async with here.referrer() as client:
        filled = {"once": fields_of((await client.get(NEW)).text)["once"], **PERSON, **CONSENTS, "step": "done"}
        make = pages._command
        monkeypatch.setattr(pages, "_command", lambda body, partner, _, request: make(body, partner, other, request))
        page = await client.post(NEW, data=filled)
    assert page.status_code == 422
    assert await workers(here) == []
    assert await here.service.store["keys"].count_documents({"programme": here.programme}) == 0
    assert fields_of(page.text)["family_name"] == "D'Angelo"


async def test_the_list_shows_own_referrals_by_name_the_newest_first_and_notes_each_read(here: Site) -> None:
    own, foreign = await refer(here, 3), await refer(here, 1, here.stranger)
    await here.rows(4)
    async with here.referrer() as client:
        page = await client.get("/segnalazioni")
    said = text_of(page.text)
    assert page.status_code == 200
    assert said.index("Ada 2 Prova") < said.index("Ada 1 Prova") < said.index("Ada 0 Prova")
    assert said.count("Prova") == 3
    assert [await here.noted(each) for each in own] == [[("referrer", "own referrals")]] * 3
    assert await here.noted(foreign[0]) == []


async def test_the_list_shows_a_step_only_with_consent_to_feedback(here: Site) -> None:
    told, silent = await refer(here, 2)
    for worker in (told, silent):
        given = {Purpose.PARTICIPATION: True, Purpose.PARTNER_FEEDBACK: worker == told}
        notice = here.service.rules[here.programme].notice.version
        await here.do(do.decide_consent, do.DecideConsent(worker=worker, given=given, notice=notice))
        await here.do(do.admit, do.Admit(worker=worker))
    await here.rows(2)

    async def shown() -> str:
        async with here.referrer() as client:
            return text_of((await client.get("/segnalazioni")).text)

    await eventually(lambda: _has(shown, "Ammissione avvenuta"))
    said = await shown()
    assert said.count("Ammissione avvenuta") == 1
    assert "Segnalazione ricevuta" in said[said.index("Ada 1") : said.index("Ada 0")]


async def _has(shown: Any, text: str) -> bool:
    return text in await shown()


async def test_the_list_is_paged_with_a_total(here: Site) -> None:
    await refer(here, 23)
    await here.rows(23)
    async with here.referrer() as client:
        first, second = await client.get("/segnalazioni"), await client.get("/segnalazioni?pagina=2")
        beyond = await client.get("/segnalazioni?pagina=9")
    assert [text_of(each.text).count(" Prova") for each in (first, second, beyond)] == [20, 3, 3]
    assert "23 risultati, pagina 1 di 2" in text_of(first.text)
    assert 'rel="next" href="/segnalazioni?pagina=2"' in first.text


async def test_an_empty_list_says_what_to_do_next(here: Site) -> None:
    async with here.referrer() as client:
        page = await client.get("/segnalazioni")
    assert "Nessuna persona è stata ancora segnalata" in text_of(page.text)
    assert f'href="{NEW}"' in page.text


async def test_a_receipt_is_of_the_own_partner_alone(here: Site) -> None:
    [foreign] = await refer(here, 1, here.stranger)
    async with here.referrer() as client:
        page = await client.get(f"/segnalazioni/{foreign}/ricevuta")
    assert page.status_code == 404
    assert "Prova" not in page.text


async def test_other_roles_are_refused_and_strangers_are_sent_to_sign_in(here: Site) -> None:
    for path in ("/segnalazioni", NEW):
        async with here.client(Role.OPERATOR) as client:
            assert (await client.get(path)).status_code == 403
        async with here.client() as client:
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/accedi")


async def test_a_page_of_the_list_costs_the_same_however_many_were_referred(here: Site) -> None:
    counted = []
    async with here.referrer() as client:
        assert (await client.get("/capacity")).status_code == 200  # judged at the first look of a day, and kept
    for more, total in ((20, 20), (60, 80)):
        await refer(here, more)
        await here.rows(total)
        await here.level()
        async with here.referrer() as client:
            with here.counting() as statements:
                assert (await client.get("/segnalazioni")).status_code == 200
        counted.append(statements)
    assert counted[0] == counted[1]
    assert counted[0].total() <= 14, counted[0]


async def test_a_profile_that_was_known_in_part_is_kept_for_whoever_welcomes_the_person(here: Site) -> None:
    async with here.referrer() as client:
        assert (await sent(client, PERSON | {"birth_year": "1971"}, "done")).status_code == 303
    [worker] = await workers(here)
    assert (worker.profile, worker.sketch is not None) == (None, True)
    assert not WorkerProfiled.model_fields.keys() & worker.card.keys()
