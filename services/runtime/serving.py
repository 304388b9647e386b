"""All five services in one process behind one port, each under its own name: the embedded default.

Invariant: a service does not know that it runs here; the same `build(settings)` runs alone elsewhere.
"""

import asyncio
import errno
import gc
import importlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from services import web
from services.contracts.topics import SERVICES
from services.runtime.connections import Connections, Limits
from services.runtime.service import ROLES, Service
from services.runtime.workarounds import LimitedProtocol
from services.settings import Misconfigured, Settings
from services.web.frame import fragments
from services.web.frame.addresses import segment_of, segments_of

LIMITS = Limits()
LATE = "The services did not read Kafka to its end in time: it does not answer, or this machine is too busy. The log says more."
SENDING = 256 * 1024  # bytes of an answer that the kernel holds for a connection


def build(name: str, settings: Settings) -> Service:
    """Build the service of that name. It is imported by name, because the chassis knows no service. Misconfigured for another name."""
    if name not in SERVICES:
        raise Misconfigured(f"There is no service {name}; there are {', '.join(SERVICES)}.")
    service: Service = importlib.import_module(f"{name}.app").build(settings)
    return service


class PagesOf(BaseRoute):
    """The pages of a service at the root of the site, by the table of addresses. The path is passed on as it is."""

    def __init__(self, service: str, app: ASGIApp) -> None:
        self._segments, self.app = segments_of(service), app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the addresses of the service's pages, whatever the method."""
        ours = scope["type"] == "http" and segment_of(scope["path"]) in self._segments
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self.app(scope, receive, send)


def _places(name: str, app: ASGIApp) -> list[BaseRoute]:
    """List where a service answers: under its name, and at the addresses of its pages."""
    return [Mount(f"/{name}", app), PagesOf(name, app)]


class AllServices:
    """The five services, started and stopped together."""

    def __init__(self, settings: Callable[[str], Settings], others: Collection[BaseRoute] = ()) -> None:
        """`settings` returns the settings of a service by its name: with its own users on the engines, they differ."""
        self.services = {name: build(name, settings(name)) for name in SERVICES}
        # None goes through a socket to a sibling that is here.
        siblings = {name: service.app for name, service in self.services.items()}
        for service in self.services.values():
            fragments.beside(service.app, siblings)
        places = [place for name, service in self.services.items() for place in _places(name, service.app)]
        self.app = Starlette(routes=[*places, *others])
        web.install_outside(self.app)

    async def start(self, roles: Collection[str] = ROLES) -> None:
        """Start all at once: none needs another to start. Misconfigured when one is."""
        try:
            async with asyncio.TaskGroup() as together:
                for service in self.services.values():
                    together.create_task(service.start(roles))
        except BaseExceptionGroup as several:
            # One sentence for the operator, and not a group of errors.
            found = [each for each in several.exceptions if isinstance(each, Misconfigured)]
            if not found and all(isinstance(each, TimeoutError) for each in several.exceptions):
                found = [Misconfigured(LATE)]
            raise (found[0] if found else several) from None

    async def stop(self) -> None:
        """Stop all services at once."""
        async with asyncio.TaskGroup() as together:
            for service in self.services.values():
                together.create_task(service.stop())

    async def ended(self) -> None:
        """Wait until a service ends, and raise the error that ended it."""
        waiting = [service.tasks.ended for service in self.services.values() if service.tasks.ended is not None]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for future in waiting:
            if future.done():
                future.result()


def alone(service: Service, api: bool) -> Starlette:
    """Serve one service under its name; without the role `api`, its health alone."""
    app = Starlette(routes=_places(service.name, service.app if api else service.health_app()))
    web.install_outside(app)
    return app


def settle() -> None:
    """Exempt the present objects from garbage collection, since they stay, and collect rarely."""
    gc.collect()
    gc.freeze()
    # Objects of a batch live until its end: a fifth of a consumer's time went into collections that found nothing.
    gc.set_threshold(50_000, 20, 20)


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Open a listening socket; port 0 means any free one. Misconfigured when the port cannot be had."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Without it a restart fails while connections of the former process are in TIME_WAIT.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. In the kernel's own buffer of megabytes, a client that reads slowly could not be told from one that does not.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENDING)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = "in use" if getattr(error, "errno", None) == errno.EADDRINUSE else f"not to be had ({error})"
        raise Misconfigured(f"Port {port} of {host} is {why}: name another one, or 0 for a free one.") from error
    return listening


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, which decides what an interrupt means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signal, in contrast to uvicorn."""
        yield


@asynccontextmanager
async def serving(
    app: object, listening: socket.socket, limits: Limits = LIMITS, proxies: str | None = None
) -> AsyncIterator[None]:
    """Serve HTTP on the socket for as long as the block runs. `proxies`: comma-separated networks whose word on the address of the
    caller is taken (X-Forwarded-For); None takes nobody's."""
    connections = Connections(limits)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        lifespan="off",
        # An address may hold a personal link, which no log may have.
        access_log=False,
        timeout_keep_alive=limits.idle,  # type: ignore[arg-type]  # seconds for a timer, which takes fractions
        http=partial(LimitedProtocol, connections),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        # Else anybody on this machine could choose the address that failed sign-ins are counted by.
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        # A long poll or a stream would otherwise keep the process for as long as its caller stays.
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]), name="http")
    try:
        while not server.started:
            # A server that could not start raises here; without this the loop would never end.
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task
