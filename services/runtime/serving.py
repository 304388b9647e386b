"""All five services in one process behind one port, each under its own name: the embedded default.

Invariant: a service knows nothing of standing here; it is the same `build(settings)` that runs alone elsewhere.
"""

import asyncio
import gc
import importlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from services import web
from services.contracts.topics import SERVICES
from services.runtime.service import ROLES, Service
from services.settings import Settings

KEPT = 180  # seconds for which an idle connection is; longer than Caddy (120) and other clients keep theirs, or they would meet its end


def build(name: str, settings: Settings) -> Service:
    """The service of that name. It is found by name because the chassis knows none of those that stand on it."""
    service: Service = importlib.import_module(f"{name}.app").build(settings)
    return service


class AllServices:
    """The five, started together."""

    def __init__(self, settings: Callable[[str], Settings], others: Collection[BaseRoute] = ()) -> None:
        """`settings` says what each service is given: with users of its own on the engines, not all the same."""
        self.services = {name: build(name, settings(name)) for name in SERVICES}
        mounts = [Mount(f"/{name}", service.app) for name, service in self.services.items()]
        self.app = Starlette(routes=[*mounts, *others])
        web.install_outside(self.app)

    async def start(self, roles: Collection[str] = ROLES) -> None:
        """All at once: none needs another to begin."""
        async with asyncio.TaskGroup() as together:
            for service in self.services.values():
                together.create_task(service.start(roles))

    async def stop(self) -> None:
        """All at once."""
        async with asyncio.TaskGroup() as together:
            for service in self.services.values():
                together.create_task(service.stop())

    async def ended(self) -> None:
        """Wait until a service ends; raises what ended it."""
        waiting = [service.tasks.ended for service in self.services.values() if service.tasks.ended is not None]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for future in waiting:
            if future.done():
                future.result()


def alone(service: Service, api: bool) -> Starlette:
    """One service under its name; without the role `api`, only its health answers."""
    app = Starlette(routes=[Mount(f"/{service.name}", service.app if api else service.health_app())])
    web.install_outside(app)
    return app


def settle() -> None:
    """Have the collector of cycles pass over what there is by now, which stays, and look rarely at what a batch makes, which all lives
    until the batch is done: a fifth of a consumer's time went into looking."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A listening socket; port 0 takes a free one. OSError when it is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


class _Server(uvicorn.Server):
    """Leaves the signals alone: whoever runs the process decides what an interrupt means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None is captured."""
        yield


@asynccontextmanager
async def serving(app: object, listening: socket.socket) -> AsyncIterator[None]:
    """Answer HTTP on the socket for as long as the block runs."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        lifespan="off",
        access_log=False,
        timeout_keep_alive=KEPT,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]), name="http")
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task
