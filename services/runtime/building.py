"""Building of a generation of a service's projections beside the live one, by a consumer of its own.

Invariant: readers see the old generation until the new one has taken every record that was there, then the new one, and never a part of it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from services.events.bus.client import Bus
from services.events.delivery.declare import topics_of
from services.events.inbox.generations import begin, discard, is_whole, lease_of, switch
from services.events.inbox.projections import PROJECTIONS, RETIRING, ProjectionPointer, ReadModels, consumer_of
from services.events.inbox.runner import ConsumerRunner
from services.settings import Settings
from services.store.errors import is_transient
from services.store.lease import Lease, LeaseLost, held
from services.store.mongo import PyMongoError
from services.telemetry import Metrics
from services.vault.keyring import KeyHolder

log = logging.getLogger(__name__)
TELL = 10.0  # seconds between lines of the log
RENEW = 1.0  # seconds between looks at the lease
POLL = 0.2  # seconds between looks at the progress
Report = Callable[[int, int], None]


class BuiltElsewhere(Exception):
    """Another process builds a generation. `who`: its host and number."""

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.who = who


class Building(Protocol):
    """The parts of a service that are needed here."""

    name: str
    settings: Settings
    bus: Bus
    holder: KeyHolder
    read_models: ReadModels
    metrics: Metrics


async def build(service: Building, report: Report, *, wait: bool) -> int:
    """Build a generation from the first event, let readers switch to it, and discard those before. Returns it.

    `report(read, expected)` is given numbers of records. `wait`: also for events that need what is not there yet. Raises BuiltElsewhere,
    or the error that stopped its consumer.
    """
    models = service.read_models
    lease = lease_of(models)
    if await lease.take() is None:
        other = await held(models.store, PROJECTIONS, ProjectionPointer.collection)
        raise BuiltElsewhere(other["who"] if other else "another process")
    try:
        generation = await begin(models)
        await _fill(service, generation, lease, report, wait=wait)
    except LeaseLost as error:
        raise BuiltElsewhere("another process") from error
    finally:
        await lease.release()
    # After the switch, since until then queries read the live one; readers may have the pointer of before for a moment.
    await asyncio.sleep(RETIRING)
    await discard(models, lambda number: number < generation)
    return generation


async def _fill(service: Building, generation: int, lease: Lease, report: Report, *, wait: bool) -> None:
    """Take everything into the generation, and switch to it."""
    models, broker = service.read_models, service.bus.broker()
    await broker.start()
    # The consumer runs in tasks of the broker, so its failure reaches this function by a call alone.
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    runner = ConsumerRunner(
        consumer_of(generation),
        topics_of(models.handlers),
        models.store,
        service.bus,
        models.starting(generation, service.holder),
        service.metrics,
        lambda error: None if failed.done() else failed.set_exception(error),
        service.settings.alike,
    )
    try:
        await runner.run_on(broker)
        await _first_of(failed, _level(runner, report, wait=wait), _keep(lease))
        await switch(models, generation, lease)
    finally:
        await runner.stop()
        await broker.stop()


async def build_whole(service: Building) -> None:
    """Build a generation unless the live one is whole: after an older version that filled each projection by itself, and after a change of
    what projections handle. Of several processes one builds it, and the others wait."""
    progress = _Progress(service.name)
    while not await is_whole(service.read_models):
        progress.begin()
        try:
            await build(service, progress.report, wait=False)
        except BuiltElsewhere:
            await asyncio.sleep(RENEW)


async def wait_until_whole(service: Building) -> None:
    """Wait for a process that consumes, which builds a generation when the live one is not whole."""
    progress = _Progress(service.name)
    while not await is_whole(service.read_models):
        progress.begin()
        await asyncio.sleep(RENEW)


class _Progress:
    """The log of a build at the start of a service."""

    def __init__(self, service: str) -> None:
        self._service, self._begun, self._told = service, False, 0.0

    def begin(self) -> None:
        """Say once why the service is not ready yet."""
        if not self._begun:
            why = "what they handle has changed, or an older version filled each by itself"
            log.warning(
                "projections are built anew before the service is ready",
                extra={"service": self._service, "reason": why},
            )
        self._begun = True

    def report(self, read: int, there: int) -> None:
        """Say every few seconds how far it is."""
        now = asyncio.get_running_loop().time()
        if now - self._told > TELL:
            log.warning(
                "projections are built anew", extra={"service": self._service, "count": read, "reason": f"of {there}"}
            )
            self._told = now


async def _first_of(failed: asyncio.Future[None], *works: Coroutine[Any, Any, None]) -> None:
    """Return when one of these ends; raise its error."""
    tasks = [asyncio.create_task(each) for each in works]
    try:
        done, _ = await asyncio.wait([failed, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in tasks:
            each.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await each


async def _keep(lease: Lease) -> None:
    """Renew the lease until it is lost; while MongoDB is away, wait."""
    while True:
        await asyncio.sleep(RENEW)
        try:
            await lease.keep()
        except PyMongoError as error:
            if not is_transient(error):
                raise


async def _level(runner: ConsumerRunner, report: Report, *, wait: bool) -> None:
    """Wait until the runner, the only reader, has taken everything; with `wait`, also what is parked and tried again."""
    while True:
        read, there = await runner.level()
        report(read, there)
        # A topic that Kafka's metadata does not have yet would count as read to its end.
        if runner.holds_all() and read >= there and (not wait or await runner.caught_up()):
            return
        await asyncio.sleep(POLL)
