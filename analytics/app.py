"""Composition of analytics."""

from analytics import api
from analytics.cells import Cells
from analytics.projections import Attendance, Meetings, Path, Scores
from services.contracts.topics import KEYS
from services.operations.erasures import erase_restored
from services.runtime.service import Service
from services.settings import Settings
from services.vault import ServiceKeys
from services.vault.keyring import service_holder


def build(settings: Settings) -> Service:
    """Build the service. Misconfigured when its keys or programmes cannot be read."""
    return Service(
        "analytics",
        settings,
        holder=service_holder("analytics", settings.keys),
        routes=[api.router(Cells(ServiceKeys.load(settings.keys, "analytics").secret("cells")))],
        projections=[Path(), Meetings(), Attendance(), Scores()],
        tables=[KEYS],
        after_restore=[erase_restored],
    )
