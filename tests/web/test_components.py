"""Every part of the frame in a real browser: axe finds nothing, nothing is too wide at 320 px or at 200 %, the keyboard is enough."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from services.runtime.serving import listen, serving
from tests.helpers.looking import DESK, NARROW, TELEPHONE, looking
from tests.web.components import build

STATES = ("plain", "wrong", "confirmed", "missing/x")
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots" / "frame"
# A window of 1280 px at 200 % has 640 of them; the text of everybody who enlarges it grows besides.
TWICE = {"width": 640, "height": 450}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def base() -> AsyncIterator[str]:
    listening = listen(0)
    async with serving(build(), listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("size", [NARROW, DESK], ids=lambda each: str(each["width"]))
@pytest.mark.parametrize("state", STATES)
async def test_every_part_in_every_state_can_be_read_by_everybody(
    browser: Browser, base: str, state: str, size: dict[str, int]
) -> None:
    async with looking(browser, size) as seen:
        await seen.page.goto(f"{base}/persone/{state}")
        assert await seen.judged() == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await seen.page.screenshot(path=SCREENSHOTS / f"{state.replace('/', '-')}-{size['width']}.png", full_page=True)
        assert [each for each in seen.complaints if "404" not in each and "422" not in each] == []


@pytest.mark.parametrize("state", STATES)
async def test_nothing_is_wider_than_the_screen(browser: Browser, base: str, state: str) -> None:
    async with looking(browser) as seen:
        await seen.page.goto(f"{base}/persone/{state}")
        for size in (DESK, TWICE, TELEPHONE, NARROW):
            await seen.page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict of the same
            assert not await seen.too_wide()


ADDRESSES = ("/accessibilita", "/cookie", "/privacy", "/privacy/monza-brianza", "/me/docs", "/privacy/nowhere")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_statements_contracts_and_refusals_can_be_read_by_everybody(
    browser: Browser, base: str, address: str
) -> None:
    async with looking(browser, NARROW) as seen:
        await seen.page.goto(f"{base}{address}")
        assert await seen.judged() == []
        assert not await seen.too_wide()
        await seen.page.screenshot(path=SCREENSHOTS / f"{address.strip('/').replace('/', '-')}-320.png", full_page=True)


async def test_a_form_that_is_sent_after_the_access_has_ended_can_be_read_and_sent_again(
    browser: Browser, base: str
) -> None:
    async with looking(browser, NARROW) as seen:
        await seen.page.goto(f"{base}/cookie")
        await seen.page.evaluate(
            """() => { const form = document.createElement('form'); form.method = 'post'; form.action = '/me';
                 form.innerHTML = '<input name="a" value="b">'; document.body.append(form); form.submit(); }"""
        )
        await seen.page.wait_for_selector("text=Invia di nuovo")
        assert await seen.judged() == []


async def test_dark_mode_and_paper_are_not_broken(browser: Browser, base: str) -> None:
    async with looking(browser, DESK) as seen:
        await seen.page.emulate_media(color_scheme="dark")
        await seen.page.goto(f"{base}/persone/plain")
        assert await seen.judged() == []
        await seen.page.emulate_media(media="print")
        hidden = ".site-nav, .site-slim, .site-footer, .skip-link"
        assert not any([await each.is_visible() for each in await seen.page.locator(hidden).all()])
        assert await seen.page.locator("main table").first.is_visible()


async def test_the_summary_of_mistakes_has_the_focus_and_its_links_lead_to_the_fields(
    browser: Browser, base: str
) -> None:
    async with looking(browser) as seen:
        await seen.page.goto(f"{base}/persone/wrong")
        assert await seen.page.evaluate("document.activeElement.id") == "errors"
        links = seen.page.locator(".error-summary a")
        for n in range(await links.count()):
            target = (await links.nth(n).get_attribute("href") or "").removeprefix("#")
            await links.nth(n).click()
            assert await seen.page.evaluate("document.activeElement.id") == target


async def test_the_first_step_of_the_keyboard_skips_the_header_and_every_step_is_seen(
    browser: Browser, base: str
) -> None:
    async with looking(browser) as seen:
        await seen.page.goto(f"{base}/persone/plain")
        await seen.page.keyboard.press("Tab")
        assert await seen.page.evaluate("document.activeElement.textContent") == "Vai al contenuto"
        await seen.page.keyboard.press("Enter")
        assert await seen.page.evaluate("document.activeElement.id") == "main"
        unseen = await seen.page.evaluate(
            """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea:not([hidden])')].filter(each => {
                 each.focus(); const style = getComputedStyle(each);
                 return each === document.activeElement && each.matches(':focus-visible') && style.outlineStyle === 'none'; })
                 .map(each => each.outerHTML.slice(0, 80))"""
        )
        assert unseen == []


async def test_what_a_finger_presses_is_large_enough(browser: Browser, base: str) -> None:
    async with looking(browser, TELEPHONE) as seen:
        await seen.page.goto(f"{base}/persone/plain")
        small = await seen.page.evaluate(
            """() => [...document.querySelectorAll('button, .btn, nav a, .choice, select')]
                 .filter(each => each.getBoundingClientRect().height < 44 && each.getBoundingClientRect().height > 0)
                 .map(each => each.outerHTML.slice(0, 80) + each.getBoundingClientRect().height)"""
        )
        assert small == []


async def test_everything_works_without_javascript(browser: Browser, base: str) -> None:
    async with looking(browser, javascript=False) as seen:
        await seen.page.goto(f"{base}/persone/wrong")
        assert await seen.page.locator(".error-summary li").count() > 10
