"""A console and its issuer on one port without any service, for tests of sign-in and of web sessions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from services import web
from services.embedded.sign_in import SignIn
from services.identity.issuer import Issuer
from services.identity.settings import ConsoleSettings
from services.operations.console.app import OperatorsConsole
from services.runtime.serving import listen, serving

PASSWORD = "not a real one"
NOWHERE = "http://127.0.0.1:1/{service}"  # nobody listens there


class Clock:
    """A clock whose seconds pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A running console and the browser of one person."""

    def __init__(self, base: str, console: OperatorsConsole, clock: Clock, sign_in_pages: SignIn | None = None) -> None:
        self.base, self.console, self.clock, self.sign_in_pages = base, console, clock, sign_in_pages
        self.client = httpx.AsyncClient(base_url=base, timeout=30)

    async def form(self) -> str:
        """Begin to sign in; returns the address of the issuer's form."""
        return str((await self.client.get("/console/sign-in")).headers["location"])

    async def entered(self, where: str, **given: str) -> httpx.Response:
        """Fill in and send the issuer's form."""
        filled = {"name": "Anna", "password": PASSWORD, "role": "system-operator", "programme": "jobs2", **given}
        return await self.client.post(where, data=filled)

    async def sent_back(self) -> str:
        """Sign in at the issuer; returns the address that it sends the browser back to."""
        return str((await self.entered(await self.form())).headers["location"])

    async def sign_in(self) -> None:
        assert (await self.client.get(await self.sent_back())).headers["location"] == "/"

    async def signed_in(self) -> bool:
        """Tell if the front page shows a signed-in person."""
        return "sign-out" in (await self.client.get("/")).text


@asynccontextmanager
async def desk(
    folder: Path, served: Sequence[str] = ("jobs2",), services: str = NOWHERE, **given: Any
) -> AsyncIterator[Desk]:
    """Run a console inside the block. `services`: the address of a service, with {service} for its name."""
    with listen(0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer, clock = Issuer(folder, f"{base}/issuer"), Clock()
        settings = ConsoleSettings(public_url=base, issuer=issuer.url, console_services=services, **given)
        console = OperatorsConsole(settings, clock)
        sign_in_pages = SignIn.to_the_console(issuer, PASSWORD, base, served, clock=clock)
        app = Starlette(routes=[Mount("/issuer", issuer.app(sign_in_pages)), *console.routes()])
        web.install_outside(app)
        async with serving(app, listening):
            one = Desk(base, console, clock, sign_in_pages)
            yield one
            await one.client.aclose()
            await console.close()


def changed(address: str, **parameters: str) -> str:
    """Give the address with other parameters."""
    parts = urlsplit(address)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(given)).geturl()


def parameter(address: str, name: str) -> str:
    """Give one parameter of an address."""
    return parse_qs(urlsplit(address).query)[name][0]
