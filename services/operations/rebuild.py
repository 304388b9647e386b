"""Rebuild of a projection beside the live one, by a consumer of its own, while the service runs.

Invariant: readers see the old generation until the new one has taken every record that was there, then the new one, and never a part of it.
"""

import asyncio
from collections.abc import Callable

from services.contracts import catalogue
from services.contracts.enrolment import WorkerErased
from services.events.inbox.projections import consumer_of, level
from services.events.inbox.runner import ConsumerRunner
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.collections import prepare


async def rebuild(service: Service, projection: str, report: Callable[[int, int], None]) -> int:
    """Rebuild a projection from the first event. `report(read, expected)` is called with numbers of records. Returns the new generation.

    The service need not run; when it does, it reads the new generation within a second. Misconfigured for an unknown projection.
    """
    if projection not in service.read_models.projections:
        known = ", ".join(service.read_models.projections) or "none"
        raise Misconfigured(f"{service.name} has no projection {projection}; it has: {known}.")
    # The service need not run, or have run: its collections may be missing.
    await prepare(service.store, service.aggregates)
    before = await service.read_models.live(projection)
    generation = await service.read_models.begin(projection)
    broker = service.bus.broker()
    await broker.start()
    # The consumer runs in tasks of the broker, so its failure reaches this function by a call alone.
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Erasures delete rows of every projection, so each rebuild takes them, whatever the projection handles.
    topics = {
        catalogue()[kind].topic for kind in [*service.read_models.projections[projection].handlers(), WorkerErased.type]
    }
    runner = ConsumerRunner(
        consumer_of(projection, generation),
        sorted(topics),
        service.store,
        service.bus,
        service.read_models.starting(projection, generation, service.holder),
        service.metrics,
        lambda error: None if failed.done() else failed.set_exception(error),
        service.settings.alike,
    )
    try:
        await runner.run_on(broker)
        caught_up = asyncio.ensure_future(level(runner, report))
        await asyncio.wait([caught_up, failed], return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
        await service.read_models.flip(projection, generation)
    finally:
        await runner.stop()
        await broker.stop()
    # After the flip, since until then queries read this generation.
    await service.read_models.discard(projection, before)
    return generation
