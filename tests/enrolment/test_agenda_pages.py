"""The agenda of welcome interviews, what the sheet says of reaching somebody and of who did each step, and the worker's own choice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from enrolment import commands as do
from enrolment.agenda.pages import ROWS
from enrolment.domain import Worker
from services.contracts.enrolment import Employment, Occupation, Purpose
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.operators import PROFILE, consent, page, refer, send, stored, told
from tests.enrolment.site import Site, fields_of, site, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own

FISCAL = "RSSMRA85T10A562S"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Enrolment in a programme of its own, for all tests of this file."""
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"ag{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


@pytest.fixture
def desk(place: Site) -> httpx.AsyncClient:
    """A browser of an operator whose token gives a name."""
    client = place.client(Role.OPERATOR, "operator-1")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    place.signed.callers[token] = replace(place.signed.callers[token], name="Olga Riva")
    return client


def at(place: Site, days: int, hour: int) -> datetime:
    """A time so many days from today, in the programme's zone."""
    rules = place.service.rules[place.programme]
    return datetime.combine(rules.day_of(datetime.now(UTC)) + timedelta(days=days), time(hour), rules.zone)


async def booked(place: Site, given: str, when: datetime, **card: str) -> str:
    """Refer somebody a month ago, and book the interview then."""
    long_ago = at(place, -30, 9)
    worker = await refer(place, given, "Agenda", at=long_ago, **card)
    await place.do(do.book, do.Book(worker=worker, when=when, at=long_ago))
    return worker


async def test_without_interviews_the_agenda_says_what_to_do(place: Site, desk: httpx.AsyncClient) -> None:
    """The first test of the file: nobody is booked yet."""
    html = await page(desk, "/colloqui")
    for words in ("Oggi nessun colloquio.", "Nessun colloquio fissato.", "aprire la scheda della persona"):
        assert words in text_of(html), words
    assert 'href="/oggi?elenco=senza-data"' in html
    assert "nessuno fissato." in text_of(await page(desk, "/oggi"))


async def test_the_agenda_shows_each_day_by_hour_with_names_and_notes_them(
    place: Site, desk: httpx.AsyncClient
) -> None:
    late, early = await booked(place, "Tarda", at(place, 0, 23)), await booked(place, "Mattiniera", at(place, 0, 1))
    week, gone = await booked(place, "Settimana", at(place, 7, 10)), await booked(place, "Passata", at(place, -2, 10))
    held = await booked(place, "Svolta", at(place, 1, 10))
    await place.do(do.hold, do.Hold(worker=held))
    await place.level()

    html = await page(desk, "/colloqui")
    shown = text_of(html)
    positions = [
        shown.index(words)
        for words in ("Oggi, ", "01:00", "Mattiniera Agenda", "23:00", "Tarda Agenda", "10:00", "Settimana Agenda")
    ]
    assert positions == sorted(positions), shown
    assert "Passata" not in shown
    assert "Svolta" not in shown
    assert "1 colloquio passato è senza esito" in shown
    for end in ("", "/colloquio", "/appuntamento", "/rifiuto"):
        assert f'href="/persone/{early}{end}"' in html, end
    assert f'href="/persone/{week}/colloquio"' not in html, "what is a week away has no result yet"
    assert f'href="/persone/{week}/appuntamento"' in html
    past = await page(desk, "/colloqui?elenco=senza-esito")
    assert "Passata Agenda" in text_of(past)
    assert "Tarda" not in text_of(past)
    assert f'href="/persone/{gone}/colloquio"' in past
    assert [await place.noted(each) for each in (late, week, gone, held)] == [[("operator", "agenda")]] * 3 + [[]]
    assert "Agenda dei colloqui di accoglienza : 4 fissati." in text_of(await page(desk, "/oggi"))


async def test_what_was_moved_stands_at_its_new_hour_before_the_read_model_knows_it(
    place: Site, desk: httpx.AsyncClient
) -> None:
    worker = await booked(place, "Spostata", at(place, 3, 9))
    await place.level()
    moved = at(place, 4, 17)
    typed = {"date": f"{moved.day}/{moved.month}/{moved.year}", "hour": "17:00"}
    await send(desk, f"/persone/{worker}/appuntamento", 303, **typed)
    shown = text_of(await page(desk, "/colloqui"))
    assert "17:00 Spostata Agenda" in shown


async def test_the_agenda_is_paged_and_notes_those_alone_who_are_shown(place: Site, desk: httpx.AsyncClient) -> None:
    people = [await booked(place, f"Pagina{n:02}", at(place, 20, 8) + timedelta(minutes=n)) for n in range(ROWS)]
    await place.level()
    first, second = [text_of(await page(desk, f"/colloqui?pagina={n}")) for n in (1, 2)]
    assert f"Pagina{ROWS - 1} Agenda" not in first
    assert f"Pagina{ROWS - 1} Agenda" in second
    assert "Oggi, " not in second
    assert {len(await place.noted(each)) for each in people} == {1}, "before one of them is looked at again"
    assert f"Pagina{ROWS - 1}" in text_of(await page(desk, "/colloqui?pagina=99")), "the last page"


async def test_others_see_no_agenda(place: Site) -> None:
    for role in (Role.FACILITATOR, Role.COORDINATOR, Role.WORKER, Role.ADMINISTRATOR):
        async with place.client(role) as client:
            assert (await client.get("/colloqui")).status_code == 403, role


