"""Rebuild of all projections of a service beside the live ones, while the service runs.

Invariant: readers see the old generation until the new one has taken every record that was there, then the new one, and never a part of it.
"""

from collections.abc import Callable

from services.runtime.building import BuiltElsewhere, build
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.collections import prepare


async def rebuild(service: Service, report: Callable[[int, int], None]) -> int:
    """Rebuild the projections from the first event. `report(read, expected)` is called with numbers of records. Returns the new generation.

    The service need not run; when it does, it reads the new generation within a second. Misconfigured when it has no projection, or when
    another process rebuilds them.
    """
    if not service.read_models.projections:
        raise Misconfigured(f"{service.name} has no projection.")
    # The service need not run, or have run: its collections may be missing.
    await prepare(service.store, service.aggregates)
    try:
        return await build(service, report, wait=True)
    except BuiltElsewhere as error:
        raise Misconfigured(
            f"{service.name} is being rebuilt already, by {error.who}: wait until it is done."
        ) from error
