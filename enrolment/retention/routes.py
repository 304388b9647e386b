"""Routes of the retention: what a run would do now, and a run."""

from typing import Annotated, cast

from fastapi import APIRouter, Request

from enrolment.retention.running import RetentionReport, retained
from services.identity.auth import Role, Who, allowed
from services.runtime.service import Service
from services.store.clock import now_utc

router = APIRouter()
Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]


@router.get("/retention")
async def due(request: Request, who: Administrator) -> RetentionReport:
    """Whose data are not needed any more, by code. Nobody is erased."""
    return await _run(request, who, dry=True)


@router.post("/retention")
async def run(request: Request, who: Administrator) -> RetentionReport:
    """Erase everybody whose data are not needed any more, and say whom, by code."""
    return await _run(request, who, dry=False)


async def _run(request: Request, who: Who, *, dry: bool) -> RetentionReport:
    service = cast("Service", request.app.state.service)
    return await retained(service, service.rules[who.programme], now_utc(), dry=dry)
