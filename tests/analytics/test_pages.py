"""The page of figures as each role sees it, through the real application of analytics and rows in a real MongoDB."""

import csv
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pymongo import monitoring

import analytics.app
from services.contracts.enrolment import Purpose
from services.events.inbox.projections import collection_of
from services.identity.auth import Role
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.collections import prepare
from services.store.consents import Consents, Decision
from tests.analytics.facts import presence, seat, survey, worker
from tests.helpers.callers import client_as

PROGRAMME, OTHER = "monza-brianza", "jobs2"
SEES_PEOPLE = (Role.OPERATOR, Role.ADMINISTRATOR)


class Reads(monitoring.CommandListener):
    """Counts the reads of MongoDB by collection."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        name = event.command_name
        if name in {"find", "aggregate", "count"}:
            self.found[str(event.command[name])] += 1
        elif name == "getMore":
            self.found[str(event.command["collection"])] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Ignored: a read counts when it is sent."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Ignored, for the same reason."""

    def taken(self) -> Counter[str]:
        found, self.found = self.found, Counter()
        return found


@pytest.fixture(scope="module")
def reads() -> Reads:
    listener = Reads()
    monitoring.register(listener)
    return listener


@pytest_asyncio.fixture
async def service(settings: Settings, reads: Reads) -> AsyncIterator[Service]:
    """Analytics, whose consumers do not run."""
    async with running(analytics.app.build(settings), []) as one:
        await prepare(one.store, [])
        yield one


async def put(service: Service, projection: str, rows: dict[str, dict[str, Any]], programme: str = PROGRAMME) -> None:
    """Store these rows, by their keys, as the projection does."""
    collection = service.store[collection_of(projection, 1)]
    await collection.insert_many(
        [{"_id": f"{programme}/{key}", "programme": programme, **row} for key, row in rows.items()]
    )


async def put_groups(service: Service, number: int) -> None:
    """Store so many groups with three meetings each, of which one was held and one lacks its roll-call, and their place."""
    today = now_utc()
    place = {"place": "casa", "title": "Casa del volontariato", "municipality": "monza", "rooms": 2}
    await put(service, "places", {"casa": place})
    rows: dict[str, dict[str, Any]] = {}
    for at in range(number):
        group = f"g{at:04}"
        first = (date(2026, 9, 7) + timedelta(days=at)).isoformat()
        rows[f"group/{group}"] = {
            "formed": group,
            "kind": "heterogeneous",
            "slot": "mon-evening",
            "place": "casa",
            "facilitator": "secret-leader",
            "first": first,
        }
        for meeting, days in ((1, -20), (2, -6), (3, 8)):
            held = {"held": first, "present": 7, "absent": 5} if meeting == 1 else {}
            starts = today + timedelta(days=days)
            rows[f"{group}-{meeting}"] = {
                "session": f"{group}-{meeting}",
                "group": group,
                "number": meeting,
                "starts": starts,
                **held,
            }
    await put(service, "meetings", rows)


async def put_people(service: Service, number: int) -> None:
    """Store so many people who consent to research, each with a seat."""
    people = [f"w{at:05}" for at in range(number)]
    await put(service, "path", {id: worker(id, admitted=datetime(2026, 10, 6, tzinfo=UTC)) for id in people})
    await put(service, "path", {f"{id}/g0001": seat(id, "g0001") for id in people})
    await consent(service, people)


async def consent(service: Service, people: list[str]) -> None:
    """Store the consent of these people to take part and to research."""
    at = datetime(2026, 10, 5, tzinfo=UTC)
    decisions = tuple(
        Decision(purpose, True, at, sequence).document()
        for sequence, purpose in enumerate((Purpose.PARTICIPATION, Purpose.RESEARCH), start=1)
    )
    documents = [Consents(f"{PROGRAMME}/{id}", PROGRAMME, decisions).document() for id in people]
    await service.store[Consents.collection].insert_many(documents)


