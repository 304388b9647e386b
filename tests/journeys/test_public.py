"""Pages that somebody meets without being signed in, and around signing in: without JavaScript, on a telephone and at a desk."""

import pytest
from playwright.async_api import Browser

from services.embedded.home import Home
from tests.journeys.accounts import account, sign_in
from tests.journeys.walking import DESK, TELEPHONE, walking

PAGES = {
    "/": "start",
    "/accessibilita": "accessibility statement",
    "/privacy": "privacy notice",
    "/cookie": "cookies",
    "/me": "my page without a link",
    "/niente-qui": "a page that is not there",
    f"/questionario/{'x' * 43}": "survey of a wrong link",
    f"/entra/{'x' * 43}": "personal link",
}
WIDTHS = [TELEPHONE, pytest.param(DESK, marks=pytest.mark.long)]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_public_page_works_without_javascript(home: Home, browser: Browser, width: int) -> None:
    async with walking(browser, home.base, "public", width=width, script=False) as walker:
        for address, state in PAGES.items():
            await walker.goes(address)
            await walker.looks(state)
        await walker.sends()
        await walker.looks("personal link that is over")
        await walker.goes("/?lang=en")
        assert "Sign in" in await walker.looks("start in English")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("width", WIDTHS)
async def test_somebody_signs_in_chooses_a_role_is_refused_elsewhere_and_signs_out(
    home: Home, browser: Browser, width: int
) -> None:
    who = await account(home, "Rita Doppia", "referrer:cisl", "coordinator")
    async with walking(browser, home.base, "sign-in", width=width, script=False) as walker:
        await walker.goes("/segnalazioni")
        await walker.sends()
        await walker.looks("sign in with nothing", status="mistakes")
        await walker.types(name=who.login, password="not this one at all")
        await walker.sends()
        await walker.looks("sign in with a wrong password", status="mistakes")
        assert await walker.page.input_value("[name=name]") == who.login
        await walker.types(password=who.password)
        await walker.sends()
        await walker.looks("choose a role")
        await walker.sends()
        await walker.looks("the page that was asked for, or its refusal")
        await walker.goes("/oggi")
        said = await walker.looks("a page for others")
        assert "Ada" not in said
        await walker.goes("/")
        await walker.looks("start for somebody who is signed in")
        await walker.presses("Esci")
        await walker.looks("signed out")
        await walker.goes("/segnalazioni")
        assert "/issuer/authorize" in walker.page.url, "the web session is over"


@pytest.mark.timeout(300)
async def test_an_account_without_a_role_is_told_whom_to_ask(home: Home, browser: Browser) -> None:
    who = await account(home, "Nino Senza")
    async with walking(browser, home.base, "no-grant", width=TELEPHONE, script=False) as walker:
        await sign_in(walker, who)
        await walker.looks("no role yet")
