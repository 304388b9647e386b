"""The consumers of one service on one broker: its compacted topics, its gate, its reactions, and its projections.

Invariants: the compacted topics are read to their end before any event, so that a restricted event finds its person's key. So is the gate,
which stays ahead of the reactions: no effect is decided before the consents and erasures that came before its event. The projections are
consumed in the generation to which their pointer points, soon after the pointer moves. Nothing reads a generation that is not whole.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from services.contracts import Topic
from services.events.bus.client import Bus
from services.events.delivery.declare import Gate, Reactions, topics_of
from services.events.delivery.state import Effect
from services.events.inbox.assignment import give_up
from services.events.inbox.batches import Start
from services.events.inbox.documents import without_generation
from services.events.inbox.effects import Reacting, Tabulating
from services.events.inbox.gate import GATE, GATED, GateEffect
from services.events.inbox.gate_reading import concerns_gate
from services.events.inbox.gate_taking import take_in_any_order
from services.events.inbox.generations import discard
from services.events.inbox.projections import RETIRING, ReadModels, consumer_of
from services.events.inbox.runner import ConsumerRunner
from services.programmes import Programme
from services.runtime.building import build_whole
from services.runtime.tasks import Tasks
from services.settings import Settings
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store, Transaction
from services.store.unit import Unit
from services.telemetry import Metrics, Telemetry
from services.vault.keyring import KeyHolder

log = logging.getLogger(__name__)
TABLES, REACTIONS = "tables", "reactions"  # names of consumers
LEVEL = 120.0  # seconds in which the compacted topics and the gate are read to their end
POINTER = 1.0  # seconds between looks at the pointer of the projections
Begun = tuple[Effect | GateEffect, Callable[[], Awaitable[Any]]]  # the effect of one transaction, and what ends it


class ConsumingService(Protocol):
    """The parts of a service that its consumers need."""

    name: str
    settings: Settings
    store: Store
    bus: Bus
    holder: KeyHolder
    rules: Mapping[str, Programme]
    reactions: Reactions
    gate: Gate
    tables: Sequence[Topic]
    read_models: ReadModels
    telemetry: Telemetry
    metrics: Metrics
    tasks: Tasks


class Consumers:
    """Starts and stops the consumers of a service. `runners` holds those that run, by name."""

    def __init__(self, service: ConsumingService) -> None:
        self.runners: dict[str, ConsumerRunner] = {}
        self._service = service
        self._broker: Any = None

    async def topics(self) -> dict[str, list[str]]:
        """Return the topics that each consumer reads, whichever copy of the service runs it."""
        service = self._service
        found = {TABLES: self._tables()} if service.tables else {}
        found[GATE] = topics_of(GATED)
        if service.reactions.handlers:
            found[REACTIONS] = topics_of(service.reactions.handlers)
        if service.read_models.projections:
            found[consumer_of(await service.read_models.live())] = topics_of(service.read_models.handlers)
        return found

    def event_types(self) -> list[str]:
        """Return the event types that the reactions and projections read."""
        return sorted({*self._service.reactions.handlers, *self._service.read_models.handlers})

    async def start(self) -> None:
        """Run all consumers. TimeoutError when the compacted topics and the gate are not read to their end in time."""
        service = self._service
        await self._give_up_topics()
        self._broker = service.bus.broker([service.metrics.middleware()])
        await self._broker.start()
        if service.tables:
            await self._run(TABLES, self._tables(), self.tabulating)
        await self._run(GATE, topics_of(GATED), self.gating, taking=take_in_any_order, concerns=concerns_gate)
        async with asyncio.timeout(LEVEL):
            # Before the reactions: a restricted event whose key is not here yet would be parked, and one whose consent is not here waits.
            while not all([await self._level(name) for name in (TABLES, GATE) if name in self.runners]):
                await asyncio.sleep(0.05)
        if service.reactions.handlers:
            await self._run(REACTIONS, topics_of(service.reactions.handlers), self.reacting, follows=self.runners[GATE])
        if service.read_models.projections:
            await self._project_whole()

    async def _project_whole(self) -> None:
        """Consume the live generation; first build one, when it is not whole."""
        service, models = self._service, self._service.read_models
        await build_whole(service)
        live = await models.live()
        # A process that ended after a switch has left these.
        await discard(models, lambda number: number < live)
        await self._project(live)
        service.tasks.spawn(partial(self._follow_pointer, live), "pointer of the projections")

    async def _give_up_topics(self) -> None:
        """Delete what consumers keep of topics that this version does not read any more. Generations of projections are discarded whole."""
        store, read = self._service.store, await self.topics()
        for name in await store["offsets"].distinct("consumer"):
            if without_generation(name) == name or name in read:
                await give_up(store, name, read.get(name, ()))

    async def _level(self, name: str) -> bool:
        """Tell whether this consumer has read everything. An event of the gate that is parked until its programme is known does not
        count: its decision is kept."""
        read, there = await self.runners[name].level()
        return read >= there

    async def stop(self) -> None:
        """Stop them, in bounded time also when no engine answers."""
        for runner in self.runners.values():
            await self._service.tasks.end(runner.stop(), f"consumer {runner.name}")
        self.runners.clear()
        if self._broker is not None:
            await self._service.tasks.end(self._broker.stop(), "broker")

    def reacting(self, transaction: Transaction) -> Begun:
        """Begin one transaction of the reactions."""
        service, unit = self._service, self._unit(transaction)
        # With AMA_ONLY an unknown programme is served elsewhere; without it, the programme's own event may still come.
        alone = service.settings.only is None
        effect = Reacting(unit, service.reactions, service.rules, service.telemetry, alone=alone)
        return effect, lambda: unit.flush(silently=True)

    def gating(self, transaction: Transaction) -> Begun:
        """Begin one transaction of the gate."""
        service, unit = self._service, self._unit(transaction)
        alone = service.settings.only is None
        models, telemetry = service.read_models, service.telemetry
        effect = GateEffect(
            service.store, transaction, unit, service.gate, service.rules, models, telemetry, alone=alone
        )
        return effect, lambda: unit.flush(silently=True)

    def tabulating(self, transaction: Transaction) -> Begun:
        """Begin one transaction of the compacted topics."""
        unit = self._unit(transaction)
        return Tabulating(unit, self._tables()), unit.flush

    def _unit(self, transaction: Transaction) -> Unit:
        return Unit(self._service.store, transaction, self._service.holder, now_utc())

    def _tables(self) -> list[str]:
        return [topic.name for topic in self._service.tables]

    async def _run(self, name: str, topics: Sequence[str], start: Start, **order: Any) -> None:
        service, fatal = self._service, self._service.tasks.fail
        alike, metrics = service.settings.alike, service.metrics
        runner = ConsumerRunner(name, topics, service.store, service.bus, start, metrics, fatal, alike, **order)
        self.runners[name] = runner
        await runner.run_on(self._broker)

    async def _project(self, generation: int) -> None:
        models = self._service.read_models
        start = models.starting(generation, self._service.holder)
        await self._run(consumer_of(generation), topics_of(models.handlers), start)

    async def _follow_pointer(self, running: int) -> None:
        """Follow the pointer for as long as the service runs; while MongoDB is away, wait."""
        while True:
            await asyncio.sleep(POINTER)
            try:
                running = await self._follow(running)
            except PyMongoError as error:
                # A task that ends ends the service, which an election or an outage of MongoDB must not do.
                if not is_transient(error):
                    raise
                extra = {"service": self._service.name, "error": type(error).__name__}
                log.warning("the pointer cannot be read", extra=extra)

    async def _follow(self, running: int) -> int:
        """Consume the generation that a rebuild made live, and discard the one before. After an error the next call takes all steps
        again."""
        models = self._service.read_models
        live = await models.live()
        if live != running:
            # Stopped before the discard: a running consumer would write rows into the collection that is dropped.
            if (old := self.runners.pop(consumer_of(running), None)) is not None:
                await old.stop()
            await asyncio.sleep(RETIRING)
            await discard(models, lambda number: number == running)
            await self._project(live)
        return live
