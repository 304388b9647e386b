"""The worker's own page, from the personal link to the erasure: what it shows, what it changes, and what only a second link confirms.

The module has over 300 lines, since its tests share one enrolment, which takes seconds to start.
"""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from enrolment import commands as do
from enrolment.domain import Status, Worker
from enrolment.personal import commands as links
from services.contracts.enrolment import How, LinkPurpose, Purpose
from services.identity.auth import Role
from services.kernel import Refused
from services.settings import Settings
from services.web.frame import fragments
from tests.enrolment.participants import CARD, GIVEN, somebody, token_of
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own
from tests.helpers.services import sasl
from tests.helpers.serving import served

PAGES = ("/me", "/me/dati", "/me/consensi", "/me/accessi", "/me/scarica", "/me/lascia", "/me/cancella")
DAY = ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, for all tests of this file: each has people of its own. No other service answers it."""
    bare = Settings(
        kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"me{datetime.now(UTC):%H%M%S%f}",
        services="http://127.0.0.1:1/{service}", **sasl(engines),
    )  # fmt: skip
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


def as_worker(here: Site, worker: str) -> httpx.AsyncClient:
    return here.client(Role.WORKER, worker)


async def stored(here: Site, worker: str) -> Worker:
    found = await here.service.store[Worker.noun].find_one({"_id": f"{here.programme}/{worker}"})
    return Worker.model_validate(found["state"])


async def test_a_link_is_issued_by_an_operator_redeemed_by_the_front_and_revoked(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.OPERATOR) as operator, here.client() as front:
        issued = await operator.post(f"/workers/{worker}/links")
        assert issued.status_code == 201
        assert issued.json().keys() == {"worker", "expires"}
        token = await token_of(here, worker, LinkPurpose.ME)
        assert token not in issued.text
        for _ in range(2):  # it can be used as often as needed
            answer = await front.post(f"/links/{token}")
            assert (answer.status_code, answer.json()) == (200, {"programme": here.programme, "worker": worker})
        assert (await front.post(f"/links/{token[:-1]}.")).status_code == 404
        await operator.post(f"/workers/{worker}/links")
        assert (await front.post(f"/links/{token}")).status_code == 404
        newest = await token_of(here, worker, LinkPurpose.ME)
        assert (await front.post(f"/links/{newest}")).status_code == 200
        assert (await operator.delete(f"/workers/{worker}/links")).status_code == 204
        assert (await front.post(f"/links/{newest}")).status_code == 404


async def test_no_document_holds_a_token(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.OPERATOR) as operator:
        await operator.post(f"/workers/{worker}/links", headers={"Idempotency-Key": "once"})
    token = await token_of(here, worker, LinkPurpose.ME)
    for name in await here.service.store.db.list_collection_names():
        async for document in here.service.store[name].find({}):
            assert token not in repr(document), name


async def test_a_link_that_confirms_opens_no_page_and_a_link_to_the_page_confirms_nothing(here: Site) -> None:
    worker = await somebody(here)
    await here.do(links.issue_link, links.IssueLink(worker=worker))
    await here.do(links.issue_link, links.IssueLink(worker=worker, purpose=LinkPurpose.ERASE))
    async with here.client() as front:
        for purpose, path in ((LinkPurpose.ERASE, "/links/{}"), (LinkPurpose.ME, "/me/conferma/{}")):
            answer = await front.post(path.format(await token_of(here, worker, purpose)))
            assert answer.status_code == 404, path
    assert (await stored(here, worker)).status is Status.ADMITTED


async def test_the_page_greets_by_name_and_says_what_is_missing_when_others_are_away(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        page = await client.get("/me")
    said = text_of(page.text)
    assert page.status_code == 200
    assert "Ciao, Ada" in said
    assert "Sei nel programma" in said
    assert "Ora i tuoi incontri non si possono mostrare" in said
    assert "Ora i tuoi questionari non si possono mostrare" in said
    assert 'action="/esci"' in page.text[page.text.index("<main") :]


async def test_every_page_of_the_worker_works_in_both_languages_with_one_heading(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        for path in PAGES:
            for language in ("it", "en"):
                page = await client.get(path, headers={"Accept-Language": language})
                assert page.status_code == 200, path
                assert page.text.count("<h1") == 1, path
                assert f'<html lang="{language}">' in page.text
                assert 'style="' not in page.text, path
                assert "<script" not in page.text, path


async def test_the_data_are_shown_in_words(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        said = text_of((await client.get("/me/dati")).text)
    for shown in ("Ada", "Prova", "ada@example.org", "Monza", "il giovedì", "18:30", "15 km", "1971", "Donna"):
        assert shown in said, shown


async def test_a_consent_is_withdrawn_as_easily_as_it_is_given(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        for answer in ("yes", "no", "yes"):
            form = fields_of((await client.get("/me/consensi")).text)
            checked = await client.post("/me/consensi", data=form | {"research": answer, "step": "check"})
            assert "Non è ancora cambiato niente" in text_of(checked.text)
            done = await client.post("/me/consensi", data=fields_of(checked.text) | {"step": "done"})
            assert done.status_code == 303
            consent = (await stored(here, worker)).consents[Purpose.RESEARCH]
            assert (consent.given, consent.how) == (answer == "yes", How.BY_LINK)
            assert (consent.recorded_by, consent.recorder) == ("worker", worker)
        assert "Le tue scelte sono salvate" in text_of((await client.get(done.headers["location"])).text)
    before = (await stored(here, worker)).consents
    assert before[Purpose.PARTICIPATION].how is None  # what was not changed was not decided anew


async def test_the_same_choices_sent_twice_are_one_decision(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        form = fields_of((await client.get("/me/consensi")).text) | {"research": "yes", "step": "done"}
        assert [(await client.post("/me/consensi", data=form)).status_code for _ in range(2)] == [303, 303]
    where = {"programme": here.programme, "key": worker, "topic": "ama.enrolment"}
    said = [orjson.loads(each["value"])["data"] async for each in here.service.store["outbox"].find(where)]
    assert len([each for each in said if each.get("purpose") == "research"]) == 1


async def test_to_withdraw_the_participation_is_to_leave_and_needs_the_second_link(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        form = fields_of((await client.get("/me/consensi")).text) | {"participation": "no", "research": "yes"}
        checked = await client.post("/me/consensi", data=form | {"step": "check"})
        assert "vuol dire lasciare il programma" in text_of(checked.text)
        done = await client.post("/me/consensi", data=fields_of(checked.text) | {"step": "done"})
    assert (done.status_code, done.headers["location"]) == (303, "/me/lascia")
    now = await stored(here, worker)
    assert now.status is Status.ADMITTED
    assert now.consents_to(Purpose.PARTICIPATION)
    assert now.consents_to(Purpose.RESEARCH)


async def test_somebody_not_admitted_yet_takes_back_the_participation_at_once(here: Site) -> None:
    worker = await somebody(here, admitted=False)
    async with as_worker(here, worker) as client:
        form = fields_of((await client.get("/me/consensi")).text) | {"participation": "no", "step": "done"}
        assert (await client.post("/me/consensi", data=form)).headers["location"] == "/me/consensi?fatto=true"
    assert not (await stored(here, worker)).consents_to(Purpose.PARTICIPATION)


async def test_leaving_asks_for_a_message_and_its_link_leaves_once(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        page = await client.get("/me/lascia")
        said = text_of(page.text)
        assert said.index("Resta nel programma") < said.index("Inviami il messaggio per confermare")
        sent = [await client.post("/me/lascia") for _ in range(2)]
        assert [(each.status_code, each.headers["location"]) for each in sent] == [(303, "/me/lascia/inviata")] * 2
        assert "30 minuti" in text_of((await client.get("/me/lascia/inviata")).text)
    token = await token_of(here, worker, LinkPurpose.LEAVE)
    async with here.client() as mail:  # another browser: nobody has signed in there
        link = f"/me/conferma/{token}"
        shown = await mail.get(link)
        assert shown.status_code == 200
        assert (await stored(here, worker)).status is Status.ADMITTED
        unanswered = await mail.post(link, data={"reason": ""})
        assert unanswered.status_code == 422
        assert 'href="#reason"' in unanswered.text
        done = await mail.post(link, data={"reason": "found-work"})
        assert done.headers["location"] == "/me/fatto/lascia"
        assert "Hai lasciato il programma" in text_of((await mail.get(done.headers["location"])).text)
        again = await mail.post(link, data={"reason": "found-work"})
        assert again.status_code == 404
        assert "quello che hai chiesto è fatto" in text_of(again.text)
    assert (await stored(here, worker)).status is Status.WITHDRAWN
    async with as_worker(here, worker) as client:
        assert "Hai lasciato il programma" in text_of((await client.get("/me")).text)
        assert (await client.post("/me/lascia")).status_code == 409
        assert "non c'è niente da lasciare" in text_of((await client.get("/me/lascia")).text)


async def test_who_does_not_want_their_data_used_any_more_withdraws_the_consent_by_leaving(here: Site) -> None:
    worker = await somebody(here)
    await here.do(links.issue_link, links.IssueLink(worker=worker, purpose=LinkPurpose.LEAVE))
    token = await token_of(here, worker, LinkPurpose.LEAVE)
    async with here.client() as mail:
        done = await mail.post(f"/me/conferma/{token}", data={"reason": "consent-withdrawn"})
    assert done.status_code == 303
    now = await stored(here, worker)
    assert (now.status, now.consents_to(Purpose.PARTICIPATION)) == (Status.WITHDRAWN, False)


async def test_an_erasure_is_confirmed_by_its_link_and_leaves_nothing(here: Site) -> None:
    worker = await somebody(here)
    async with as_worker(here, worker) as client:
        assert (await client.post("/me/cancella")).status_code == 303
    token = await token_of(here, worker, LinkPurpose.ERASE)
    async with here.client() as mail:
        assert "Cancella per sempre" in text_of((await mail.get(f"/me/conferma/{token}")).text)
        done = await mail.post(f"/me/conferma/{token}")
        receipt = (await stored(here, worker)).receipt
        assert receipt is not None
        assert done.headers["location"] == f"/me/ricevuta/{receipt}"
        page = text_of((await mail.get(done.headers["location"])).text)
        for shown in ("I tuoi dati sono cancellati", receipt, "Che cosa è stato distrutto", "Che cosa resta, e perché"):
            assert shown in page, shown
        assert (await mail.get(f"/me/ricevuta/{receipt[:-1]}x")).status_code == 404
        assert worker not in page
        assert (await mail.post(f"/me/conferma/{token}")).status_code == 404
    now = await stored(here, worker)
    assert (now.status, now.card, now.links) == (Status.ERASED, {}, ())
    async with as_worker(here, worker) as client:
        for path in PAGES:
            gone = await client.get(path)
            assert gone.status_code == 410, path
            assert "Qui non c'è più niente da vedere" in text_of(gone.text), path


async def test_the_receipt_of_an_erasure_is_given_again_to_an_administrator(here: Site) -> None:
    worker, other = await somebody(here), await somebody(here)
    made = await here.do(do.erase, do.Erase(worker=worker))
    async with here.client(Role.ADMINISTRATOR, "eva") as eva:
        answer = (await eva.get(f"/workers/{worker}/receipt")).json()
        assert (answer["number"], answer["programme"]) == (made["receipt"], here.programme)
        assert (await eva.get(f"/workers/{other}/receipt")).status_code == 404


async def test_an_administrator_opens_a_record_with_a_reason_that_the_person_is_told(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.ADMINISTRATOR, "eva") as eva:
        assert (await eva.get(f"/workers/{worker}")).status_code == 403
        form = fields_of((await eva.get("/persone/apri")).text)
        unsaid = await eva.post("/persone/apri", data=form | {"worker": worker, "reason": "", "step": "done"})
        assert unsaid.status_code == 422
        assert await here.noted(worker) == []
        nobody = await eva.post("/persone/apri", data=form | {"worker": "nobody", "reason": "fault", "step": "done"})
        assert nobody.status_code == 422
        assert 'href="#worker"' in nobody.text
        sent = form | {"worker": worker, "reason": "complaint", "step": "done"}
        opened = [await eva.post("/persone/apri", data=sent) for _ in range(2)]
    assert [each.status_code for each in opened] == [200, 200]
    assert "ada@example.org" in text_of(opened[0].text)
    assert ("administrator", "opened complaint") in await here.noted(worker)
    where = {"programme": here.programme, "key": worker, "topic": "ama.enrolment.restricted"}
    told = [orjson.loads(each["value"])["type"] async for each in here.service.store["outbox"].find(where)]
    assert [each for each in told if each.endswith("record.opened.v1")] == ["it.amalavoro.enrolment.record.opened.v1"]
    async with as_worker(here, worker) as client:
        said = text_of((await client.get("/me/accessi")).text)
    assert "tutti i tuoi dati, per rispondere a un reclamo" in said
    assert "Chi amministra il programma" in said


async def test_an_administrator_opens_a_record_by_a_program_with_a_reason_alone(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.ADMINISTRATOR, "eva") as eva, here.client(Role.OPERATOR, "op-7") as operator:
        shown = await eva.post(f"/workers/{worker}/opening", json={"reason": "authority"})
        assert shown.json()["card"] == CARD
        assert (await eva.post(f"/workers/{worker}/opening", json={})).status_code == 422
        assert (await operator.post(f"/workers/{worker}/opening", json={"reason": "fault"})).status_code == 403
    assert await here.noted(worker) == [("administrator", "opened authority"), ("administrator", "person")]


@pytest.mark.parametrize(
    ("given", "card", "words"),
    [
        (GIVEN, {"email": ""}, "Non abbiamo un tuo indirizzo"),
        ({Purpose.PARTICIPATION: True}, {}, "Non hai accettato di ricevere messaggi"),
    ],
    ids=["no-address", "no-contact"],
)
async def test_whom_no_message_reaches_is_told_whom_to_ask(
    here: Site, given: dict[Purpose, bool], card: dict[str, str], words: str
) -> None:
    kept = {name: text for name, text in (CARD | card).items() if text}
    made = await here.do(do.refer, do.Refer(partner=here.partner, card=kept))
    worker, notice = made["worker"], here.service.rules[here.programme].notice.version
    await here.do(do.decide_consent, do.DecideConsent(worker=worker, given=given, notice=notice))
    async with as_worker(here, worker) as client:
        for step in ("lascia", "cancella"):
            for page in (await client.get(f"/me/{step}"), await client.post(f"/me/{step}")):
                assert page.status_code == 200
                assert words in text_of(page.text)
                assert "chi ti ha accolto" in text_of(page.text)
                assert f'action="/me/{step}"' not in page.text
    with pytest.raises(Refused):
        await here.do(links.issue_link, links.IssueLink(worker=worker))


async def test_the_reads_of_ones_data_are_told_in_words_and_what_is_missing_is_named(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.OPERATOR, "op-7") as operator, as_worker(here, worker) as client:
        await operator.get(f"/workers/{worker}")
        said = text_of((await client.get("/me/accessi")).text)
    assert "Chi accoglie e segue le persone nel programma" in said
    assert "la tua scheda: dati, consensi, profilo" in said
    assert "op-7" not in said
    for part in ("gruppi", "incontri e questionari", "messaggi", "statistiche"):
        assert f"({part})" in said, part
    assert any(day in said for day in DAY)


async def test_the_reads_in_other_services_are_told_with_ones_own_token(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "PATIENCE", 30.0)  # on a machine that is busy
    asked: list[tuple[str, str]] = []

    async def log(request: Request) -> JSONResponse:
        asked.append((request.url.path, request.headers["authorization"]))
        read = {"who": "f1", "role": "facilitator", "what": "session 12", "at": "2026-11-16T18:30:00Z"}
        return JSONResponse([read] if request.path_params["service"] == "sessions" else [])

    others = Starlette(routes=[Route("/{service}/workers/{worker}/{what}", log)])
    async with served(others) as base, site(own.model_copy(update={"services": f"{base}/{{service}}"})) as here:
        worker = await somebody(here)
        async with as_worker(here, worker) as client:
            said = text_of((await client.get("/me/accessi")).text)
    assert "lunedì 16 novembre, ore 19:30 Chi facilita il tuo gruppo se sei venuto o venuta a un incontro" in said
    assert "ora non è disponibile" not in said
    services = {path.split("/")[1] for path, _ in asked}
    assert services == {"grouping", "sessions", "notifications", "analytics"}
    assert {token for _, token in asked} == {f"Bearer worker/{worker}/None"}


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of the archive, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_the_archive_has_all_that_enrolment_holds_and_names_what_is_missing(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.OPERATOR, "op-7") as operator, as_worker(here, worker) as client:
        await operator.get(f"/workers/{worker}")
        answer = await client.get("/me/scarica/tutto.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="i-miei-dati.zip"'
    assert answer.headers["cache-control"] == "no-store"
    files = unpacked(answer.content)
    assert files.keys() == {"i-miei-dati.html", "i-miei-dati.json", "chi-ha-visto-i-miei-dati.csv"}
    taken = orjson.loads(files["i-miei-dati.json"])
    record = taken["services"]["enrolment"]["records"]["worker"][0]
    assert record["card"] == CARD
    assert record["profile"]["municipality"] == "monza"
    assert record["consents"].keys() == {"participation", "contact"}
    assert taken["missing"] == ["grouping", "sessions", "notifications", "analytics"]
    page = unescape(files["i-miei-dati.html"].decode())
    for shown in (
        "ada@example.org",
        "Monza",
        "Partecipare al programma",
        "Qui non c'è tutto",
        "La scheda del tuo percorso",
    ):
        assert shown in page, shown
    reads = files["chi-ha-visto-i-miei-dati.csv"].decode("utf-8-sig").splitlines()
    assert len(reads) == 2
    assert "la tua scheda: dati, consensi, profilo" in reads[1]
    assert "op-7" not in reads[1]


async def test_an_administrator_makes_the_same_archive_and_the_person_sees_that(here: Site) -> None:
    worker = await somebody(here)
    async with here.client(Role.ADMINISTRATOR, "eva") as eva, here.client(Role.OPERATOR, "op-7") as operator:
        made = await eva.get(f"/people/{worker}/export")
        assert (await eva.get("/people/nobody-is-this/export")).status_code == 404
        assert (await operator.get(f"/people/{worker}/export")).status_code == 403
    assert orjson.loads(unpacked(made.content)["i-miei-dati.json"])["person"] == worker
    assert await here.noted(worker) == [("administrator", "export")]
    async with as_worker(here, worker) as client:
        assert "tutti i tuoi dati, per dartene una copia" in text_of((await client.get("/me/accessi")).text)


async def test_each_page_is_of_the_worker_alone(here: Site) -> None:
    for path in PAGES:
        for role in (Role.OPERATOR, Role.REFERRER, Role.FACILITATOR):
            async with here.client(role, "other", here.partner) as client:
                assert (await client.get(path)).status_code == 403, path
        async with here.client() as client:
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/accedi"), path


async def test_a_page_costs_the_same_however_often_ones_data_were_read_and_however_many_people_there_are(
    here: Site,
) -> None:
    worker = await somebody(here)
    counted: list[dict[str, Any]] = []
    for _ in range(2):
        await here.level()
        async with as_worker(here, worker) as client:
            each: dict[str, Any] = {}
            for path in (*PAGES, "/me/scarica/tutto.zip"):
                with here.counting() as statements:
                    assert (await client.get(path)).status_code == 200
                each[path] = statements
            counted.append(each)
        for number in range(15):
            await somebody(here, {}, admitted=False, given_name=f"Bea {number}")
        await here.service.commanding.on_behalf_of("op", "operator").note(here.programme, [worker], "person")
    assert counted[0] == counted[1]
    everything = counted[0].pop("/me/scarica/tutto.zip")
    assert everything.total() <= 20
    assert max(statements.total() for statements in counted[0].values()) <= 10
