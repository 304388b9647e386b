"""The front's own pages in a real browser: by keyboard, with a screen reader, on a narrow telephone, in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from services.engines import Engines
from services.front.grants import Grant
from tests.front.served_site import OPERATOR, PASSWORD, REFERRER, desk  # language: kept (a helper)
from tests.helpers.browser import chromium
from tests.helpers.looking import NARROW, Looked, looking


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def look(who: Looked, what: str) -> list[str]:
    """Whatever is wrong with a page."""
    found = [f"{what}: {each}" for each in await who.judged()]
    if await who.too_wide():
        found.append(f"{what}: wider than the telephone")
    if await who.page.locator("h1").count() != 1:
        found.append(f"{what}: not one h1")
    return found


async def looked_at_as_a_stranger(one: Looked, base: str, language: str) -> list[str]:
    page, found = one.page, []
    for path in (f"/?lang={language}", "/entra/abc", "/accedi?next=/me", "/accedi/ritorno", "/nowhere", "/accedi"):
        await page.goto(base + path)
        found += await look(one, f"{path} {language}")
    await page.click("#enter")
    found += await look(one, f"form with nothing {language}")
    for token, what in (("a" * 43, "enrolment away"), ("short", "link over")):
        await page.goto(f"{base}/entra/{token}")
        await page.click("#enter")
        found += await look(one, f"{what} {language}")
    return found


async def signs_in(one: Looked, base: str, login: str) -> None:
    await one.page.goto(f"{base}/accedi")
    await one.page.fill("#name", login)
    await one.page.fill("#password", PASSWORD)
    await one.page.keyboard.press("Enter")
    await one.page.wait_for_url(lambda url: "/issuer/" not in url)


async def looked_at_as_somebody(one: Looked, base: str, language: str) -> list[str]:
    await signs_in(one, base, "eva")
    found = await look(one, f"no grant {language}")
    await signs_in(one, base, "anna")
    await one.page.goto(f"{base}/ruolo")
    await expect(one.page.locator('button[name="ruolo"]')).to_have_count(2)
    found += await look(one, f"roles {language}")
    await one.page.click(f'button[value="{REFERRER}"]')
    for path in ("/ruolo", "/account", "/", "/esci"):
        await one.page.goto(base + path)
        found += await look(one, f"{path}, signed in {language}")
    await one.page.goto(f"{base}/account")
    await one.page.click("button[value=done]")
    await expect(one.page.locator("#errors")).to_be_focused()
    found += await look(one, f"account with nothing {language}")
    await one.page.goto(f"{base}/esci")
    await one.page.click("#leave")
    return found + await look(one, f"signed out {language}")


async def test_every_page_in_every_state_is_right_for_a_narrow_telephone_and_a_screen_reader(
    engines: Engines, tmp_path: Path, browser: Browser
) -> None:
    found: list[str] = []
    async with desk(engines, tmp_path) as there:
        await there.account("anna", OPERATOR, REFERRER)
        await there.account("eva")
        await there.site.accounts.revoke("eva", Grant.read(OPERATOR))
        for language in ("it", "en"):
            async with looking(browser, NARROW) as one:
                found += await looked_at_as_a_stranger(one, there.base, language)
                found += await looked_at_as_somebody(one, there.base, language)
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
