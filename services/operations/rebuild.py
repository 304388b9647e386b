"""A projection built anew beside the live one, as a consumer of its own, while the service goes on.

Invariant: readers see the old generation until the new one has taken everything that was there, then the new one; never a part of it.
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
    """Rebuild it from the first event; `report(read, there)` tells progress in records. Returns the generation that is read now.

    The service need not run; when it does, it follows the pointer within a second.
    """
    if projection not in service.read_models.projections:
        known = ", ".join(service.read_models.projections) or "none"
        raise Misconfigured(f"{service.name} has no projection {projection}; it has: {known}.")
    await prepare(service.store, service.aggregates)
    before = await service.read_models.live(projection)
    generation = await service.read_models.begin(projection)
    broker = service.bus.broker()
    await broker.start()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
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
        levelling = asyncio.ensure_future(level(runner, report))
        await asyncio.wait([levelling, failed], return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
        await service.read_models.flip(projection, generation)
    finally:
        await runner.stop()
        await broker.stop()
    await service.read_models.discard(projection, before)
    return generation
