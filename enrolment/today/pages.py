"""The page on which an operator begins: who needs something today, and what other services say of it.

Invariant: it shows codes and no names, so that a look at it is no read of anybody's data; the sheet of a person shows the name.
"""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request, Response

from enrolment.today import queries, wording
from enrolment.today.queries import List, Wanted
from services.identity.auth import Role, Who, allowed
from services.web.frame import Frame, page_router
from services.web.frame.fragments import gather
from services.web.run import Reader, Reading

FRAME = Frame("enrolment.today")
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
FIRST = 20  # rows of each list on the page
ROWS = 50  # of a page of one list
MOST = 1_000  # people that are counted


async def _listed(read: Reading, wanted: Wanted, page: int, rows: int) -> dict[str, Any]:
    """Some rows of a list, and the number of all, up to MOST."""
    total = await read.count("desk", dict(wanted.where), MOST)
    found = await read.page("desk", dict(wanted.where), wanted.order, (page - 1) * rows, rows) if total else []
    shown = [{**row, "since": row[wanted.since]} for row in found if "worker" in row]
    return {"rows": shown, "total": total}


@router.get("/oggi")
async def today(
    request: Request,
    read: Reader,
    who: Operator,
    elenco: Annotated[List | None, Query(description="one list alone, in pages")] = None,
    pagina: PageNumber = 1,
) -> Response:
    """People who need something today: the first of each list, with its total, and what grouping, sessions and notifications say."""
    now = datetime.now(UTC)
    wanted = queries.wanted(read.rules, now)
    if elenco is not None:
        return await _one(elenco, wanted[elenco], request, read, who, pagina)
    booked = await read.count("desk", dict(queries.BOOKED), MOST)
    lists = {each: await _listed(read, found, 1, FIRST) for each, found in wanted.items()}
    parts = await gather(
        request,
        duplicates="/enrolment/frammenti/doppioni",
        groups="/grouping/frammenti/oggi",
        meetings="/sessions/frammenti/oggi",
        messages="/notifications/frammenti/oggi",
        questionnaires="/sessions/frammenti/questionari",
        requests="/enrolment/frammenti/richieste-senza-risposta",
        complaints="/enrolment/frammenti/reclami-aperti",
    )
    return FRAME.page(
        request, "today/today.html", who=who, rules=read.rules, lists=lists, about=wording.ABOUT, refused=wording.REFUSED,
        most=MOST, first=FIRST, parts_of=parts, now=now, booked=booked,
    )  # fmt: skip


async def _one(name: List, wanted: Wanted, request: Request, read: Reading, who: Who, page: int) -> Response:
    """One of the lists, whole, in pages."""
    listed = await _listed(read, wanted, page, ROWS)
    return FRAME.page(
        request, "today/list.html", who=who, rules=read.rules, name=name, listed=listed, about=wording.ABOUT[name],
        refused=wording.REFUSED, most=MOST, page=page, pages=max(1, ceil(listed["total"] / ROWS)),
    )  # fmt: skip
