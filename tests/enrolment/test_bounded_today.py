"""The lists of the page of today and the agenda cost the same however many people are in them: each reads the documents that it shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest_asyncio

import enrolment.app
from enrolment.today.queries import List
from services.identity.auth import Role
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.callers import client_as
from tests.helpers.examined import Asked, asked_of

FEW, MANY = 300, 3_000  # people
SHOWN = 50  # rows of a page of one list
AGENDA = ("/colloqui", "/colloqui?elenco=senza-esito")
PAGES = ("/oggi", *(f"/oggi?elenco={each.value}" for each in List), *AGENDA)
STAGES = ("referred", "contacted", "interview-booked", "interviewed", "admitted", "declined")


@pytest_asyncio.fixture
async def service(own: Settings) -> AsyncIterator[Service]:
    async with running(enrolment.app.build(own), ["api"]) as one:
        await one.read_models.prepare(1)
        yield one


async def fill(service: Service, programme: str, old: int, new: int) -> None:
    """Add people as the projection would have left them: at every step, so that each list has some."""
    now = datetime.now(UTC)
    rows = []
    for number in range(old, new):
        worker, since = f"w{number:05}", now - timedelta(days=number % 28, minutes=number % 600)
        row: dict[str, Any] = {
            "_id": f"{programme}/{worker}",
            "programme": programme,
            "person": worker,
            "worker": worker,
        }
        row |= {
            "referred": since,
            "partner": "cgil-brianza",
            "participation": [True, None, False][number // len(STAGES) % 3],
        }
        row |= {"asked": since, "stage": STAGES[number % len(STAGES)]}
        if row["stage"] == "interview-booked":
            row["interview"] = since + timedelta(days=14)
        if row["stage"] == "admitted":
            row |= {"admitted": since} | ({"waiting": since} if number % 2 else {})
        rows.append(row)
    await service.store["desk.g1"].insert_many(rows)


async def test_the_page_of_today_looks_at_no_more_people_than_it_shows(service: Service) -> None:
    programme = next(name for name in service.rules if name.startswith("own"))
    asked: dict[tuple[str, int], Asked] = {}
    async with client_as(service.app, Role.OPERATOR, programme, "olga") as client:

        async def shown(page: str) -> None:
            answer = await client.get(page)
            assert answer.status_code == 200, (page, answer.text[:2000])

        for old, new in ((0, FEW), (FEW, MANY)):
            await fill(service, programme, old, new)
            for page in PAGES:
                await shown(page)
                asked[page, new] = await asked_of(service.store, (), partial(shown, page))
    for page in PAGES:
        few, many = asked[page, FEW], asked[page, MANY]
        assert "desk.g1" in few.statements, page
        assert len(few.statements) == len(many.statements), (page, few, many)
        if page != "/oggi":  # it shows some of each list
            assert many.documents >= SHOWN, (page, many)
        # A few more than are shown: MongoDB compares some plans before it chooses.
        assert many.documents <= 2 * SHOWN, (page, many)
