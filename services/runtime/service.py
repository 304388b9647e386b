"""A service on its engines: routes, reactions, projections, relay and background tasks, put together in one place.

Invariants: the constructor takes everything, and nothing is assigned to a service from outside. Nothing connects before `start`. A task
that ends by itself ends the service, loudly. Each role can run alone, and any number of copies of it beside each other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI

from services import programmes, web
from services.contracts import Topic
from services.contracts.topics import PROGRAMMES, read_by, written_by
from services.events.bus.client import Bus
from services.events.delivery.declare import Gate, Projection, Reactions
from services.events.inbox.projections import ReadModels
from services.events.inbox.runner import ConsumerRunner
from services.events.outbox.relay import Relay
from services.identity import auth
from services.identity.route_access import check_protected
from services.kernel import Aggregate, Command, new_id
from services.programmes import Programme, ServedProgrammes
from services.runtime import erasures, login_errors, ops
from services.runtime import held as told
from services.runtime.building import wait_until_whole
from services.runtime.consumers import Consumers
from services.runtime.environment import Environment
from services.runtime.gauges import watch
from services.runtime.published import Follower
from services.runtime.tasks import Tasks
from services.runtime.uses import Count, uses_route
from services.settings import Misconfigured, Settings
from services.store.collections import prepare
from services.store.commands import Commanding, Handler
from services.store.held import Held
from services.store.mongo import PyMongoError, Store, within
from services.telemetry import Metrics, Telemetry
from services.vault.keyring import KeyHolder
from services.web.counting import Counted
from services.web.frame import fragments

ROLES = ("api", "consume", "relay")
LOOK = 2.0  # seconds in which an engine that is there answers
AWAY = "does not answer"
BackgroundTask = Callable[
    ["Service"], Coroutine[Any, Any, None]
]  # runs beside the role `consume`, or beside `api`; must not end by itself
StartStep = Callable[["Service"], Awaitable[None]]  # runs at a start, before any role; after a restore, or always


class Service:
    """One of the five services. `build(settings)` of its `app` module makes it; `start` and `stop` bracket its life.

    Raises Misconfigured when the programmes cannot be read.
    """

    def __init__(  # noqa: PLR0913  # the one place where a service is composed
        self,
        name: str,
        settings: Settings,
        *,
        holder: KeyHolder,
        aggregates: Sequence[type[Aggregate]] = (),
        routes: Sequence[APIRouter] = (),
        reactions: Reactions | None = None,
        gate: Gate | None = None,
        held: Held | None = None,
        projections: Sequence[Projection] = (),
        tables: Sequence[Topic] = (),
        background: Sequence[BackgroundTask] = (),
        beside_api: Sequence[BackgroundTask] = (),
        after_restore: Sequence[StartStep] = (),
        at_start: Sequence[StartStep] = (),
        uses: Count | None = None,
    ) -> None:
        self.name, self.settings, self.holder = name, settings, holder
        found = served(programmes.load_all(settings.programmes), settings.only)
        serves = ServedProgrammes(found, frozenset(found) if settings.only is not None else None)
        self.rules: Mapping[str, Programme] = serves
        self.aggregates, self.reactions = aggregates, reactions or Reactions()
        self.gate, self.held = gate or Gate(), held or Held()
        # Every service reads the programmes before its reactions, as it reads keys.
        self.tables: Sequence[Topic] = (*tables, PROGRAMMES)
        self._background, self._beside_api = background, beside_api
        self._after_restore, self._at_start = after_restore, at_start
        self.store = Store(settings.mongo, settings.database_of(name))
        self.programmes = Follower(self.store, serves)
        self.bus = Bus(settings)
        self.ends = ops.Ends(self.bus)
        self.telemetry, self.metrics = Telemetry(name, settings), Metrics(name)
        self.read_models = ReadModels(self.store, list(projections))
        self.commanding = Commanding(self.store, holder, self.telemetry, self.metrics)
        self.tasks = Tasks(name)
        self._consumers = Consumers(self)
        self._relay: Relay | None = None
        self.app = self._application([*routes, uses_route(self, uses)])

    def _application(self, routes: Sequence[APIRouter]) -> FastAPI:
        # No `docs_url`: FastAPI's pages load scripts from another site, and do not name the roles of a route.
        app = FastAPI(title=f"AMA Lavoro: {self.name}", version="1", docs_url=None, redoc_url=None)
        app.state.service, app.state.auth = self, auth.Authenticator(self.settings, known=self.rules)
        for router in [*routes, *web.common_routes(self), ops.routes(self), erasures.routes(self), told.routes(self)]:
            app.include_router(router)
        web.install(app)
        # Added last, so outermost: it counts the answers of the other middleware too.
        app.add_middleware(Counted, count=self.metrics.answered)
        # After every route and router: one that is added later would not be checked.
        check_protected(app)
        return app

    async def start(self, roles: Collection[str] = ROLES) -> None:
        """Prepare collections and topics, then run these roles. Misconfigured when an engine is not as it must be, or refuses the
        log-in of this service."""
        self.tasks.begin()
        async with login_errors.explained(self.settings):
            await self.prepare()
        await self.programmes.look()
        # Before any role: a command on a state that lacks its own later events would decide wrongly.
        for step in (*(self._after_restore if self.store.was_restored else ()), *self._at_start):
            await step(self)
        if "relay" in roles:
            self._relay = Relay(self.name, self.store, self.bus, self.settings, self.metrics)
            self.tasks.spawn(self._relay.run, "relay")
        if "consume" in roles:
            await self._consumers.start()
            for task in self._background:
                self.tasks.spawn(partial(task, self), task.__name__)
        elif "api" in roles:
            await wait_until_whole(self)
        for task in self._beside_api if "api" in roles else ():
            self.tasks.spawn(partial(task, self), task.__name__)
        self.tasks.spawn(self.programmes.run, "programmes")
        self.tasks.spawn(partial(watch, self.store, self.runners, self.metrics), "gauges")
        self.tasks.spawn(Environment(self).run, "environment")
        for role in ROLES:
            self.metrics.set_gauge("role_running", role in roles, role)

    async def prepare(self) -> None:
        """Make the missing collections, indexes and topics: those that it reads or writes, since it has no rights on others."""
        await prepare(self.store, self.aggregates)
        await self.read_models.prepare(await self.read_models.live())
        await self.bus.prepare([*read_by(self.name), *written_by(self.name)])

    @property
    def runners(self) -> dict[str, ConsumerRunner]:
        """The consumers that run in this process, by name."""
        return self._consumers.runners

    @property
    def public_bootstrap(self) -> str | None:
        """The address of its Kafka cluster for partners; None when partners have none."""
        return self.settings.public_kafka

    @property
    def secured(self) -> bool:
        """True when its Kafka cluster asks for a user and a password."""
        return self.settings.sasl_username is not None

    def consumed_types(self) -> list[str]:
        """Return the event types that its reactions and projections read."""
        return self._consumers.event_types()

    async def consumers(self) -> dict[str, list[str]]:
        """Return the topics that each of its consumers reads, whichever copy runs it."""
        return await self._consumers.topics()

    async def ready(self) -> dict[str, str]:
        """Return what is not ready, each with its reason; empty when everything is."""
        missing: dict[str, str] = {}
        if self.tasks.over:
            missing["service"] = "it has ended"
        try:
            async with asyncio.timeout(LOOK + 1):
                with within(LOOK):
                    await self.store.ping()
        except (PyMongoError, TimeoutError):
            missing["MongoDB"] = AWAY
        try:
            async with asyncio.timeout(LOOK):
                await self.bus.ping()
        except (KafkaError, TimeoutError, AssertionError):  # the last is aiokafka's, of a cluster that is just starting
            missing["Kafka"] = AWAY
        return missing

    def health_app(self) -> FastAPI:
        """Build an application with the health route alone, for a copy without the role `api`."""
        app = FastAPI(title=f"AMA Lavoro: {self.name}", openapi_url=None, redirect_slashes=False)
        app.include_router(web.health(self))
        return app

    async def do(self, handler: Handler[Any], command: Command, programme: str, correlation: str | None = None) -> Any:
        """Run a command from within the service (a background task, a test)."""
        return await self.commanding.run(handler, command, self.rules[programme], correlation or new_id())

    async def stop(self) -> None:
        """Finish what is in hand and close every connection, in bounded time also when no engine answers."""
        # Tasks and consumers use the relay's lease and the store, which are therefore closed after them.
        await self.tasks.stop()
        await self._consumers.stop()
        if self._relay is not None:
            # Another copy then sends at once, and not only when the lease of 6 s has run out.
            await self.tasks.end(self._relay.release(), "lease of the relay")
        await self.tasks.end(self.ends.close(), "reader of the ends of topics")
        await fragments.close(self.app)
        await self.store.close()
        # It exports the spans that wait, and blocks until the collector has answered.
        await asyncio.to_thread(self.telemetry.close)


def served(known: dict[str, Programme], only: str | None) -> dict[str, Programme]:
    """Return those of the programmes that `only` names (comma-separated), or all. Misconfigured when it names an unknown one."""
    if only is None:
        return known
    wanted = [name.strip() for name in only.split(",")]
    if unknown := [name for name in wanted if name not in known]:
        raise Misconfigured(f"AMA_ONLY: there is no programme {unknown[0]}; there are {', '.join(known)}.")
    return {name: known[name] for name in wanted}


@asynccontextmanager
async def running(service: Service, roles: Collection[str] = ROLES) -> AsyncIterator[Service]:
    """Start the service for the block, and stop it afterwards."""
    try:
        await service.start(roles)
        yield service
    finally:
        # Also after a start that failed: some of its parts may run already.
        await service.stop()
