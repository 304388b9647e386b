"""Applications served on loopback: each request goes through uvicorn and a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from services import vault
from services.contracts.topics import SERVICES
from services.identity.issuer import Issuer
from services.runtime.serving import listen, serving
from services.settings import Settings


@asynccontextmanager
async def served(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve the application. Gives its address."""
    listening = listen(port)
    try:
        async with serving(app, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application. Gives an HTTP client of it."""
    async with served(app) as base, httpx.AsyncClient(base_url=base, timeout=10) as client:
        yield client


class Asked:
    """Records the paths that are requested from an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self.paths = app, list[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        await self._app(scope, receive, send)


class Served:
    """An issuer whose address stays the same while it is down."""

    def __init__(self, folder: Path) -> None:
        with listen(0) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/issuer"
        self.issuer = Issuer(folder, self.url)
        self.asked = self._app()

    def _app(self) -> Asked:
        return Asked(Starlette(routes=[Mount("/issuer", self.issuer.app())]))

    def change_keys(self, folder: Path) -> None:
        """Replace the signing key; the new one alone is published."""
        self.issuer = Issuer(folder, self.url)
        self.asked._app = self._app()._app

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        async with served(self.asked, self.port):
            yield


def settings_for(issuer: str, **given: Any) -> Settings:
    """Settings of a service that uses no engines."""
    return Settings(kafka="127.0.0.1:1", mongo="mongodb://127.0.0.1:1", issuer=issuer, **given)


@asynccontextmanager
async def issuing(folder: Path) -> AsyncIterator[tuple[Issuer, Path]]:
    """Serve an issuer. Gives it and the folder of its keys."""
    keys = folder / "keys"
    vault.make_keys(keys, SERVICES)
    listening = listen(0)
    issuer = Issuer(keys, f"http://127.0.0.1:{listening.getsockname()[1]}")
    async with serving(issuer.app(), listening):
        yield issuer, keys
