"""The page on which an operator begins: who needs something today, and what other services say of it.

Invariant: it shows codes and no names, so that a look at it is no read of anybody's data; the sheet of a person shows the name.
"""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request, Response

from enrolment.queries import code_of
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
async def today(request: Request, read: Reader, who: Operator) -> Response:
    """Who needs something today: the first of each list, with its total, and what grouping, sessions and notifications say."""
    lists = {
        each: await _listed(read, wanted, 1, FIRST)
        for each, wanted in queries.wanted(read.rules, datetime.now(UTC)).items()
    }
    parts = await gather(
        request,
        groups="/grouping/frammenti/oggi",
        meetings="/sessions/frammenti/oggi",
        messages="/notifications/frammenti/oggi",
    )
    return FRAME.page(
        request, "today/today.html", who=who, rules=read.rules, lists=lists, about=wording.ABOUT, refused=wording.REFUSED,
        code_of=code_of, most=MOST, first=FIRST, parts_of=parts, now=datetime.now(UTC),
    )  # fmt: skip


@router.get("/oggi/{name}")
async def one_list(name: List, request: Request, read: Reader, who: Operator, pagina: PageNumber = 1) -> Response:
    """One of the lists of today, whole, in pages."""
    wanted = queries.wanted(read.rules, datetime.now(UTC))[name]
    listed = await _listed(read, wanted, pagina, ROWS)
    return FRAME.page(
        request, "today/list.html", who=who, rules=read.rules, name=name, listed=listed, about=wording.ABOUT[name],
        refused=wording.REFUSED, code_of=code_of, most=MOST, page=pagina, pages=max(1, ceil(listed["total"] / ROWS)),
    )  # fmt: skip
