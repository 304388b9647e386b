"""Pages of the groups: the list, one group with its members, somebody who joins, the end of a group."""

import math
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from grouping.membership import commands as do
from grouping.membership import lists
from grouping.membership.queries import Sheet, could_join, open_group
from grouping.refusals import OBSTACLES, SENTENCES
from services.contracts.base import Id
from services.contracts.grouping import Ending
from services.identity.auth import Role, Who, allowed
from services.kernel import Refused, Unavailable
from services.web import Day
from services.web.frame import Field, Filled, Form, Frame, Kind, page_router
from services.web.frame.fragments import gather, gather_json
from services.web.frame.texts import N_
from services.web.run import Reader, Run, Runner

FRAME = Frame("grouping", "grouping.membership", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
CANDIDATES = 20  # people who have waited longest, whose profiles are compared with the group
LATER = N_("The service does not answer at this moment. Nothing was saved; what you wrote is still here: try again shortly.")
ENDINGS = {  # without `completed`, which is told by the calendar
    Ending.TOO_FEW: N_("too few people are left"),
    Ending.NO_FACILITATOR: N_("nobody can facilitate it"),
    Ending.NO_PLACE: N_("there is no place for it"),
    Ending.AGREED: N_("the group has decided so"),
    Ending.OTHER: N_("another reason"),
}
REASONS = {Ending.COMPLETED: N_("all meetings were held"), **ENDINGS}


@router.get("/gruppi")
async def groups(
    request: Request, read: Reader, who: Operator, concluse: bool = False, pagina: PageNumber = 1
) -> Response:
    """List the groups that meet, or the concluded ones, with their next meeting as sessions tells it."""
    listed = lists.groups_concluded if concluse else lists.groups_that_meet
    page = await listed(read, pagina)
    ids = [each["group"] for each in page.rows]
    coming = None
    if ids and not concluse:
        coming = (await gather_json(request, next=f"/sessions/groups/next-meetings?groups={','.join(ids)}"))["next"]
    shown = {
        "concluded": concluse,
        "rows": page.rows,
        "total": page.total,
        "page": pagina,
        "pages": max(1, math.ceil(page.total / lists.PAGE)),
        "places": await lists.named(read, "places", [each["place"] for each in page.rows]),
        "coming": _moments(coming),
        "reasons": REASONS,
    }
    return FRAME.page(request, "membership/groups.html", who=who, rules=read.rules, **shown)


def _moments(coming: Any) -> dict[str, Any] | None:
    """The next meeting of each group with its time as a time; None when sessions did not answer."""
    if not isinstance(coming, dict):
        return None
    return {group: {**each, "starts": datetime.fromisoformat(each["starts"])} for group, each in coming.items()}


@router.get("/gruppi/{group}")
async def group_sheet(
    group: Id, request: Request, run: Run, read: Reader, who: Operator, fatto: Annotated[str | None, Query(pattern=DONE)] = None
) -> Response:
    """Show a group with its members, by code. The read is in their access logs. 404 no-such-group."""
    sheet = await run.query(open_group, group)
    parts = await gather(request, next=f"/sessions/frammenti/prossimo?group={group}")
    places = await lists.named(read, "places", [sheet.place])
    shown = {"sheet": sheet, "parts": parts, "places": places, "done": fatto}
    return FRAME.page(request, "membership/group.html", who=who, rules=read.rules, **shown)


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
    shown = {
        "sheet": sheet,
        "found": await run.query(could_join, group, ids, today),
        "since": {each["worker"]: each["waits"] for each in waiting.rows},
        "total": waiting.total,
        "obstacles": OBSTACLES,
        "places": await lists.named(read, "places", [sheet.place]),
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
    status = await _done(run.once(filled.key), do.join, command, filled)
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
    shown = {"sheet": sheet, "form": filled, "checks": checks, "day": _day(filled.typed.get("since"))}
    places = await lists.named(read, "places", [sheet.place])
    return FRAME.page(
        request, "membership/join.html", who=who, rules=read.rules, status=status, places=places, **shown
    )


def _written(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


class Conclusion(BaseModel):
    """Why a group meets no more."""

    reason: Ending


CONCLUSION = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field("reason", N_("Why does the group end?"), Kind.RADIOS, options={each.value: text for each, text in ENDINGS.items()}),
)


@router.get("/gruppi/{group}/conclusione")
async def concluding(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show what the end of a group means, and ask for the reason. 404 no-such-group."""
    sheet = await run.query(open_group, group)
    return await _concluding(request, read, who, sheet, CONCLUSION.empty(seen=str(sheet.version)))


@router.post("/gruppi/{group}/conclusione")
async def conclude(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """End a group. 404 no-such-group · 409 concluded, out-of-order · 412 changed-meanwhile, above the form."""
    sheet = await run.query(open_group, group)
    filled = await CONCLUSION.filled(request)
    body = filled.checked(Conclusion)
    if body is None:
        return await _concluding(request, read, who, sheet, filled)
    seen = filled.values["seen"]
    command = do.Conclude(group=group, reason=body.reason, seen=int(seen) if seen.isdecimal() and len(seen) < 10 else 0)
    status = await _done(run.once(filled.key), do.conclude, command, filled)
    if status is not None:
        filled.values["seen"] = str(sheet.version)
        return await _concluding(request, read, who, sheet, filled, status)
    return RedirectResponse(f"/gruppi/{group}?fatto=conclusione", 303)


async def _concluding(
    request: Request, read: Reader, who: Who, sheet: Sheet, filled: Filled, status: int = 200
) -> Response:
    shown = {"sheet": sheet, "form": filled, "today": read.rules.day_of(datetime.now(UTC))}
    places = await lists.named(read, "places", [sheet.place])
    return FRAME.page(
        request, "membership/conclude.html", who=who, rules=read.rules, status=status, places=places, **shown
    )


async def _done(run: Runner, handler: Any, command: Any, filled: Filled) -> int | None:
    """Run a command. A refusal, or an engine that is away, is put above the form: returns the status of that page, None when it is done.
    Refused for what no page can say."""
    try:
        await run(handler, command)
    except Unavailable:
        filled.errors[""] = LATER
        return 503
    except Refused as refused:
        if refused.code not in SENTENCES:
            raise
        filled.refuse(refused)
        return STATUS[refused.kind]
    return None
