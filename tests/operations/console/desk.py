"""A console and its issuer on one port, without any service behind them: enough to try how people sign in, and how sessions end."""

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
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Where it is, and somebody's browser."""

    def __init__(self, base: str, console: OperatorsConsole, clock: Clock, signing_in: SignIn | None = None) -> None:
        self.base, self.console, self.clock, self.signing_in = base, console, clock, signing_in
        self.client = httpx.AsyncClient(base_url=base, timeout=30)

    async def form(self) -> str:
        """Begin to sign in: the address of the issuer's form."""
        return str((await self.client.get("/console/sign-in")).headers["location"])

    async def entered(self, where: str, **given: str) -> httpx.Response:
        """Fill it in."""
        filled = {"name": "Anna", "password": PASSWORD, "role": "administrator", "programme": "jobs2", **given}
        return await self.client.post(where, data=filled)

    async def sent_back(self) -> str:
        """What the issuer sends a browser back with."""
        return str((await self.entered(await self.form())).headers["location"])

    async def sign_in(self) -> None:
        assert (await self.client.get(await self.sent_back())).headers["location"] == "/"

    async def signed_in(self) -> bool:
        """Whether the front page knows who this is."""
        return "sign-out" in (await self.client.get("/")).text


@asynccontextmanager
async def desk(folder: Path, served: Sequence[str] = ("jobs2",), **given: Any) -> AsyncIterator[Desk]:
    """One that answers for as long as the block runs."""
    with listen(0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer, clock = Issuer(folder, f"{base}/issuer"), Clock()
        settings = ConsoleSettings(public_url=base, issuer=issuer.url, console_services=NOWHERE, **given)
        console = OperatorsConsole(settings, clock)
        signing_in = SignIn.to_the_console(issuer, PASSWORD, base, served)
        app = Starlette(routes=[Mount("/issuer", issuer.app(signing_in)), *console.routes()])
        web.install_outside(app)
        async with serving(app, listening):
            one = Desk(base, console, clock, signing_in)
            yield one
            await one.client.aclose()
            await console.close()


def changed(address: str, **parameters: str) -> str:
    """The address with other parameters."""
    parts = urlsplit(address)
    told = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(told)).geturl()


def parameter(address: str, name: str) -> str:
    """One of its parameters."""
    return parse_qs(urlsplit(address).query)[name][0]
