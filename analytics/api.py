"""Routes of analytics. True counts go only to operators and administrators; outsiders get frozen releases."""

from typing import Annotated

from fastapi import APIRouter

from analytics.indicators import Facts, Indicators, indicators
from services.identity.auth import Role, Who, allowed
from services.web.run import Reader

router = APIRouter()


@router.get("/indicators")
async def read_indicators(
    read: Reader, who: Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM_OPERATOR)]
) -> Indicators:
    """Read the indicators of the programme, computed from events alone. The same rows give the same bytes."""
    facts = Facts(
        path=await read.rows("path"),
        meetings=await read.rows("meetings"),
        attendance=await read.rows("attendance"),
        scores=await read.rows("scores"),
    )
    return indicators(facts, read.rules)
