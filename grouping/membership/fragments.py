"""Fragments for pages of other rooms: what of grouping needs an operator today, and the seat of one person."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from grouping.membership import lists
from grouping.membership.pages import FRAME, Operator
from grouping.reading import dated, named
from services.contracts.base import Id
from services.web.frame import page_router
from services.web.run import Reader

router = page_router(FRAME)
FIRST = 5  # rows of a list on the page of another room


@router.get("/frammenti/oggi")
async def today(request: Request, read: Reader, who: Operator) -> Response:
    """Show the groups below the minimum, and who has waited for long: the first ones, and the number of all."""
    small = await lists.groups_too_small(read, read.rules.sizes.min, FIRST)
    waiting = await lists.waiting_longest(read, FIRST, datetime.now(UTC) - lists.LONG)
    await read.note_accesses([each["worker"] for each in waiting.rows], "today")
    shown: dict[str, Any] = {
        "small": small,
        "waiting": waiting,
        "days": lists.LONG.days,
        "places": await named(read, "places", [each["place"] for each in small.rows]),
    }
    return FRAME.part(request, "membership/today.html", who=who, rules=read.rules, **shown)


@router.get("/frammenti/posto")
async def seat(worker: Id, request: Request, read: Reader, who: Operator) -> Response:
    """Show the seat of a person, or that they wait for one. The read is in their access log."""
    await read.note_accesses([worker], "seat")
    found = (await lists.seats_of(read, [worker])).get(worker)
    group = (await named(read, "group_list", [found["group"]])).get(found["group"]) if found else None
    shown: dict[str, Any] = {
        "worker": worker,
        "seat": found,
        "group": dated(group) if group else None,
        "places": await named(read, "places", [group["place"]]) if group and "place" in group else {},
        "waits": None if found else (await read.row("waiting", worker) or {}).get("waits"),
    }
    return FRAME.part(request, "membership/seat.html", who=who, rules=read.rules, **shown)
