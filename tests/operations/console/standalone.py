"""The console on a port of its own without any service, and a caller with a token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from services import web
from services.operations.console.app import OperatorsConsole
from services.runtime.serving import listen, serving

NOWHERE = "http://127.0.0.1:1/{service}"  # nobody listens there


class Desk:
    """A running console, and one caller whose token it passes on."""

    def __init__(self, base: str, console: OperatorsConsole) -> None:
        self.base, self.console = base, console
        self.client = httpx.AsyncClient(base_url=base, timeout=30, headers={"Authorization": "Bearer theirs"})


@asynccontextmanager
async def desk(services: str = NOWHERE) -> AsyncIterator[Desk]:
    """Run a console inside the block. `services`: the address of a service, with {service} for its name."""
    with listen(0) as listening:
        async with httpx.AsyncClient() as client:
            console = OperatorsConsole(client, services)
            app = Starlette(routes=console.routes())
            web.install_outside(app)
            async with serving(app, listening):
                one = Desk(f"http://127.0.0.1:{listening.getsockname()[1]}", console)
                yield one
                await one.client.aclose()
                console.close()
