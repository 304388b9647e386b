"""The console in a real browser, before the real five services."""

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from services.embedded.home import Home
from services.front.accounts import FIRST
from services.front.people import COLLECTION
from services.operations.console import live
from tests.operations.console.person import SECONDS, TELEPHONE, Person, somebody
from tests.operations.console.poison import Poison

expect.set_options(timeout=SECONDS)
TABS = 80  # so many steps lead through any of the pages


async def test_an_administrator_sees_a_dead_letter_come_redrives_it_dismisses_another_and_signs_out(
    browser: Browser, home: Home, poison: Poison
) -> None:
    async with somebody(browser, home) as anna:
        page = anna.page
        await anna.comes()
        await anna.signs_in()
        await expect(page.locator("h1")).to_have_text("Console di sistema")
        for service in home.all_services.services:
            await expect(page.locator("#services")).to_contain_text(service)
        first, second = await poison.admitted(), await poison.admitted()
        dead_letters = page.locator("#dead li")
        for worker in (first, second):
            await expect(dead_letters.filter(has_text=worker)).to_have_count(1)  # by itself: nobody loads the page anew
        await expect(page.locator("#summary")).to_contain_text("lettere morte")
        poison.people.remove(first)
        await dead_letters.filter(has_text=first).locator("a").click()
        await expect(page.locator("pre")).to_contain_text(first)
        await page.click("#redrive")
        await expect(page.locator("#banner")).to_contain_text("ripresa")
        assert (await poison.closed(first, "redriven"))["history"][-1]["by"] == FIRST
        await expect(dead_letters.filter(has_text=first)).to_have_count(0)
        await dead_letters.filter(has_text=second).locator("a").click()
        await page.fill("#reason", "a test's own")
        await page.click("#dismiss")
        last = (await poison.closed(second, "dismissed"))["history"][-1]
        assert (last["by"], last["why"]) == (FIRST, "a test's own")
        kept = {each["name"]: each["value"] for each in await page.context.cookies()}
        await page.click("#sign-out")
        await expect(page.locator("#sign-in")).to_be_visible()
        async with httpx.AsyncClient(base_url=home.base, cookies=kept) as thief:
            assert (await thief.get("/console")).status_code == 303
        assert anna.complaints == []


async def test_everything_can_be_done_with_the_keyboard_alone(browser: Browser, home: Home, poison: Poison) -> None:
    worker = await poison.admitted()
    await poison.died(worker)
    async with somebody(browser, home) as anna:
        page = anna.page
        await anna.comes("en")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Skip to the content")
        await _reaches(page, "#sign-in")
        await page.keyboard.press("Enter")
        for field, text in (
            ("#name", FIRST),
            ("#password", home.first_password or ""),
        ):
            await _reaches(page, field)
            await page.keyboard.type(text)
        await _reaches(page, "#enter")
        await page.keyboard.press("Enter")
        await page.wait_for_url(lambda url: "/issuer/" not in url)
        await page.goto(f"{home.base}/ruolo")
        await _reaches(page, 'button[value="system-operator:jobs2"]')
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{home.base}/console")
        link = f"#dead li:has-text('{worker}') a"
        await _reaches(page, link)
        other = await poison.admitted()
        await expect(page.locator("#dead li").filter(has_text=other)).to_have_count(1)
        await expect(page.locator(link)).to_be_focused()  # what changes does not take the focus away
        await page.keyboard.press("Enter")
        await _reaches(page, "#reason")
        await page.keyboard.type("by keyboard")
        await page.keyboard.press("Enter")
        await expect(page.locator("#banner")).to_contain_text("dismissed")
        assert (await poison.closed(worker, "dismissed"))["history"][-1]["why"] == "by keyboard"
        await _reaches(page, "#sign-out")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("signed out")


async def _reaches(page: Page, wanted: str) -> None:
    """Go on by Tab until the focus is there, and can be seen there."""
    target = page.locator(wanted)
    await target.wait_for()
    for _ in range(TABS):
        await page.keyboard.press("Tab")
        if await target.evaluate("each => each === document.activeElement"):
            outlined = "each => { const s = getComputedStyle(each); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"
            assert await target.evaluate(outlined), f"the focus cannot be seen on {wanted}"
            return
    raise AssertionError(f"{wanted} is not reached by the keyboard")


async def test_every_page_fits_a_telephone_and_can_be_used_with_a_screen_reader_in_both_languages(
    browser: Browser, home: Home, poison: Poison
) -> None:
    worker = await poison.admitted()
    dead_letter = await poison.died(worker)
    found: list[str] = []

    async def look(who: Person, what: str) -> None:
        found.extend(f"{what}: {each}" for each in await who.judged())
        if await who.too_wide():
            found.append(f"{what}: wider than the telephone")

    for language in ("it", "en"):
        async with somebody(browser, home, TELEPHONE) as anna:
            await anna.comes(language)
            await expect(anna.page.locator("html")).to_have_attribute("lang", language)
            await look(anna, f"front {language}")
            async with anna.page.expect_navigation():  # else axe judges a page that is being left
                await anna.page.click("#sign-in")
            await look(anna, f"form {language}")
            await anna.page.goto(home.base)
            await anna.signs_in()
            await expect(anna.page.locator("#dead li").filter(has_text=worker)).to_have_count(1)
            await look(anna, f"console {language}")
            await anna.page.goto(f"{home.base}/console/dead/grouping/{dead_letter['_id']}")
            await look(anna, f"dead_letter {language}")
            await anna.page.goto(f"{home.base}/console/dead/grouping/reactions/none")
            await look(anna, f"notice {language}")
            assert [each for each in anna.complaints if "404" not in each] == []
    assert found == []


async def test_a_role_that_may_not_sees_nothing_of_the_system(browser: Browser, home: Home) -> None:
    async with somebody(browser, home) as carla:
        await carla.comes()
        await carla.signs_in("operator")
        await carla.page.goto(f"{home.base}/console")
        await expect(carla.page.locator("[role=alert]")).to_contain_text("Il tuo ruolo non può")
        await expect(carla.page.locator("#services")).to_have_count(0)
        answer = await carla.page.goto(f"{home.base}/console/dead/grouping/reactions/none")
        assert answer is not None
        assert answer.status == 403


async def test_a_page_whose_session_ends_says_so_by_itself(
    browser: Browser, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LASTS", 3.0)
    async with somebody(browser, home) as anna:
        await anna.comes()
        await anna.signs_in()
        await expect(anna.page.locator("#clock time")).to_be_visible()
        await home.site.store[COLLECTION].delete_many({})
        await expect(anna.page.locator("#ended")).to_contain_text("La sessione è finita")
