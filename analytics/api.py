"""Routes of analytics. True counts go only to operators and administrators; outsiders get frozen releases. Means of scores follow one rule
for every role (`disclosure`).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from analytics.cells import Cells
from analytics.indicators import Facts, Indicators, first_due, indicators, scored
from services.contracts.enrolment import Purpose
from services.identity.auth import Role, Who, allowed
from services.web.run import Reader, Reading


def router(cells: Cells) -> APIRouter:
    """Return the routes, which show means by these cells."""
    made = APIRouter()

    @made.get("/indicators")
    async def read_indicators(
        request: Request,
        read: Reader,
        who: Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM_OPERATOR)],
        scores: Annotated[bool, Query(description="false: without `means`, for whoever asks often")] = True,
    ) -> Indicators:
        """Read the indicators of the programme, computed from events alone. The same rows give the same bytes, but for `means`: a mean
        that could tell how somebody answered is not shown, or keeps the value that was shown last."""
        facts = await facts_of(read)
        store = request.app.state.service.store
        means = await cells.show(store, read.rules, scored(facts), first_due(facts)) if scores else None
        return indicators(facts, read.rules, means)

    return made


async def facts_of(read: Reading) -> Facts:
    """Read the rows behind the indicators of the caller's programme."""
    return Facts(
        consenting=await read.consenting(Purpose.RESEARCH),
        path=await read.rows("path"),
        meetings=await read.rows("meetings"),
        attendance=await read.rows("attendance"),
        scores=await read.rows("scores"),
    )
