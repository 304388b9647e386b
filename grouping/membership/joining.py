"""Pages about somebody who joins a group that meets: who could, which groups one person could join, and the seat itself."""

from datetime import UTC, date, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from grouping.acting import done
from grouping.membership import commands as do
from grouping.membership import lists
from grouping.membership.pages import FRAME, Operator
from grouping.membership.queries import Sheet, could_join, could_sit, open_group
from grouping.reading import named
from grouping.refusals import OBSTACLES
from services.contracts.base import Id
from services.identity.auth import Who
from services.web import Day
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run

router = page_router(FRAME)
GROUPS = 30  # groups with room that are compared with somebody who waits, the smallest first
CANDIDATES = 20  # people who have waited longest, whose profiles are compared with the group


@router.get("/gruppi/posti/{worker}")
async def seats_for(worker: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show the groups with room that somebody who waits could join. The read is in the access logs. 404 no-such-seeker."""
    page = await lists.groups_too_small(read, read.rules.sizes.max, GROUPS)
    rows = {each["group"]: each for each in page.rows}
    today = read.rules.day_of(datetime.now(UTC))
    shown: dict[str, Any] = {
        "worker": worker,
        "found": await run.query(could_sit, worker, list(rows), today),
        "rows": rows,
        "total": page.total,
        "obstacles": OBSTACLES,
        "places": await named(read, "places", [each["place"] for each in page.rows]),
    }
    return FRAME.page(request, "membership/seats.html", who=who, rules=read.rules, **shown)


class Since(BaseModel):
    """From when somebody has a seat."""

    since: Day


JOINING = Form(
    Field("worker", N_("Person"), Kind.HIDDEN),
    Field(
        "since",
        N_("From which day"),
        Kind.DAY,
        hint=N_("For example 27/3/2026. Not before the first meeting of the group."),
        why=N_("from this day on the person is on the roll-call"),
    ),
)


@router.get("/gruppi/{group}/entrate")
async def joining(
    group: Id, request: Request, run: Run, read: Reader, who: Operator, persona: Id | None = None
) -> Response:
    """Show who of those that wait longest could join; with `persona`, the form for this person. 404 no-such-group · 409 concluded."""
    sheet = await run.query(open_group, group)
    today = read.rules.day_of(datetime.now(UTC))
    if persona is not None:
        filled = JOINING.empty(worker=persona, since=_written(max(today, sheet.first)))
        return await _joining(request, read, who, sheet, filled)
    waiting = await lists.waiting_longest(read, CANDIDATES)
    ids = [each["worker"] for each in waiting.rows]
    shown: dict[str, Any] = {
        "sheet": sheet,
        "found": await run.query(could_join, group, ids, today),
        "since": {each["worker"]: each["waits"] for each in waiting.rows},
        "total": waiting.total,
        "obstacles": OBSTACLES,
        "places": await named(read, "places", [sheet.place]),
    }
    return FRAME.page(request, "membership/candidates.html", who=who, rules=read.rules, **shown)


@router.post("/gruppi/{group}/entrate")
async def join(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Give somebody a seat, after a look at what will be done. 404 no-such-group · refusals of the command above the form."""
    sheet = await run.query(open_group, group)
    filled = await JOINING.filled(request)
    body = filled.checked(Since)
    if body is None or filled.step != "done":
        checks = body is not None and filled.step == "check"
        return await _joining(request, read, who, sheet, filled, checks=checks)
    command = do.Join(group=group, worker=filled.values["worker"], since=body.since)
    status = (await done(run.once(filled.key), do.join, command, filled)).status
    if status is not None:
        return await _joining(request, read, who, sheet, filled, status=status)
    return RedirectResponse(f"/gruppi/{group}?fatto=entrata", 303)


async def _joining(
    request: Request,
    read: Reader,
    who: Who,
    sheet: Sheet,
    filled: Filled,
    *,
    checks: bool = False,
    status: int = 200,
) -> Response:
    shown: dict[str, Any] = {"sheet": sheet, "form": filled, "checks": checks, "day": _day(filled.typed.get("since"))}
    places = await named(read, "places", [sheet.place])
    return FRAME.page(request, "membership/join.html", who=who, rules=read.rules, status=status, places=places, **shown)


def _written(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
