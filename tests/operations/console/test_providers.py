"""Any provider will do, and none is believed further than OpenID Connect says."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from joserfc.jwk import ECKey, OctKey

from services.identity.settings import ConsoleSettings
from services.operations.console.app import OperatorsConsole
from services.runtime.serving import listen, serving
from tests.helpers.serving import served
from tests.operations.console.provider import CLIENT, SECRET, Provider
from tests.operations.console.standalone import NOWHERE, Clock


@asynccontextmanager
async def signing_in(provider: Provider, **given: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Clock]]:
    """A browser at a console that knows this provider, and the console's clock."""
    clock = Clock()
    async with served(provider.app()) as provider.url:
        with listen(0) as listening:
            base = f"http://127.0.0.1:{listening.getsockname()[1]}"
            client = {"console_client": CLIENT, "console_secret": SECRET, "console_services": NOWHERE, **given}
            console = OperatorsConsole(ConsoleSettings(public_url=base, issuer=provider.url, **client), clock)
            async with serving(console.app(), listening), httpx.AsyncClient(base_url=base, timeout=30) as browser:
                browser.follow_redirects = True
                yield browser, clock
                await console.close()


async def test_somebody_whom_another_provider_knows_is_signed_in_for_as_long_as_their_token_lasts() -> None:
    async with signing_in(Provider()) as (browser, clock):
        page = await browser.get("/console/sign-in")
        assert (page.status_code, "anna" in page.text) == (200, True)
        clock.now += 299
        assert "sign-out" in (await browser.get("/")).text
        clock.now += 2
        assert "sign-out" not in (await browser.get("/")).text


async def test_a_console_with_a_wrong_secret_signs_nobody_in() -> None:
    async with signing_in(Provider(), console_secret="another") as (browser, _):
        assert (await browser.get("/console/sign-in")).status_code == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"iat": int(time.time()) + 3600},
    ],
    ids=["issuer", "audience", "party", "expired", "without end", "nobody", "nonce", "without nonce", "of tomorrow"],
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(claims: dict[str, Any]) -> None:
    provider = Provider()
    provider.claims = claims
    async with signing_in(provider) as (browser, _):
        assert (await browser.get("/console/sign-in")).status_code == 400
        assert "sign-out" not in (await browser.get("/")).text


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
async def test_an_id_token_that_the_providers_key_did_not_sign_is_refused(algorithm: str) -> None:
    provider = Provider()
    known = OctKey.import_key(orjson.dumps(provider.published))
    provider.signed_by(ECKey.generate_key("P-256") if algorithm == "ES256" else known, algorithm)
    async with signing_in(provider) as (browser, _):
        assert (await browser.get("/console/sign-in")).status_code == 400
