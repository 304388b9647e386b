"""The path to other services as an operator, a receiver without an account and a worker meet it, on real engines."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from enrolment.domain import RequestStatus, ServiceRequest
from enrolment.paths import commands as do
from services import vault
from services.contracts.paths import NeedMet, RequestLinked, ServiceKind, ServiceRegistered
from services.identity.auth import Role
from services.kernel import code_of
from services.settings import Settings
from tests.enrolment.browsing import seen
from tests.enrolment.operators import consent, level, page, refer, send
from tests.enrolment.requests import CASES, REACHED, STEPS
from tests.enrolment.site import Site, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own
from tests.helpers.waiting import eventually

CONTENT = ServiceRegistered(
    name="Dote di prova", kind=ServiceKind.DOTE_LAVORO, organization_id="afol-prova", organization_name="AFOL di prova",
    email="dote@afol.example",
)  # fmt: skip
SERVICE = "dote-di-prova"
JSON = {"Accept": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, with one service in the catalogue."""
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"rq{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        await found.do(do.register_service, do.RegisterService(service=None, content=CONTENT))
        desk = found.client(Role.OPERATOR)
        await eventually(lambda: shows(desk, "/servizi", CONTENT.name))
        yield found


@pytest.fixture
def desk(place: Site) -> httpx.AsyncClient:
    return place.client(Role.OPERATOR, "operator-1")


async def shows(client: httpx.AsyncClient, address: str, *texts: str) -> bool:
    """Tell whether a page, which may lag behind, has these texts by now."""
    html = (await client.get(address)).text
    return all(each in html for each in texts)


async def somebody(place: Site, family: str = "Prova") -> str:
    worker = await refer(place, "Ada", family, email="ada@example.org", phone="+393331234567")
    await consent(place, worker)
    return worker


async def asked(desk: httpx.AsyncClient, worker: str, told: str = "yes") -> str:
    """Ask for the service from the person's sheet; the number of the request."""
    how = "in-person" if told == "yes" else ""
    check = await send(desk, f"/persone/{worker}/richiesta", 200, service=SERVICE, told=told, how=how)
    assert "Il messaggio va a dote@afol.example." in text_of(check)
    typed = {"service": SERVICE, "told": told, "how": "in-person" if told == "yes" else "", "step": "done"}
    answer = await desk.post(f"/persone/{worker}/richiesta", data=typed)
    assert answer.status_code == 303, text_of(answer.text)
    return answer.headers["location"].removeprefix("/richieste/").partition("?")[0]


async def token_of(place: Site, worker: str, request: str) -> str:
    """The token of the newest link of a request, as notifications reads it: from the encrypted event."""
    where = {"programme": place.programme, "key": request, "topic": RequestLinked.topic}
    rows = [each async for each in place.service.store["outbox"].find(where).sort("sequence", -1)]

    async def opened(work: Any) -> list[dict[str, Any]]:
        key = await work.key(worker)
        events = [orjson.loads(row["value"]) for row in rows]
        links = [each for each in events if each["type"] == RequestLinked.type]
        return [orjson.loads(vault.decrypt_payload(key, each["data"])) for each in links]

    found = await place.service.commanding.query(opened, place.service.rules[place.programme])
    return str(found[0]["token"])


async def stored(place: Site, request: str) -> ServiceRequest:
    key = f"{place.programme}/{request}"
    return ServiceRequest.model_validate((await place.service.store.by_id("request", [key]))[key]["state"])


