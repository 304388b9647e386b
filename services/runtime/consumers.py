"""The consumers of one service on one broker: its compacted topics, its gate, its reactions, and one for each projection.

Invariants: the compacted topics are read to their end before any event, so that a restricted event finds its person's key. So is the gate,
which stays ahead of the reactions: no effect is decided before the consents and erasures that came before its event. A projection is
consumed in the generation to which its pointer points, soon after the pointer moves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from services.contracts import Topic, catalogue
from services.contracts.enrolment import WorkerErased
from services.events.bus.client import Bus
from services.events.delivery.declare import Gate, Reactions
from services.events.delivery.state import Effect
from services.events.inbox.batches import Start
from services.events.inbox.effects import Reacting, Tabulating
from services.events.inbox.gate import GATE, GATED, GateEffect
from services.events.inbox.gate_taking import take_in_any_order
from services.events.inbox.projections import ReadModels, consumer_of
from services.events.inbox.runner import ConsumerRunner
from services.programmes import Programme
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
POINTERS = 1.0  # seconds between looks at the pointers of the projections
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
        found[REACTIONS] = topics_of(service.reactions.handlers)
        for name, projection in service.read_models.projections.items():
            found[consumer_of(name, await service.read_models.live(name))] = topics_of(projection.handlers())
        return found

    def event_types(self) -> list[str]:
        """Return the event types that the reactions and projections read."""
        handled = set(self._service.reactions.handlers)
        return sorted(handled.union(*(each.handlers() for each in self._service.read_models.projections.values())))

    async def start(self) -> None:
        """Run all consumers. TimeoutError when the compacted topics and the gate are not read to their end in time."""
        service, models = self._service, self._service.read_models
        self._broker = service.bus.broker([service.metrics.middleware()])
        await self._broker.start()
        if service.tables:
            await self._run(TABLES, self._tables(), self.tabulating)
        await self._run(GATE, topics_of(GATED), self.gating, taking=take_in_any_order)
        async with asyncio.timeout(LEVEL):
            # Before the reactions: a restricted event whose key is not here yet would be parked, and one whose consent is not here waits.
            while not all([await self._level(name) for name in (TABLES, GATE) if name in self.runners]):
                await asyncio.sleep(0.05)
        await self._run(REACTIONS, topics_of(service.reactions.handlers), self.reacting, follows=GATE)
        live = {name: await models.live(name) for name in models.projections}
        for name, generation in live.items():
            await self._project(name, generation)
        if live:
            service.tasks.spawn(partial(self._follow_pointers, live), "projection pointers")

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

    async def _project(self, name: str, generation: int) -> None:
        models = self._service.read_models
        topics = topics_of(models.projections[name].handlers())
        start = models.starting(name, generation, self._service.holder)
        await self._run(consumer_of(name, generation), topics, start)

    async def _follow_pointers(self, running: dict[str, int]) -> None:
        """Follow the pointers for as long as the service runs; while MongoDB is away, wait."""
        while True:
            await asyncio.sleep(POINTERS)
            try:
                await self._follow(running)
            except PyMongoError as error:
                # A task that ends ends the service, which an election or an outage of MongoDB must not do.
                if not is_transient(error):
                    raise
                extra = {"service": self._service.name, "error": type(error).__name__}
                log.warning("pointers cannot be read", extra=extra)

    async def _follow(self, running: dict[str, int]) -> None:
        """Consume the generations that a rebuild made live, and discard those before them. The next call completes what failed."""
        models = self._service.read_models
        for name, generation in list(running.items()):
            live = await models.live(name)
            if live != generation:
                # Stopped before the discard: a running consumer would write rows into the collection that is dropped.
                if (old := self.runners.pop(consumer_of(name, generation), None)) is not None:
                    await old.stop()
                await models.discard(name, generation)
                await self._project(name, live)
                # Last, so that after an error in any of these steps the next look takes them again.
                running[name] = live


def topics_of(kinds: Iterable[str]) -> list[str]:
    """Return the topics of these event types, and that of erasures, which every consumer of events reads."""
    return sorted({catalogue()[kind].topic for kind in (*kinds, WorkerErased.type)})
