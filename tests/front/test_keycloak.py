"""People of a real Keycloak sign in, in a real browser: code flow with PKCE, groups that become grants, and signing out of both."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page

from services.engines import Engines
from tests.front.behind import claims_of
from tests.front.keycloak import CLAIMS, PASSWORD, Keycloak
from tests.front.served_site import Desk, desk  # language: kept (a helper)
from tests.helpers.browser import chromium

PEOPLE = {
    "olga": ["/monza-brianza/operatori"],
    "ugo": ["/monza-brianza/segnalanti/cgil"],
    "franca": ["/monza-brianza/facilitano"],
    "carla": ["/monza-brianza/coordinamento"],
    "sara": ["/monza-brianza/gestione"],
    "due": ["/monza-brianza/operatori", "/monza-brianza/coordinamento"],
    "nino": [],
}
GRANTED = {
    "olga": ("/oggi", "operator", None),
    "ugo": ("/segnalazioni", "referrer", "cgil"),
    "franca": ("/gruppo", "facilitator", None),
    "carla": ("/andamento", "coordinator", None),
}
LEADER = "franca-prova"
pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


async def test_people_of_a_real_keycloak_sign_in_have_the_grants_of_their_groups_and_sign_out_of_both(
    engines: Engines, tmp_path: Path
) -> None:
    keycloak = Keycloak(tmp_path / "keycloak")
    keycloak.folder.mkdir()
    given: dict[str, Any] = {"issuer": keycloak.issuer, "site_secret": keycloak.secret, "claims": CLAIMS}
    async with desk(engines, tmp_path, **given) as there, chromium() as browser:
        assert await heading(browser, f"{there.base}/accedi") == 503, "the site waits for its provider"
        async with keycloak.running(there.base, PEOPLE, franca=LEADER):
            for login in GRANTED:
                await as_somebody(browser, there, keycloak, login)
            await as_somebody_who_looks_after_the_system(browser, there)
            await as_somebody_with_two_grants(browser, there)
            await as_nobody_whom_the_realm_put_into_a_group(browser, there)
            await a_request_without_pkce_is_refused(keycloak, there)


async def heading(browser: Browser, address: str) -> int:
    """The status of a page."""
    context = await browser.new_context(locale="it-IT")
    try:
        answer = await (await context.new_page()).goto(address)
        assert answer is not None
        return answer.status
    finally:
        await context.close()


async def signs_in(context: BrowserContext, there: Desk, login: str) -> tuple[Page, dict[str, list[str]]]:
    """Sign in by Keycloak's own form. Gives the page afterwards, and what the site had asked Keycloak for."""
    page = await context.new_page()
    await page.goto(f"{there.base}/accedi")
    asked = parse_qs(urlsplit(page.url).query)
    await page.fill("#username", login)
    await page.fill("#password", PASSWORD)
    await page.click("#kc-login")
    await page.wait_for_url(lambda address: address.startswith(there.base))
    return page, asked


async def passed_on(context: BrowserContext, there: Desk) -> dict[str, Any]:
    """The claims of the token that a service would be sent with this browser's cookie."""
    answer = await context.request.get(f"{there.base}/forward-auth")
    assert answer.status == 200
    return claims_of(answer.headers["authorization"])


async def as_somebody(browser: Browser, there: Desk, keycloak: Keycloak, login: str) -> None:
    landing, role, partner = GRANTED[login]
    context = await browser.new_context(locale="it-IT")
    page, asked = await signs_in(context, there, login)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert urlsplit(page.url).path == landing
    claims = await passed_on(context, there)
    assert (claims["role"], claims["programme"], claims.get("partner")) == (role, "monza-brianza", partner)
    assert claims["iss"] == f"{there.base}/issuer", "services see a token of ours, never Keycloak's"
    assert (claims["sub"] == LEADER) is (role == "facilitator")
    assert claims["name"] == f"{login.title()} Prova"
    [cookie] = [each for each in await context.cookies(there.base) if each["name"] == "ama-site"]
    await signs_out_of_both(page, there, keycloak)
    await context.close()
    async with httpx.AsyncClient(cookies={"ama-site": cookie["value"]}, trust_env=False) as stolen:
        again = await stolen.get(f"{there.base}/ruolo")
    assert again.headers["location"].startswith("/accedi"), "the cookie opens nothing any more"


async def signs_out_of_both(page: Page, there: Desk, keycloak: Keycloak) -> None:
    """Sign out of the site, then of Keycloak, which then asks for the password again."""
    await page.goto(f"{there.base}/esci")
    await page.click("#leave")
    leave = page.locator(f"a[href^='{keycloak.issuer}/protocol/openid-connect/logout']")
    await leave.click()
    await page.wait_for_url(f"{there.base}/")
    await page.goto(f"{there.base}/accedi")
    assert await page.locator("#password").count() == 1, "Keycloak asks anew"


async def as_somebody_who_looks_after_the_system(browser: Browser, there: Desk) -> None:
    context = await browser.new_context(locale="it-IT")
    page, _ = await signs_in(context, there, "sara")
    assert urlsplit(page.url).path == "/console"
    await context.close()


async def as_somebody_with_two_grants(browser: Browser, there: Desk) -> None:
    context = await browser.new_context(locale="it-IT")
    page, _ = await signs_in(context, there, "due")
    assert urlsplit(page.url).path == "/ruolo"
    await page.click("button[value='coordinator:monza-brianza']")
    assert (await passed_on(context, there))["role"] == "coordinator"
    await context.close()


async def as_nobody_whom_the_realm_put_into_a_group(browser: Browser, there: Desk) -> None:
    context = await browser.new_context(locale="it-IT")
    page, _ = await signs_in(context, there, "nino")
    assert urlsplit(page.url).path == "/accedi/ritorno"
    assert await page.locator("a[href*='openid-connect/logout']").count() == 1, "and can sign out to be another"
    assert not [each for each in await context.cookies(there.base) if each["name"] == "ama-site"]
    await context.close()


async def a_request_without_pkce_is_refused(keycloak: Keycloak, there: Desk) -> None:
    """The realm insists on what the site does by itself."""
    asked = {"client_id": "ama-site", "response_type": "code", "scope": "openid", "state": "x"}
    back = f"{there.base}/accedi/ritorno"
    address = f"{keycloak.issuer}/protocol/openid-connect/auth"
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(address, params={**asked, "redirect_uri": back})
        stray = await client.get(address, params={**asked, "redirect_uri": "http://127.0.0.1:1/elsewhere"})
    assert answer.status_code == 302
    assert "error=invalid_request" in answer.headers["location"]
    assert stray.status_code == 400, "no other address gets an answer"
