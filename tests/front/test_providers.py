"""Any provider will do, and none is believed further than OpenID Connect says; its claims become grants."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, OctKey

from services.engines import Engines
from tests.front.provider import CLIENT, SECRET, Provider
from tests.front.served_site import Browser, Desk, desk  # language: kept (a helper)
from tests.helpers.serving import served

GRANTS = ["operator:monza-brianza"]


@asynccontextmanager
async def signing_in(
    engines: Engines, folder: Path, provider: Provider, **given: Any
) -> AsyncIterator[tuple[Browser, Desk]]:
    """A browser at a site that knows this provider."""
    async with served(provider.app()) as provider.url:
        client: dict[str, Any] = {"issuer": provider.url, "site_client": CLIENT, "site_secret": SECRET, **given}
        async with desk(engines, folder, **client) as there:
            browser = there.browser()
            browser.client.follow_redirects = True
            yield browser, there
            await browser.close()


async def test_somebody_whom_another_provider_knows_is_signed_in_with_the_grants_of_their_claims(
    engines: Engines, tmp_path: Path
) -> None:
    provider = Provider()
    provider.claims = {"ama": [*GRANTS, "operator:nowhere", "emperor:monza-brianza"]}
    async with signing_in(engines, tmp_path, provider) as (browser, _):
        page = await browser.get("/accedi?next=/ruolo")
        assert page.url.path == "/oggi", "the only grant that holds here"
        page = await browser.get("/ruolo")
        assert "anna" in page.text
        assert page.text.count('name="ruolo"') == 1


async def test_somebody_without_a_grant_is_told_so_and_can_sign_out_of_the_provider(
    engines: Engines, tmp_path: Path
) -> None:
    provider = Provider()
    async with signing_in(engines, tmp_path, provider) as (browser, _):
        page = await browser.get("/accedi")
        assert page.status_code == 403
        assert f"{provider.url}/leave?" in page.text
        assert not await browser.known()


async def test_signing_out_leads_to_the_providers_own_sign_out(engines: Engines, tmp_path: Path) -> None:
    provider = Provider()
    provider.claims = {"ama": GRANTS}
    async with signing_in(engines, tmp_path, provider) as (browser, _):
        await browser.get("/accedi")
        page = (await browser.post("/esci")).text
        assert f"{provider.url}/leave?" in page
        assert "id_token_hint=" in page
        assert not await browser.known()


async def test_another_provider_s_people_have_no_account_here_and_our_form_is_closed(
    engines: Engines, tmp_path: Path
) -> None:
    async with signing_in(engines, tmp_path, Provider()) as (browser, there):
        await there.account()
        assert (await browser.get("/issuer/authorize?client_id=ama-site")).status_code == 404
        assert (await browser.get("/issuer/jwks.json")).status_code == 200, "the tokens of web sessions are ours"


async def test_a_site_with_a_wrong_secret_signs_nobody_in(engines: Engines, tmp_path: Path) -> None:
    async with signing_in(engines, tmp_path, Provider(), site_secret="another") as (browser, _):
        assert (await browser.get("/accedi")).status_code == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"sub": None},
        {"sub": "x" * 300},
        {"nonce": "another"},
        {"nonce": None},
        {"iat": int(time.time()) + 3600},
    ],
    ids=["issuer", "audience", "party", "expired", "no end", "nobody", "long", "nonce", "no nonce", "of tomorrow"],
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    engines: Engines, tmp_path: Path, claims: dict[str, Any]
) -> None:
    provider = Provider()
    provider.claims = {"ama": GRANTS, **claims}
    async with signing_in(engines, tmp_path, provider) as (browser, _):
        assert (await browser.get("/accedi")).status_code == 400
        assert not await browser.known()


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
async def test_an_id_token_that_the_providers_key_did_not_sign_is_refused(
    engines: Engines, tmp_path: Path, algorithm: str
) -> None:
    provider = Provider()
    known = OctKey.import_key(orjson.dumps(provider.published))
    provider.signed_by(ECKey.generate_key("P-256") if algorithm == "ES256" else known, algorithm)
    async with signing_in(engines, tmp_path, provider) as (browser, _):
        assert (await browser.get("/accedi")).status_code == 400