async def test_a_request_goes_from_the_sheet_to_the_receivers_answer_and_the_workers_word(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await somebody(place, "Percorso")
    request = await asked(desk, worker)
    stranger, token = place.client(), await token_of(place, worker, request)
    shown = text_of(await page(stranger, f"/risposta/{token}"))
    for words in ("Dote di prova", "Ada Percorso", "+393331234567", "ada@example.org"):
        assert words in shown, words
    assert ("partner-system", "request") in await place.noted(worker)

    check = text_of(await send(stranger, f"/risposta/{token}", 200, answer="accepted", step="check"))
    assert "Sì: la persona può venire" in check
    assert (await stored(place, request)).status is RequestStatus.REQUESTED, "nothing is done before the check"
    done = await stranger.post(f"/risposta/{token}", data={"answer": "accepted", "step": "done"})
    assert done.status_code == 303
    after = text_of(await page(stranger, f"/risposta/{token}"))
    assert "Grazie, la risposta è arrivata" in after
    assert "Percorso" not in after
    again = await stranger.post(f"/risposta/{token}", data={"answer": "refused", "reason": "other", "step": "done"})
    assert (again.status_code, (await stored(place, request)).status) == (303, RequestStatus.ACCEPTED)

    own = place.client(Role.WORKER, worker)
    assert "il servizio ha detto di sì" in (await own.get("/frammenti/mie-richieste")).text
    assert await send(own, f"/me/richieste/{request}", 303, met="partly") == f"/me/richieste/{request}"
    assert "non te lo chiediamo più" in text_of(await page(own, f"/me/richieste/{request}"))
    second = await own.post(f"/me/richieste/{request}", data={"met": "yes"})
    assert second.status_code == 409
    assert (await stored(place, request)).status is RequestStatus.COMPLETED


async def test_without_the_persons_consent_the_receiver_reads_a_code_alone(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await somebody(place, "Riservata")
    request = await asked(desk, worker, told="no")
    shown = text_of(await page(place.client(), f"/risposta/{await token_of(place, worker, request)}"))
    assert code_of(worker) in shown
    for words in ("Ada", "Riservata", "+393331234567", "ada@example.org"):
        assert words not in shown, words


async def test_a_link_opens_nothing_once_the_person_takes_no_part_or_is_erased_or_another_link_is_sent(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await somebody(place)
    request = await asked(desk, worker)
    first = await token_of(place, worker, request)
    assert (await desk.post(f"/richieste/{request}/collegamento")).status_code == 303
    second, stranger = await token_of(place, worker, request), place.client()
    assert "non è più valido" in text_of(await page(stranger, f"/risposta/{first}", 404))
    assert "Dote di prova" in text_of(await page(stranger, f"/risposta/{second}"))
    await consent(place, worker, given=False)
    for act in (stranger.get(f"/risposta/{second}"), stranger.post(f"/risposta/{second}", data={"answer": "accepted"})):
        refused = await act
        assert (refused.status_code, "Dote" in refused.text) == (404, False)
    assert "non è più valido" in text_of(await page(stranger, "/risposta/nonsense", 404))


async def test_nobody_is_asked_for_without_consent_and_nothing_of_a_retired_service(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Senza")
    shown = text_of(await page(desk, f"/persone/{worker}/richiesta"))
    assert "Prima occorre registrare il consenso." in shown
    refused = await desk.post(f"/persone/{worker}/richiesta", data={"service": SERVICE, "told": "no", "step": "done"})
    assert refused.status_code == 409
    saved = await send(
        desk, "/servizi/nuovo", 303, name="Corso breve", kind="training", organization_name="Scuola Ètica"
    )
    assert saved == "/servizi?salvato=true"
    assert "Scuola Ètica" in await page(desk, "/servizi/corso-breve")
    assert (await desk.post("/servizi/corso-breve/ritiro")).status_code == 303
    await consent(place, worker)
    refused = await desk.post(f"/workers/{worker}/requests", json={"service": "corso-breve"}, headers=JSON)
    assert refused.status_code == 409


async def test_what_is_expired_is_shown_and_a_stale_correction_is_refused(place: Site, desk: httpx.AsyncClient) -> None:
    await send(
        desk,
        "/servizi/nuovo",
        303,
        name="Bando scaduto",
        kind="training",
        organization_name="Ente",
        valid_to="1/2/2026",
    )
    await eventually(lambda: shows(desk, "/servizi", "Bando scaduto", "scaduto"))
    assert "sono scadute" in text_of(await page(desk, "/servizi/bando-scaduto"))
    typed = {"name": "Bando", "kind": "training", "organization_name": "Ente", "seen": "99"}
    answer = await desk.post("/servizi/bando-scaduto", data=typed)
    assert answer.status_code == 412
    assert "qualcun altro ha cambiato" in text_of(answer.text)


async def test_a_sign_posting_is_noted_beside_the_way_at_any_step(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await refer(place, "Ada", "Orientata")
    assert await send(desk, f"/persone/{worker}/orientamento", 303, service=SERVICE) == f"/persone/{worker}#richieste"
    await eventually(lambda: shows(desk, f"/frammenti/richieste?worker={worker}", "Dote di prova"))


@pytest.mark.parametrize(("status", "step", "after"), CASES)
async def test_each_transition_holds_behind_the_routes(
    place: Site, desk: httpx.AsyncClient, status: RequestStatus, step: str, after: RequestStatus | str
) -> None:
    """The same table as for the rules; every other step of it by the page, where an operator has one."""
    worker = await somebody(place)
    made = await place.do(do.ask_service, do.AskService(worker=worker, service=SERVICE))
    own, request = place.client(Role.WORKER, worker), made["request"]

    async def call(name: str, *, by_page: bool = False) -> httpx.Response:
        each = STEPS[name]
        if each.route == "need":
            return await own.post(f"/workers/{worker}/requests/{request}/need", json=each.body, headers=JSON)
        address = {"answer": "risposta", "end": "fine"}[each.route]
        if by_page:
            return await desk.post(f"/richieste/{request}/{address}", data=each.body)
        return await desk.post(f"/requests/{request}/{each.route}", json=each.body, headers=JSON)

    for each in REACHED[status]:
        assert (await call(each)).status_code == 204
    by_page = STEPS[step].route != "need" and isinstance(after, RequestStatus)
    answer = await call(step, by_page=by_page)
    if isinstance(after, RequestStatus):
        assert answer.status_code == (303 if by_page else 204), answer.text
        assert (await stored(place, request)).status is after
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, after)
        assert (await stored(place, request)).status is status


async def test_a_list_of_requests_takes_the_same_statements_however_many_there_are(
    place: Site, desk: httpx.AsyncClient
) -> None:
    await level(place)
    with place.counting() as few:
        await page(desk, "/richieste?elenco=tutte")
    for _ in range(8):
        worker = await somebody(place)
        await place.do(do.ask_service, do.AskService(worker=worker, service=SERVICE))
    await level(place)
    with place.counting() as many:
        await page(desk, "/richieste?elenco=tutte")
    assert many == few


async def test_an_erasure_leaves_no_request(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await somebody(place)
    request = await asked(desk, worker)
    administrator = place.client(Role.ADMINISTRATOR)
    assert (await administrator.delete(f"/workers/{worker}")).status_code == 204

    async def gone() -> bool:
        return bool(await place.service.store["request"].count_documents({"state.worker": worker}) == 0)

    await eventually(gone)
    assert (await desk.get(f"/richieste/{request}")).status_code == 404


async def test_in_a_browser_a_request_reaches_its_receiver_comes_back_and_the_worker_says_if_it_helped(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await somebody(place, "Viaggio")
    async with seen(place, Role.OPERATOR, "operator-1") as operator:
        look = operator.looked.page
        await operator.open(f"/persone/{worker}/richiesta")
        await look.get_by_label("Servizio", exact=True).select_option(SERVICE)
        await look.get_by_label("Sì, la persona è d'accordo").check()
        await look.get_by_label("Detto a voce, di persona").check()
        await operator.press("Continuare: controllare le risposte")
        await operator.press("Chiedere al servizio")
        request = look.url.partition("/richieste/")[2].partition("?")[0]
        await operator.open("/richieste?elenco=tutte")
        await operator.open("/servizi")
        await operator.open("/reclami")
        assert (operator.wrong, operator.complaints) == ([], [])
    async with seen(place, None) as receiver:
        await receiver.open(f"/risposta/{await token_of(place, worker, request)}")
        assert await receiver.looked.page.get_by_text("Ada Viaggio").is_visible()
        await receiver.looked.page.get_by_label("Sì: la persona può venire").check()
        await receiver.press("Continuare: controllare le risposte")
        await receiver.press("Invia la risposta")
        assert await receiver.looked.page.get_by_text("Grazie, la risposta è arrivata").first.is_visible()
        assert (receiver.wrong, receiver.complaints) == ([], [])
    async with seen(place, Role.WORKER, worker) as own:
        await own.open(f"/me/richieste/{request}")
        await own.looked.page.get_by_label("In parte").check()
        await own.press("Invia")
        await own.open("/me/reclamo")
        assert (own.wrong, own.complaints) == ([], [])
    assert (await stored(place, request)).need_met is NeedMet.PARTLY
