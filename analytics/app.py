"""Composition of analytics."""

from analytics import api, pages
from analytics.cells import Cells
from analytics.projections import Attendance, Complaints, Meetings, Path, Paths, Places, Scores
from services.contracts.topics import KEYS
from services.events.delivery.declare import Gate
from services.operations.erasures import erase_restored
from services.runtime.service import Service
from services.settings import Settings
from services.vault import ServiceKeys
from services.vault.keyring import service_holder


def build(settings: Settings) -> Service:
    """Build the service. Misconfigured when its keys or programmes cannot be read."""
    cells = Cells(ServiceKeys.load(settings.keys, "analytics").secret("cells"))

    async def begin_cells(service: Service) -> None:
        await cells.begin(service.store)

    return Service(
        "analytics",
        settings,
        holder=service_holder("analytics", settings.keys),
        routes=[api.router(cells), pages.router()],
        gate=Gate(holdings=[cells]),
        projections=[Path(), Meetings(), Places(), Attendance(), Scores(), Paths(), Complaints()],
        tables=[KEYS],
        after_restore=[erase_restored],
        at_start=[begin_cells],
    )
