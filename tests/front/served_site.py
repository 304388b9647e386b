"""The site on real MongoDB, served by HTTP, and browsers of people at it. No service stands behind it, unless a test says so."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from services import vault
from services.contracts.topics import SERVICES
from services.engines import Engines
from services.front.grants import Grant
from services.front.passwords import hash_of
from services.front.site import Site
from services.identity.settings import SiteSettings
from services.runtime.serving import listen, serving

PASSWORD = "una frase lunga e solo mia"
HASH = hash_of(PASSWORD)
NOWHERE = "http://127.0.0.1:1/{service}"  # nobody listens there
OPERATOR, REFERRER = "operator:monza-brianza", "referrer:monza-brianza:cgil"


class Clock:
    """A clock that runs, and that a test puts forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        now = datetime.now(UTC) + self.ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def forward(self, **time: float) -> None:
        self.ahead += timedelta(**time)


class Desk:
    """A running site. `others` are further copies of it, each a server of its own on the same database."""

    def __init__(self, site: Site, base: str, clock: Clock) -> None:
        self.site, self.base, self.clock = site, base, clock

    def browser(self, base: str | None = None) -> "Browser":
        """A browser without any history."""
        return Browser(base or self.base)

    async def account(self, login: str = "anna", *grants: str, name: str = "Anna Bianchi") -> None:
        """Add an account with the password of all tests."""
        await self.site.accounts.add(login, name, [Grant.read(each) for each in grants or (OPERATOR,)], HASH)

    async def signed_in(self, login: str = "anna", *grants: str) -> "Browser":
        """A browser of somebody new who has signed in."""
        await self.account(login, *grants)
        one = self.browser()
        answer = await one.sign_in(login)
        assert answer.status_code == 303, answer.text
        return one


class Browser:
    """A browser as far as HTTP goes: it keeps cookies, and says of each change that it comes from a page of the site."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.client = httpx.AsyncClient(base_url=base, timeout=30, headers={"Sec-Fetch-Site": "same-origin"})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)

    async def form(self, then: str = "") -> str:
        """Begin to sign in. Gives the address of the form."""
        answer = await self.client.get("/accedi", params={"next": then} if then else {})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def sign_in(self, login: str, password: str = PASSWORD, then: str = "") -> httpx.Response:
        """Sign in, up to the answer that sets the web session."""
        sent = await self.post(await self.form(then), name=login, password=password)
        assert sent.status_code == 303, sent.text
        return await self.client.get(sent.headers["location"])

    async def known(self) -> bool:
        """Tell if the site knows who this is."""
        return 'action="/esci"' in (await self.get("/")).text or (await self.get("/ruolo")).status_code == 200

    @property
    def secret(self) -> str:
        return self.client.cookies["ama-site"]

    async def close(self) -> None:
        await self.client.aclose()


@asynccontextmanager
async def desk(
    engines: Engines, folder: Path, *, services: str = NOWHERE, behind: ASGIApp | None = None, **given: Any
) -> AsyncIterator[Desk]:
    """Run a site inside the block."""
    vault.make_keys(folder / "keys", SERVICES)
    with listen(0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        told = {
            "mongo": engines.mongo,
            "database": f"s{uuid.uuid4().hex[:10]}",
            "keys": folder / "keys",
            "public_url": base,
            "issuer": f"{base}/issuer",
            "services": services,
            "only": "monza-brianza,jobs2",
            **given,
        }
        clock = Clock()
        site = Site(SiteSettings(**told), clock)
        await site.start()
        async with serving(site.door(behind) if behind else site.app(), listening):
            yield Desk(site, base, clock)
            await site.close()


@asynccontextmanager
async def copy_of(desk: Desk) -> AsyncIterator[str]:
    """Another copy of a site, as after a restart or beside it. Gives its address."""
    with listen(0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        site = Site(desk.site.settings, desk.clock)
        await site.start()
        async with serving(site.app(), listening):
            yield base
            await site.close()


def shown_heading(page: str) -> str:
    """The first heading of a page."""
    found = re.search(r"<h1>([^<]*)</h1>", page)
    return found[1] if found else ""
