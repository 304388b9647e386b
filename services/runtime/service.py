"""A service, stood on its engines: the one place where routes, reactions, projections, relay and workers are put together.

Invariants: nothing connects before `start`; a task that dies ends the service, loudly; each role can run alone, and any number of copies
of it beside each other.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI

from services import programmes, web
from services.contracts import Topic, catalogue
from services.contracts.enrolment import WorkerErased
from services.contracts.topics import read_by, written_by
from services.events.bus.client import Bus
from services.events.delivery.declare import Projection, Reactions
from services.events.delivery.state import Effect
from services.events.inbox.effects import Reacting, Tabulating
from services.events.inbox.erasure import forget_again
from services.events.inbox.projections import ReadModels, consumer_of
from services.events.inbox.runner import ConsumerRunner
from services.events.outbox.relay import Relay
from services.identity import auth
from services.identity.route_access import check_protected
from services.kernel import Aggregate, Command, new_id
from services.programmes import Programme
from services.runtime import login_errors, ops
from services.runtime.environment import Environment
from services.runtime.gauges import watch
from services.runtime.tasks import Tasks
from services.settings import Misconfigured, Settings
from services.store.clock import now_utc
from services.store.collections import prepare
from services.store.commands import Commanding, Handler
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Session, Store, within
from services.store.unit import Unit
from services.telemetry import Metrics, Telemetry
from services.vault.keyring import KeyHolder
from services.web.counting import Counted

log = logging.getLogger(__name__)
ROLES = ("api", "consume", "relay")
LOOK = 2.0  # seconds in which an engine that is there answers
Worker = Callable[["Service"], Coroutine[Any, Any, None]]


class Service:
    """One of the five. `build(settings)` of its `app` module makes it; `start` and `stop` bracket its life."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        holder: KeyHolder,
        aggregates: Sequence[type[Aggregate]] = (),
        routes: Sequence[APIRouter] = (),
        reactions: Reactions | None = None,
        projections: Sequence[Projection] = (),
        tables: Sequence[Topic] = (),
        workers: Sequence[Worker] = (),
    ) -> None:
        self.name, self.settings, self.holder = name, settings, holder
        self.rules: dict[str, Programme] = served(programmes.load_all(settings.programmes), settings.only)
        self.aggregates, self.reactions, self.tables, self.workers = (
            aggregates,
            reactions or Reactions(),
            tables,
            workers,
        )
        self.after_restore: Sequence[Worker] = ()  # with a restored database, before anything else
        self.store = Store(settings.mongo, settings.database_of(name))
        self.bus = Bus(settings)
        self.ends = ops.Ends(self.bus)
        self.telemetry, self.metrics = Telemetry(name, settings), Metrics(name)
        self.read_models = ReadModels(self.store, list(projections))
        self.commanding = Commanding(self.store, holder, self.telemetry, self.metrics)
        self.runners: dict[str, ConsumerRunner] = {}
        self.tasks = Tasks(name)
        self._broker: Any = None
        self._relay: Relay | None = None
        self.app = self._application(routes)

    def _application(self, routes: Sequence[APIRouter]) -> FastAPI:
        app = FastAPI(title=f"AMA Lavoro: {self.name}", version="1", docs_url=None, redoc_url=None)
        app.state.service, app.state.auth = self, auth.Authenticator(self.settings, known=self.rules)
        for router in [*routes, *web.common_routes(self), ops.routes(self)]:
            app.include_router(router)
        web.install(app)
        app.add_middleware(Counted, count=self.metrics.answered)
        check_protected(app)
        return app

    async def start(self, roles: Collection[str] = ROLES) -> None:
        """Prepare documents and topics, then run these roles. Misconfigured when an engine is not as it must be, or does not let
        this service in."""
        self.tasks.begin()
        async with login_errors.told(self.settings):
            await self.prepare()
        for each in self.after_restore if self.store.recalls else ():
            await each(self)
        if "relay" in roles:
            self._relay = Relay(self.name, self.store, self.bus, self.settings, self.metrics)
            self.tasks.spawn(self._relay.run(), "relay")
        if "consume" in roles:
            await self._consume()
            for worker in self.workers:
                self.tasks.spawn(worker(self), worker.__name__)
        self.tasks.spawn(watch(self.store, self.runners, self.metrics), "watching")
        self.tasks.spawn(Environment(self).run(), "surroundings")
        for role in ROLES:
            self.metrics.stands("role_running", role in roles, role)

    async def prepare(self) -> None:
        """Make what is missing of its documents, indexes and topics: those that it reads or writes, since it may see no others."""
        await prepare(self.store, self.aggregates)
        for name in self.read_models.projections:
            await self.read_models.prepare(name, await self.read_models.live(name))
        await self.bus.prepare([*read_by(self.name), *written_by(self.name)])

    @property
    def bootstrap(self) -> str:
        """Where its bus is."""
        return self.settings.kafka

    @property
    def secured(self) -> bool:
        """Whether its bus wants a user and a password."""
        return self.settings.sasl_username is not None

    def consumed_types(self) -> list[str]:
        """The event types that its reactions and projections read."""
        handled = [
            set(self.reactions.handlers),
            *(set(each.handlers()) for each in self.read_models.projections.values()),
        ]
        return sorted(set().union(*handled))

    def _tables(self) -> list[str]:
        return [topic.name for topic in self.tables]

    async def consumers(self) -> dict[str, list[str]]:
        """Its consumers, and the topics that each reads, whichever copy runs them."""
        found = {"tables": self._tables()} if self.tables else {}
        found["reactions"] = topics_of(self.reactions.handlers)
        for name, projection in self.read_models.projections.items():
            found[consumer_of(name, await self.read_models.live(name))] = topics_of(projection.handlers())
        return found

    async def ready(self) -> dict[str, str]:
        """What is not ready, and why; nothing when all is."""
        missing: dict[str, str] = {}
        if self.tasks.over:
            missing["service"] = "it has ended"
        try:
            async with asyncio.timeout(LOOK + 1):
                with within(LOOK):
                    await self.store.ping()
        except (PyMongoError, TimeoutError):
            missing["MongoDB"] = "does not answer"
        try:
            async with asyncio.timeout(LOOK):
                await self.bus.ping()
        except (KafkaError, TimeoutError, AssertionError):  # the last is aiokafka's, of a cluster that is just starting
            missing["Kafka"] = "does not answer"
        return missing

    def health_app(self) -> FastAPI:
        """Health alone, for a copy that does not answer the API."""
        app = FastAPI(title=f"AMA Lavoro: {self.name}", openapi_url=None)
        app.include_router(web.health(self))
        return app

    async def _consume(self) -> None:
        self._broker = self.bus.broker([self.metrics.middleware()])
        await self._broker.start()
        if self.tables:
            await self._run("tables", self._tables(), self._tabulating)
            async with asyncio.timeout(120):
                while not await self.runners["tables"].caught_up():
                    await asyncio.sleep(0.05)
        await self._run("reactions", topics_of(self.reactions.handlers), self._reacting)
        running = {name: await self.read_models.live(name) for name in self.read_models.projections}
        for name, generation in running.items():
            await self._project(name, generation)
        if running:
            self.tasks.spawn(self._follow_pointers(running), "projection pointers")
            self.tasks.spawn(forget_again(self.store, self.read_models), "forgetting")

    async def _run(self, name: str, topics: Sequence[str], start: Any) -> None:
        runner = ConsumerRunner(
            name, topics, self.store, self.bus, start, self.metrics, self.tasks.fail, self.settings.alike
        )
        self.runners[name] = runner
        await runner.run_on(self._broker)

    async def _project(self, name: str, generation: int) -> None:
        topics = topics_of(self.read_models.projections[name].handlers())
        await self._run(consumer_of(name, generation), topics, self.read_models.starting(name, generation, self.holder))

    async def _follow_pointers(self, running: dict[str, int]) -> None:
        """When a rebuild set a pointer, follow the new generation and let go of the old; later, when MongoDB is away."""
        while True:
            await asyncio.sleep(1.0)
            try:
                await self._follow(running)
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                log.warning("pointers cannot be read", extra={"service": self.name, "error": type(error).__name__})

    async def _follow(self, running: dict[str, int]) -> None:
        """Take one look. What fails half-way is done by the next look."""
        for name, generation in list(running.items()):
            live = await self.read_models.live(name)
            if live != generation:
                if (old := self.runners.pop(consumer_of(name, generation), None)) is not None:
                    await old.stop()
                await self.read_models.discard(name, generation)
                await self._project(name, live)
                running[name] = live

    def _unit(self, session: Session) -> Unit:
        return Unit(self.store, session, self.holder, now_utc())

    def _reacting(self, session: Session) -> tuple[Effect, Callable[[], Awaitable[Any]]]:
        unit = self._unit(session)
        effect = Reacting(unit, self.reactions, self.rules, self.telemetry, alone=self.settings.only is None)
        return effect, lambda: unit.flush(silently=True)

    def _tabulating(self, session: Session) -> tuple[Effect, Callable[[], Awaitable[Any]]]:
        unit = self._unit(session)
        return Tabulating(unit, self._tables()), unit.flush

    async def do(self, handler: Handler[Any], command: Command, programme: str, correlation: str | None = None) -> Any:
        """Run a command from within (a worker, a test)."""
        return await self.commanding.run(handler, command, self.rules[programme], correlation or new_id())

    async def stop(self) -> None:
        """Finish what is in hand and close every connection, in bounded time also when no engine answers."""
        await self.tasks.stop()
        for runner in self.runners.values():
            await self.tasks.end(runner.stop(), f"consumer {runner.name}")
        self.runners.clear()
        if self._broker is not None:
            await self.tasks.end(self._broker.stop(), "broker")
        if self._relay is not None:
            await self.tasks.end(self._relay.release(), "lease of the relay")
        await self.tasks.end(self.ends.close(), "looks at the bus")
        await self.store.close()
        await asyncio.to_thread(self.telemetry.close)


def topics_of(kinds: Iterable[str]) -> list[str]:
    """The topics of who handles these types: erasures are read besides, by everybody."""
    return sorted({catalogue()[kind].topic for kind in (*kinds, WorkerErased.type)})


def served(known: dict[str, Programme], only: str | None) -> dict[str, Programme]:
    """Those of the programmes that `only` names, or all. Misconfigured when it names one that is not known."""
    if only is None:
        return known
    wanted = [name.strip() for name in only.split(",")]
    if unknown := [name for name in wanted if name not in known]:
        raise Misconfigured(f"AMA_ONLY: there is no programme {unknown[0]}; there are {', '.join(known)}.")
    return {name: known[name] for name in wanted}


@asynccontextmanager
async def running(service: Service, roles: Collection[str] = ROLES) -> AsyncIterator[Service]:
    """The service's life as a block."""
    try:
        await service.start(roles)
        yield service
    finally:
        await service.stop()
