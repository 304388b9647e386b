"""Pages about people, through the real service: search, sheet, and each decision."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.settings import Settings
from tests.enrolment.pages import Office, office, text_of
from tests.helpers.own_programme import in_a_programme_of_its_own


@pytest_asyncio.fixture
async def desk(settings: Settings, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(in_a_programme_of_its_own(settings, tmp_path)) as found:
        yield found


async def test_walk(desk: Office) -> None:
    worker = await desk.refer("Ada", "D'Angelo")
    await desk.level()
    for address in (
        "/oggi",
        "/oggi/senza-consenso",
        "/oggi/senza-profilo",
        "/persone",
        "/persone?nome=dangelo",
        "/persone?nome=zz",
    ):
        print("=====", address, text_of(await desk.get(address)))
    base = f"/persone/{worker}"
    print(text_of(await desk.get(base)))
    for deed, status in (
        ("ammissione", 409),
        ("rifiuto", 200),
        ("uscita", 200),
        ("consensi", 200),
        ("dati", 200),
        ("profilo", 200),
    ):
        print("=====", deed, text_of(await desk.get(f"{base}/{deed}", status)))
