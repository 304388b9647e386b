"""A coordinator reads how the programme stands: on a telephone and at a desk, by keyboard, and without JavaScript."""

import csv
from io import StringIO

import pytest
from playwright.async_api import Browser

from services.embedded.home import Home
from tests.helpers.people import People, a_monday
from tests.helpers.waiting import eventually
from tests.journeys.accounts import account, sign_in
from tests.journeys.walking import DESK, TELEPHONE, Walker, walking


async def _shows(walker: Walker, text: str) -> bool:
    await walker.page.reload()
    return text in await walker.page.inner_text("body")


@pytest.mark.parametrize(("width", "keyboard", "script"), [(TELEPHONE, False, False), (DESK, True, True)])
async def test_a_coordinator_reads_how_the_programme_stands(
    home: Home, browser: Browser, width: int, keyboard: bool, script: bool
) -> None:
    people, name = People(home), f"figures{width}"
    members = [await people.admit() for _ in range(10)]
    await people.meetings(await people.form(members, a_monday(1), name), name)
    who = await account(home, "Carla Rete", "coordinator")
    async with walking(browser, home.base, "coordinator", width=width, keyboard=keyboard, script=script) as walker:
        await sign_in(walker, who)
        assert walker.page.url == f"{home.base}/andamento"
        # Figures are kept for a few seconds: somebody else may have looked before this group was formed.
        await eventually(lambda: _shows(walker, f"Casa {name}, Monza"), 60)
        said = await walker.looks("the figures")
        assert "mai le persone" in said
        assert members[0] not in await walker.page.content()
        await walker.opens(walker.page.locator("summary").first)
        assert "Gruppi formati" in await walker.looks("data of the groups opened")
        async with walker.page.expect_download() as download:
            await walker.opens(walker.page.get_by_role("link", name="Scarica tutti i dati (file CSV)"))
        file = await (await download.value).path()
        titles, *lines = csv.reader(StringIO(file.read_text("utf-8-sig")), delimiter=";")
        assert titles[0] == "Sezione"
        assert {line[0] for line in lines} == {"Gruppi", "Incontri", "Posti", "Luoghi", "Reclami"}
        await walker.follows("English")
        assert "Progress of the programme" in await walker.looks("the figures in English")
