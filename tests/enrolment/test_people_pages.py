"""Pages about people as an operator meets them: search, sheet, decisions, and the lists of today.

The module has over 300 lines, since its tests share one enrolment, which takes seconds to start.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from enrolment import commands as do
from enrolment.domain import Status
from enrolment.today.queries import List
from services.contracts.enrolment import Contacting, How, Purpose
from services.identity.auth import Role
from services.kernel import code_of
from services.settings import Settings
from tests.enrolment.operators import consent, level, page, refer, send, stored, told
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own

EMAIL = "ada@example.org"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, for all tests of this file: each has people of its own."""
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"pp{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


@pytest.fixture
def desk(place: Site) -> httpx.AsyncClient:
    return place.client(Role.OPERATOR, "operator-1")


async def test_a_person_is_found_by_parts_of_the_name_and_by_code_and_has_each_search_in_their_log(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Niccolò", "D'Angelo")
    other = await refer(place, "Niccolina", "Fumagalli")
    for query in ("dangelo", "D'ang nicc", "d angelo", code_of(worker), worker):
        shown = text_of(await page(desk, f"/persone?nome={query}"))
        assert "Niccolò D'Angelo" in shown, query
        assert "Fumagalli" not in shown, query
    assert await place.noted(worker) == [("operator", "search")] * 5
    assert await place.noted(other) == []
    both = text_of(await page(desk, "/persone?nome=niccol"))
    assert "2 risultati" in both


async def test_a_search_without_result_says_what_to_try_and_is_noted_of_nobody(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ermenegilda", "Zucchi")
    shown = text_of(await page(desk, "/persone?nome=zucchi+anna"))
    assert "Nessuna persona si chiama «zucchi anna» né ha questo codice." in shown
    assert "Provare con meno lettere" in shown
    assert await place.noted(worker) == []


async def test_the_list_is_paged_with_its_total_and_notes_those_alone_who_are_shown(
    place: Site, desk: httpx.AsyncClient
) -> None:
    people = [await refer(place, f"Persona{n:02}", "Paginata") for n in range(30)]
    first, second = [text_of(await page(desk, f"/persone?nome=paginata&pagina={n}")) for n in (1, 2)]
    assert "30 risultati, pagina 1 di 2" in first
    assert ("Persona00" in first, "Persona24" in first, "Persona25" in first) == (True, True, False)
    assert ("Persona24" in second, "Persona25" in second, "Persona29" in second) == (False, True, True)
    assert [len(await place.noted(each)) for each in people] == [1] * 30
    assert 'href="/persone?nome=paginata&amp;pagina=2"' in (await desk.get("/persone?nome=paginata")).text


async def test_what_is_searched_for_is_shown_as_text(desk: httpx.AsyncClient) -> None:
    assert "<b>x" not in await page(desk, "/persone?nome=%3Cb%3Ex")


async def test_the_sheet_shows_who_it_is_what_comes_next_and_what_happened_and_works_without_the_others(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Scheda", email=EMAIL)
    await place.do(
        do.decide_consent,
        do.DecideConsent(
            worker=worker,
            given={Purpose.PARTICIPATION: True},
            notice=place.service.rules[place.programme].notice.version,
            how=How.SIGNED_PAPER,
        ),
    )
    await told(place, worker, 2)
    html = await page(desk, f"/persone/{worker}")
    assert '<p class="who">Operatore' in html, "the header is about the reader"
    shown = text_of(html)
    for words in (
        "Ada Scheda", f"Codice {code_of(worker)}", "Segnalata", "Contattare la persona", "ada@example.org",
        "A partner with an agreement", "Firmato su carta", "non ancora chiesto", "Non c'è ancora un profilo.",
        "segnalata da A partner with an agreement.", "decisione su un consenso. Partecipare al programma: sì (Firmato su carta;",
        "La persona non ha un posto in un gruppo.", "I messaggi ora non sono disponibili.",
    ):  # fmt: skip
        assert words in shown, words
    assert await place.noted(worker) == [("operator", "person")]


async def test_nobody_is_shown_who_is_not_there_or_was_erased(place: Site, desk: httpx.AsyncClient) -> None:
    assert "Nel programma non c'è nessuna persona con questo codice." in text_of(
        await page(desk, "/persone/nobody", 404)
    )
    worker = await refer(place, "Ada", "Cancellanda")
    assert "Cancellanda" in await page(desk, "/persone?nome=cancellanda")
    await place.do(do.erase, do.Erase(worker=worker))
    assert "sono stati cancellati" in text_of(await page(desk, f"/persone/{worker}", 410))
    assert "Nessuna persona si chiama" in text_of(await page(desk, "/persone?nome=cancellanda"))


async def test_consents_are_recorded_after_a_check_with_how_they_were_given_and_sent_twice_are_recorded_once(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Consensi")
    address = f"/persone/{worker}/consensi"
    wrong = text_of(await send(desk, address, 422, how="", participation=""))
    assert "Scegliere sì o no per almeno uno degli scopi." in wrong
    assert wrong.count("Come l'ha detto la persona") > 1, "at the field, and above the form"
    check = await send(desk, address, 200, participation="yes", contact="no", how="in-person")
    assert "Non è stato ancora salvato nulla." in text_of(check)
    assert "Partecipare al programma Sì" in text_of(check)
    assert (await stored(place, worker)).consents == {}
    fields = {**fields_of(check), "step": "done"}
    for _ in range(2):
        answer = await desk.post(address, data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/persone/{worker}?fatto=consensi")
    consents = (await stored(place, worker)).consents
    assert {each: (c.given, c.how) for each, c in consents.items()} == {
        Purpose.PARTICIPATION: (True, How.IN_PERSON), Purpose.CONTACT: (False, How.IN_PERSON)
    }  # fmt: skip
    await told(place, worker, 3)
    rows = [
        each
        async for each in place.service.read_models.rows("history", {"programme": place.programme, "worker": worker})
    ]
    assert sorted(each["what"] for each in rows) == ["consent", "consent", "referred"]
    assert "Le decisioni sono registrate e valgono da ora." in text_of(
        await page(desk, f"/persone/{worker}?fatto=consensi")
    )


async def test_what_was_typed_stays_when_the_answers_are_changed(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await refer(place, "Ada", "Cambia")
    address = f"/persone/{worker}/consensi"
    check = await send(desk, address, 200, participation="yes", how="signed-paper", day="1/2/2021")
    again = await desk.post(address, data={**fields_of(check), "step": "change"})
    kept = fields_of(again.text)
    assert (kept["participation"], kept["how"], kept["day"]) == ("yes", "signed-paper", "1/2/2021")
    assert kept["once"] == fields_of(check)["once"]


async def test_a_person_is_admitted_after_the_consent_and_never_before(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await refer(place, "Ada", "Ammessa")
    address = f"/persone/{worker}/ammissione"
    barred = await page(desk, address)
    assert "La persona non ha dato il consenso a partecipare." in text_of(barred)
    assert f'href="/persone/{worker}/consensi"' in barred
    await consent(place, worker)
    early = await send(desk, address, 200, day="2/1/2021")
    refused = await desk.post(address, data={**fields_of(early), "step": "done"})
    assert refused.status_code == 409
    assert "Questo giorno viene prima di un passo necessario" in text_of(refused.text)
    assert fields_of(refused.text)["day"] == "2/1/2021"
    assert "<title>Errore:" in refused.text
    check = await desk.post(address, data={**fields_of(refused.text), "day": ""})
    done = await desk.post(address, data={**fields_of(check.text), "step": "done"})
    assert (done.status_code, (await stored(place, worker)).status) == (303, Status.ADMITTED)
    assert "Si è già deciso" in text_of(await page(desk, address))


@pytest.mark.parametrize(
    ("day", "words"), [("31/12/2098", "non è ancora arrivato"), ("domani", "Scrivere una data come 27/3/2026")]
)
async def test_a_day_that_cannot_be_is_told_at_its_field(
    place: Site, desk: httpx.AsyncClient, day: str, words: str
) -> None:
    worker = await refer(place, "Ada", "Giorni")
    answer = await desk.post(f"/persone/{worker}/rifiuto", data={"day": day, "reason": "other", "step": "done"})
    assert answer.status_code == 422
    assert re.search(rf'id="day-wrong">.*{words}', answer.text)
    assert (await stored(place, worker)).status is Status.REFERRED


async def test_a_referral_is_closed_and_somebody_leaves_after_what_it_means_was_said(
    place: Site, desk: httpx.AsyncClient
) -> None:
    declined, leaver = await refer(place, "Ada", "Rifiuta"), await refer(place, "Ugo", "Esce")
    means = text_of(await page(desk, f"/persone/{declined}/rifiuto"))
    assert "Da qui non si può annullare." in means
    assert means.index("Non cambiare nulla") < means.index(
        "Chiudere la segnalazione", means.index("Non cambiare nulla")
    )
    assert (
        await send(desk, f"/persone/{declined}/rifiuto", 303, step="done", reason="no-time")
        == f"/persone/{declined}?fatto=rifiuto"
    )
    no_reason = await send(desk, f"/persone/{leaver}/uscita", 422, step="done")
    assert "Scegliere una risposta: Perché la persona lascia il programma" in text_of(no_reason)
    assert (
        await send(desk, f"/persone/{leaver}/uscita", 303, step="done", reason="found-work")
        == f"/persone/{leaver}?fatto=uscita"
    )
    assert [(await stored(place, each)).status for each in (declined, leaver)] == [Status.DECLINED, Status.WITHDRAWN]


async def test_data_are_corrected_found_by_the_new_name_and_never_over_a_change_that_was_not_seen(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Vecchi", email=EMAIL)
    address = f"/persone/{worker}/dati"
    opened = fields_of(await page(desk, address))
    assert (opened["family_name"], opened["email"], opened["language"]) == ("Vecchi", "ada@example.org", "it")
    assert (
        await desk.post(address, data={**opened, "family_name": "Nuovi", "email": "", "why": "Era scritto male"})
    ).status_code == 303
    assert "Ada Nuovi" in text_of(await page(desk, "/persone?nome=nuovi"))
    assert "email" not in (await stored(place, worker)).card
    stale = await desk.post(address, data={**opened, "family_name": "Altri", "why": "Ancora", "once": "x" * 22})
    assert stale.status_code == 412
    assert "Nel frattempo qualcun altro ha cambiato questi dati." in text_of(stale.text)
    assert fields_of(stale.text)["family_name"] == "Altri"
    assert (await desk.post(address, data=fields_of(stale.text))).status_code == 303
    wrong = await send(desk, address, 422, email="ada@")
    assert "Scrivere un indirizzo e-mail" in text_of(wrong)


async def test_a_profile_is_completed_and_shown_in_words(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await refer(place, "Ada", "Profilo")
    address = f"/persone/{worker}/profilo"
    typed = {
        "municipality": "monza",
        "travel_km": "12,5",
        "slots__mon-evening": "yes",
        "birth_year": "1971",
        "needs_access": "yes",
    }
    lonely = await send(desk, address, 200, **typed, among="colleagues", not_before="27/3/2026")
    refused = await desk.post(address, data={**fields_of(lonely), "step": "done"})
    assert re.search(r'id="employer-wrong">.*occorre sapere quale', refused.text)
    check = await desk.post(address, data={**fields_of(refused.text), "employer": "candy-brugherio", "step": "check"})
    assert "il lunedì alle 18:30" in text_of(check.text)
    done = await desk.post(address, data={**fields_of(check.text), "step": "done"})
    assert done.status_code == 303, text_of(done.text)
    shown = text_of(await page(desk, f"/persone/{worker}"))
    for words in (
        "Comune Monza",
        "12,5 km",
        "il lunedì alle 18:30",
        "1971",
        "candy-brugherio. Solo con chi",
        "venerdì 27 marzo 2026",
        "senza gradini",
    ):
        assert words in shown, words
    again = fields_of(await page(desk, address))
    assert (again["travel_km"], again["not_before"], again["slots.mon-evening"], again["needs_access"]) == (
        "12.5",
        "27/3/2026",
        "yes",
        "yes",
    )


async def test_the_link_to_ones_own_page_is_offered_and_sent_to_whoever_can_get_it(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Collegata", email=EMAIL)
    assert "A questa persona non si possono mandare messaggi" in text_of(await page(desk, f"/persone/{worker}"))
    refused = await desk.post(f"/persone/{worker}/collegamento")
    assert (refused.status_code, "non ha dato il consenso" in text_of(refused.text)) == (409, True)
    await consent(place, worker, Purpose.PARTICIPATION, Purpose.CONTACT)
    assert f'action="/persone/{worker}/collegamento"' in await page(desk, f"/persone/{worker}")
    sent = await desk.post(f"/persone/{worker}/collegamento")
    assert (sent.status_code, sent.headers["location"]) == (303, f"/persone/{worker}?fatto=collegamento")
    assert len((await stored(place, worker)).links) == 1


async def test_a_facilitator_gets_the_names_of_the_members_of_the_day_in_their_own_group_alone(place: Site) -> None:
    ada, ugo = await refer(place, "Ada", "Presente"), await refer(place, "Ugo", "Assente")
    today = place.service.rules[place.programme].day_of(datetime.now(UTC))
    yesterday, group = today - timedelta(days=1), "g-names"
    live = await place.service.read_models.live()
    rows = {
        "leaders": [{"group": group, "facilitator": "anna", "since": str(yesterday), "order": 1}],
        "members": [
            {"group": group, "worker": ada, "person": ada, "since": str(yesterday), "sits": True, "order": 2},
            {"group": group, "worker": ugo, "person": ugo, "since": str(today), "sits": True, "order": 3},
        ],
    }
    for name, some in rows.items():
        for number, row in enumerate(some):
            document = {"_id": f"{place.programme}/{name}{number}", "programme": place.programme, **row}
            await place.service.store[f"{name}.g{live}"].insert_one(document)
    anna = place.client(Role.FACILITATOR, "anna")
    address = f"/groups/{group}/names?on="
    assert (await anna.get(f"{address}{yesterday}")).json() == {ada: "Ada P."}
    assert (await anna.get(f"{address}{today}")).json() == {ada: "Ada P.", ugo: "Ugo A."}
    assert await place.noted(ugo) == [("facilitator", f"names of group {group}")]
    assert (await place.client(Role.OPERATOR).get(f"{address}{today}")).json() == {ada: "Ada P.", ugo: "Ugo A."}
    for client in (
        place.client(Role.FACILITATOR, "bea"),
        place.client(Role.REFERRER, "r", place.partner),
        place.client(),
    ):
        assert (await client.get(f"{address}{today}")).status_code in {303, 403, 404}
    assert (await anna.get(f"/groups/another/names?on={today}")).status_code == 404
    assert (await anna.get(f"/groups/{group}/names")).status_code == 422
    assert len(await place.noted(ugo)) == 2


async def test_everybody_who_needs_something_is_in_one_list_of_today_by_code_and_without_a_note(
    place: Site, desk: httpx.AsyncClient
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=15)
    late = await refer(place, "Ada", "Tarda", at=long_ago)
    ready = await refer(place, "Ada", "Pronta")
    await consent(place, ready)
    silent, unwilling = await refer(place, "Ada", "Muta"), await refer(place, "Ada", "Nega")
    await consent(place, unwilling, given=False)
    for each in (ready, silent, unwilling):
        await place.do(do.hold, do.Hold(worker=each))
    new, spoken, booked = [await refer(place, "Ada", name) for name in ("Nuova", "Sentita", "Fissata")]
    await place.do(do.try_contact, do.TryContact(worker=spoken, how=Contacting.PHONE, reached=True))
    await place.do(do.try_contact, do.TryContact(worker=new, how=Contacting.PHONE, reached=False))
    soon = datetime.now(UTC) + timedelta(seconds=5)
    await place.do(do.book, do.Book(worker=booked, when=soon))
    bare = await refer(place, "Ada", "Nuda")
    await consent(place, bare)
    await place.do(do.admit, do.Admit(worker=bare))
    gone = await refer(place, "Ada", "Andata", at=long_ago)
    await place.do(do.decline, do.Decline(worker=gone))
    everybody = (late, ready, silent, unwilling, bare, gone, new, spoken, booked)
    for worker, events in zip(everybody, (1, 3, 2, 3, 3, 2, 2, 2, 2), strict=True):
        await told(place, worker, events)
    listed = {}
    for name in List:
        shown = "".join([await page(desk, f"/oggi?elenco={name.value}&pagina={n}") for n in (1, 2)])
        listed[name] = [each for each in everybody if code_of(each) in shown]
        assert "Ada" not in shown
    assert listed == {
        List.INTERVIEW: [booked], List.UNANSWERED: [late], List.CONTACT: [new], List.BOOK: [spoken],
        List.CONSENT: [silent, unwilling], List.DECIDE: [ready], List.PROFILE: [bare],
    }  # fmt: skip
    today = text_of(await page(desk, "/oggi"))
    assert "Senza risposta da più di due settimane (1)" in today
    assert f"{code_of(late)} segnalata, nessuno ha ancora deciso" in today
    assert "(da 15 giorni)" in today
    assert "Ciò che riguarda i gruppi ora non è disponibile." in today
    refusing = text_of(
        await page(desk, "/oggi?elenco=senza-consenso&pagina=1")
        + await page(desk, "/oggi?elenco=senza-consenso&pagina=2")
    )
    assert f"{code_of(unwilling)} ha detto no alla partecipazione" in refusing
    assert [await place.noted(each) for each in everybody] == [[]] * 9


async def test_a_page_asks_the_same_number_of_statements_at_fifty_people_and_at_five_hundred(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await refer(place, "Ada", "Contata")
    counted = []
    for number in (50, 450):
        for n in range(number):
            await refer(place, f"Nome{n}", "Molti")
        await page(desk, "/persone")
        # Nobody refers five hundred people in one minute, in which the index looks at them again.
        await place.service.store["worker"].update_many({}, {"$set": {"state.filled": "2026-01-01T00:00:00Z"}})
        await level(place)
        seen = {}
        for address in (
            "/oggi",
            "/oggi?elenco=senza-consenso",
            "/persone",
            "/persone?nome=molti",
            f"/persone/{worker}",
            f"/persone/{worker}/profilo",
        ):
            with place.counting() as statements:
                await page(desk, address)
            seen[address] = dict(statements)
        counted.append(seen)
    assert counted[0] == counted[1]
    assert counted[0]["/persone"] == {
        "find worker": 2,
        "find keys": 1,
        "find desk": 1,
        "find erased": 1,
        "update keys": 1,
        "insert access": 1,
    }
    assert all(sum(each.values()) <= 20 for each in counted[0].values())


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.OPERATOR])
async def test_the_pages_are_for_operators_alone(place: Site, role: Role) -> None:
    client = place.client(role, "w1", place.partner)
    for address in ("/oggi", "/oggi?elenco=senza-consenso", "/persone", "/persone/w1", "/persone/w1/dati"):
        assert (await client.get(address)).status_code == 403
    stranger = await place.client().get("/persone?nome=x")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/accedi?next=%2Fpersone%3Fnome%3Dx")
