"""The front's own pages in a real browser: by keyboard, with a screen reader, on a narrow telephone, in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from services.engines import Engines
from tests.front.desk import OPERATOR, PASSWORD, REFERRER, desk  # language: kept (a helper)
from tests.helpers.browser import chromium
from tests.helpers.looking import NARROW, Looked, looking


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def test_every_page_in_every_state_is_right_for_a_narrow_telephone_and_a_screen_reader(
    engines: Engines, tmp_path: Path, browser: Browser
) -> None:
    found: list[str] = []

    async def look(who: Looked, what: str) -> None:
        found.extend(f"{what}: {each}" for each in await who.judged())
        if await who.too_wide():
            found.append(f"{what}: wider than the telephone")
        if await who.page.locator("h1").count() != 1:
            found.append(f"{what}: not one h1")

    async with desk(engines, tmp_path) as there:
        await there.account("anna", OPERATOR, REFERRER)
        await there.account("eva")
        await there.site.accounts.revoke("eva", (await there.site.accounts.everybody())[1].grants[0])
        for language in ("it", "en"):
            async with looking(browser, NARROW) as one:
                page = one.page
                await page.goto(f"{there.base}/?lang={language}")
                await look(one, f"start {language}")
                for path in ("/entra/abc", "/accedi?next=/me", "/accedi/ritorno", "/nowhere"):
                    await page.goto(there.base + path)
                    await look(one, f"{path} {language}")
                await page.goto(f"{there.base}/entra/{'a' * 43}")
                await page.click("#enter")
                await look(one, f"link, enrolment away {language}")
                await page.goto(f"{there.base}/entra/short")
                await page.click("#enter")
                await look(one, f"link over {language}")
                await page.goto(f"{there.base}/accedi")
                await look(one, f"form {language}")
                await page.click("#enter")
                await look(one, f"form with nothing {language}")
                await page.fill("#name", "eva")
                await page.fill("#password", PASSWORD)
                await page.click("#enter")
                await look(one, f"no grant {language}")
                await page.goto(f"{there.base}/accedi")
                await page.fill("#name", "anna")
                await page.fill("#password", PASSWORD)
                await page.keyboard.press("Enter")
                await expect(page.locator('button[name="ruolo"]')).to_have_count(2)
                await look(one, f"roles {language}")
                await page.click(f'button[value="{REFERRER}"]')
                await page.goto(f"{there.base}/ruolo")
                await look(one, f"roles, one chosen {language}")
                await page.goto(f"{there.base}/esci")
                await look(one, f"leave {language}")
                await page.click("#leave")
                await look(one, f"signed out {language}")
    assert found == []


async def test_everything_works_without_javascript(engines: Engines, tmp_path: Path, browser: Browser) -> None:
    async with desk(engines, tmp_path) as there:
        await there.account("anna", OPERATOR, REFERRER)
        async with looking(browser, javascript=False) as one:
            page = one.page
            await page.goto(there.base)
            await page.click("#sign-in")
            await page.fill("#name", "anna")
            await page.fill("#password", "wrong")
            await page.click("#enter")
            await expect(page.locator("#name")).to_have_value("anna")
            await page.fill("#password", PASSWORD)
            await page.click("#enter")
            await page.click(f'button[value="{OPERATOR}"]')
            await page.goto(f"{there.base}/esci")
            await page.click("#leave")
            await expect(page.locator("h1")).to_have_text("Uscita completata")
