"""The agenda of welcome interviews for operators: today and the next days, and those past without a result."""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated

from fastapi import Query, Request, Response

from enrolment.agenda import queries
from enrolment.agenda.queries import View
from services.identity.auth import Role, Who, allowed
from services.web.frame import Frame, page_router
from services.web.run import Reader, Run

FRAME = Frame("enrolment.agenda")
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
ROWS = 50  # of a page
MOST = 1_000  # interviews that are counted


@router.get("/colloqui")
async def agenda(
    request: Request,
    run: Run,
    read: Reader,
    who: Operator,
    elenco: Annotated[View, Query(description="from today on, or past without a result")] = View.COMING,
    pagina: PageNumber = 1,
) -> Response:
    """Booked welcome interviews by day and hour, with names. Whoever is shown has it in their log of accesses."""
    now = datetime.now(UTC)
    today, where = read.rules.day_of(now), queries.filters(read.rules, now)
    totals = {view: await read.count("desk", dict(found), MOST) for view, found in where.items()}
    pages = max(1, ceil(totals[elenco] / ROWS))
    page = min(pagina, pages)
    rows = await read.page("desk", dict(where[elenco]), queries.ORDER, (page - 1) * ROWS, ROWS)
    booked = await run.query(queries.read_booked, [each["worker"] for each in rows if "worker" in each])
    days = queries.by_day(booked, read.rules)
    if elenco is View.COMING and page == 1:
        days = queries.from_today(days, today)
    return FRAME.page(
        request, "agenda/agenda.html", who=who, rules=read.rules, view=elenco, days=days, totals=totals, today=today,
        tomorrow=queries.tomorrow(today), page=page, pages=pages, most=MOST,
    )  # fmt: skip
