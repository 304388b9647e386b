"""The pages that move, cancel and add a meeting, in a real browser: on a narrow and a wide screen, judged by axe, in every state."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from services.identity.auth import Role
from services.web.frame import static
from tests.helpers.browser import chromium
from tests.helpers.looking import DESK, NARROW, Looked, looking
from tests.helpers.serving import served
from tests.sessions.rolls import Group, group

__all__ = ["group"]  # a fixture
PICTURES = Path(__file__).parents[2] / "build" / "meetings"


async def walked(looked: Looked, base: str, group: Group, name: str) -> list[str]:
    """Faults of any state of the pages."""
    page = looked.page
    wrong: list[str] = []
    PICTURES.mkdir(parents=True, exist_ok=True)

    async def judge(where: str) -> None:
        await page.screenshot(path=PICTURES / f"{where}-{name}.png", full_page=True)
        wrong.extend(f"{where}: {each}" for each in await looked.judged())
        if await looked.too_wide():
            wrong.append(f"{where}: wider than the screen")

    async def press(text: str, where: str) -> None:
        await page.get_by_role("button", name=text).click()
        await page.wait_for_load_state()
        await judge(where)

    (stored,) = await group.world.stored("session", id=group.sessions[2])
    day = datetime.fromisoformat(stored["starts"])
    await page.goto(f"{base}/incontri?gruppo={group.id}")
    await judge("gruppo")
    await page.goto(f"{base}/incontri/{group.sessions[2]}/sposta")
    await judge("sposta")
    taken = day + timedelta(days=14)
    await page.locator("#day").fill(f"{taken.day}/{taken.month}/{taken.year}")
    await press("Continua", "sposta-occupato")
    assert await page.evaluate("document.activeElement.id") == "errors"
    free = day + timedelta(days=1)
    await page.locator("#day").fill(f"{free.day}/{free.month}/{free.year}")
    await press("Continua", "sposta-controllo")
    await page.goto(f"{base}/incontri/{group.sessions[3]}/annulla")
    await judge("annulla")
    await press("Annullare l'incontro", "annulla-errore")
    await page.goto(f"{base}/incontri/gruppi/{group.id}/nuovo")
    await judge("nuovo")
    return wrong


@pytest.mark.parametrize("size", [NARROW, pytest.param(DESK, marks=pytest.mark.long)], ids=["narrow", "wide"])
async def test_the_pages_of_the_series_fit_the_screen_and_axe_finds_nothing(group: Group, size: dict[str, int]) -> None:
    app = Starlette(routes=[*static.routes(), Mount("/", group.world.sessions.app)])
    async with chromium() as browser, served(app) as base, looking(browser, size) as looked:
        async with group.world.client(Role.OPERATOR) as client:
            await looked.page.set_extra_http_headers({"Authorization": client.headers["authorization"]})
        assert await walked(looked, base, group, str(size["width"])) == []