async def test_the_sheet_says_above_the_addresses_how_somebody_may_be_reached_and_what_intake_asked(
    place: Site, desk: httpx.AsyncClient
) -> None:
    card: dict[str, Any] = {
        "email": "ada@example.org",
        "phone": "+393331234567",
        "not_by": "mail call",
        "call_at": "evening",
        "fiscal_code": FISCAL,
    }
    worker = await refer(place, "Ada", "Raggiunta", **card)
    plain = await refer(place, "Ada", "Qualunque", email="ada@example.org")
    lost = {"employment": Employment.FIXED_TERM_ENDED, "occupation": Occupation.CLERKS, "months_out": 7}
    await place.do(do.describe, do.Describe(worker=worker, profile=PROFILE.model_copy(update=lost)))
    shown = text_of(await page(desk, f"/persone/{worker}"))
    wish = shown.index("Che cosa la persona non vuole: Non scrivere e-mail; Non telefonare")
    assert wish < shown.index("Dopo le 17") < shown.index("ada@example.org")
    for words in (FISCAL, "Contratto a termine scaduto", "Lavoro d'ufficio", "7"):
        assert words in shown, words
    assert "non vuole" not in text_of(await page(desk, f"/persone/{plain}"))


async def test_the_timeline_says_who_did_each_step_and_why(place: Site, desk: httpx.AsyncClient) -> None:
    worker = await refer(place, "Ada", "Seguita", email="ada@example.org")
    await send(desk, f"/persone/{worker}/contatto", 303, how="phone", reached="yes")
    await send(desk, f"/persone/{worker}/dati", 303, family_name="Corretta", why="cognome scritto male")
    await consent(place, worker, Purpose.CONTACT)
    async with place.client(Role.WORKER, worker) as own:
        form = fields_of(await page(own, "/me/consensi")) | {"research": "yes", "step": "done"}
        assert (await own.post("/me/consensi", data=form)).status_code == 303
    await told(place, worker, 5)
    shown = text_of(await page(desk, f"/persone/{worker}")).rpartition("Che cosa è successo")[2]
    steps = shown.partition("Registrato da")[0]
    assert "sì (Deciso sulla pagina personale" in steps, "the latest step is on top"
    for words in (
        "Registrato da: la persona stessa.",
        "nome o recapiti corretti. Registrato da: Olga Riva (operatore). Motivo: cognome scritto male",
        "contatto riuscito: per telefono. Registrato da: Olga Riva (operatore).",
    ):
        assert words in shown, (words, shown)
    assert shown.count("Registrato da") == 3, "the service itself is nobody"


async def test_a_worker_changes_how_they_may_be_reached_by_the_rules_of_every_form(
    place: Site, desk: httpx.AsyncClient
) -> None:
    card: dict[str, Any] = {
        "email": "ada@example.org",
        "phone": "+393331234567",
        "call_at": "morning",
        "fiscal_code": FISCAL[::-1],
    }
    worker = await refer(place, "Ada", "Propria", **card)
    await consent(place, worker, Purpose.PARTICIPATION, Purpose.CONTACT)
    async with place.client(Role.WORKER, worker) as own:
        assert 'href="/me/contatti"' in await page(own, "/me")
        none = await send(own, "/me/contatti", 422, not_by__mail="yes", not_by__sms="yes", not_by__call="yes")
        assert "Almeno un modo" in text_of(none)
        assert await words_of(place, worker) == (None, "morning")

        before = fields_of(await page(own, "/me/contatti"))
        assert await send(own, "/me/contatti", 303, not_by__call="yes", call_at__evening="yes", step="done")
        assert await words_of(place, worker) == ("call", "morning evening")
        assert "Le tue scelte sono salvate" in text_of(await page(own, "/me/contatti?fatto=true"))
        assert "Non telefonare" in text_of(await page(own, "/me/dati"))
        stale = await own.post("/me/contatti", data=before | {"not_by.sms": "yes", "once": "x" * 22})
        assert stale.status_code == 412
        assert "Nel frattempo i tuoi dati sono cambiati" in text_of(stale.text)
        assert await words_of(place, worker) == ("call", "morning evening")
    found = await stored(place, worker)
    assert set(found.card) == {"given_name", "family_name", "language", *card, "not_by"}, (
        "nothing else of the card is lost"
    )
    assert found.fiscal is not None
    assert "Non telefonare" in text_of(await page(desk, f"/persone/{worker}"))


async def words_of(place: Site, worker: str) -> tuple[str | None, str | None]:
    """The wishes on the card, opened."""

    async def opened(work: Any) -> tuple[str | None, str | None]:
        found = await work.peek(Worker, worker)
        said = [
            await work.unseal(worker, name, found.card[name]) if name in found.card else None
            for name in ("not_by", "call_at")
        ]
        return said[0], said[1]

    got: tuple[str | None, str | None] = await place.service.commanding.query(
        opened, place.service.rules[place.programme]
    )
    return got


async def test_without_any_address_the_page_says_whom_to_tell(place: Site) -> None:
    worker = await refer(place, "Ada", "Senza")
    async with place.client(Role.WORKER, worker) as own:
        assert "Non abbiamo né un tuo indirizzo e-mail" in text_of(await page(own, "/me/contatti"))