def sentences(page: httpx.Response) -> str:
    """The words of the page, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def seen(app: FastAPI, role: Role, path: str = "/andamento", programme: str = PROGRAMME) -> httpx.Response:
    async with client_as(app, role, programme) as client:
        return await client.get(path, headers={"Accept-Language": "it"})


async def test_a_coordinator_reads_groups_meetings_seats_and_places_beside_target_and_plan(service: Service) -> None:
    await put_groups(service, 2)
    page = await seen(service.app, Role.COORDINATOR)
    assert page.status_code == 200
    said = sentences(page)
    for sentence in (
        "Gruppi formati: 2, su un obiettivo di 6.",
        "Incontri tenuti: 2, su un obiettivo di 108.",
        "Nei calendari dei gruppi ci sono 6 incontri; fino a oggi ne erano previsti 4, e ne sono stati tenuti 2.",
        "2 incontri non contano come tenuti perché mancano le presenze.",
        "I gruppi formati hanno al massimo 30 posti; il programma vuole raggiungere 75 persone.",
        "Luoghi registrati: 1. Gruppi che vi si possono incontrare nello stesso momento: 2. Luoghi in uso ora: 1.",
        "Casa del volontariato, Monza",
        "Su una linea retta dal primo all'ultimo giorno",
        "Vedi i dati: Incontri",
    ):
        assert sentence in said, sentence


async def test_nobody_stands_behind_what_a_coordinator_reads(service: Service) -> None:
    """The numbers of people are chosen so that they stand nowhere else."""
    await put_groups(service, 2)
    await put_people(service, 7919)
    for path in ("/andamento", "/andamento.csv"):
        page = await seen(service.app, Role.COORDINATOR, path)
        assert "7919" not in page.text.replace(".", "")
        assert "secret-leader" not in page.text
        assert "Persone segnalate" not in page.text
        assert "w00001" not in page.text


@pytest.mark.parametrize("role", SEES_PEOPLE)
async def test_who_runs_the_programme_also_reads_the_true_counts_of_people(service: Service, role: Role) -> None:
    await put_groups(service, 2)
    await put_people(service, 23)
    said = sentences(await seen(service.app, role))
    assert "Persone segnalate: 23. Ammesse: 23; non ammesse: 0." in said
    assert "Con un posto in un gruppo: 23; in attesa di un posto: 0." in said
    assert "non vanno diffusi" in said


@pytest.mark.parametrize("role", sorted({*Role} - {Role.COORDINATOR, *SEES_PEOPLE}))
async def test_nobody_else_sees_the_page_or_the_file(service: Service, role: Role) -> None:
    await put_groups(service, 2)
    for path in ("/andamento", "/andamento.csv"):
        page = await seen(service.app, role, path)
        assert page.status_code == 403
        assert "Casa del volontariato" not in page.text


async def test_another_programme_has_its_own_figures(service: Service) -> None:
    await put_groups(service, 2)
    said = sentences(await seen(service.app, Role.COORDINATOR, programme=OTHER))
    assert "Gruppi formati: 0." in said
    assert "Casa del volontariato" not in said


async def test_an_empty_programme_says_what_comes_next_and_shows_no_empty_table(service: Service) -> None:
    said = sentences(await seen(service.app, Role.OPERATOR))
    for sentence in (
        "Non è ancora formato nessun gruppo. I primi si formano quando sono in attesa abbastanza persone.",
        "Non è ancora registrato nessun luogo.",
        "Nessun incontro ha ancora le presenze registrate.",
        "Nessuna persona è ancora stata invitata a compilare un questionario.",
    ):
        assert sentence in said, sentence


async def test_the_file_has_the_lines_of_the_tables_and_opens_in_a_spreadsheet(service: Service) -> None:
    await put_groups(service, 2)
    await put_people(service, 23)
    await put(service, "attendance", {"m1/w00001": presence("w00001", True)})
    await put(service, "scores", {"s1": survey("w00001")})
    answer = await seen(service.app, Role.OPERATOR, "/andamento.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="andamento-{PROGRAMME}-' in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    titles, *lines = csv.reader(StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert titles == ["Sezione", "Dato", "Numero", "Obiettivo", "Atteso a oggi"]
    found = {(line[0], line[1]): line[2:] for line in lines}
    assert found["Gruppi", "Gruppi formati"][:2] == ["2", "6"]
    assert found["Persone", "Persone segnalate"] == ["23", "", ""]
    assert found["Segnalazioni per ente e mese", "CISL Monza Brianza Lecco, ottobre 2026"] == ["23", "", ""]
    page = sentences(await seen(service.app, Role.OPERATOR))
    assert [line[1] for line in lines if line[1] not in page] == []


async def test_no_cell_of_the_file_is_a_formula(service: Service) -> None:
    partner = worker("w1", partner="=cmd")
    await put(service, "path", {"w1": partner})
    await consent(service, ["w1"])
    answer = await seen(service.app, Role.OPERATOR, "/andamento.csv")
    assert ";'=cmd, " in answer.text


async def test_english_is_a_whole_translation(service: Service) -> None:
    await put_groups(service, 2)
    async with client_as(service.app, Role.COORDINATOR, PROGRAMME) as client:
        page = await client.get("/andamento?lang=en")
    said = sentences(page)
    assert "Groups formed: 2, of a target of 6." in said
    assert "Self-help for work, Province of Monza and Brianza" in said
    assert "Gruppi" not in said


async def test_a_long_list_of_groups_has_pages_that_say_where_they_are(service: Service) -> None:
    await put_groups(service, 45)
    first = await seen(service.app, Role.COORDINATOR)
    assert first.text.count("Casa del volontariato") == 20
    assert "45 risultati, pagina 1 di 3" in sentences(first)
    last = await seen(service.app, Role.COORDINATOR, "/andamento?pagina=3")
    assert last.text.count("Casa del volontariato") == 5
    beyond = await seen(service.app, Role.COORDINATOR, "/andamento?pagina=9")
    assert "In questa pagina non c'è nessun gruppo. Vai alla prima pagina" in sentences(beyond)
    assert (await seen(service.app, Role.COORDINATOR, "/andamento?pagina=0")).status_code == 422


@pytest.mark.parametrize("groups", [5, 300])
async def test_a_page_reads_no_row_while_the_figures_are_fresh_however_large_the_programme(
    service: Service, reads: Reads, groups: int
) -> None:
    await put_groups(service, groups)
    await put_people(service, groups * 10)
    await seen(service.app, Role.OPERATOR)
    reads.taken()
    for _ in range(5):
        assert (await seen(service.app, Role.OPERATOR)).status_code == 200
    assert [name for name in reads.taken() if name != "sessions"] == []
