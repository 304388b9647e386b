"""The page on which an operator changes the facilitator of a group: who and from when, then what it means, with the way back first."""

from datetime import UTC, date, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from grouping.acting import done, version_in
from grouping.membership import commands as do
from grouping.membership.pages import FRAME, Operator
from grouping.membership.queries import Sheet, could_lead, open_group
from grouping.reading import named
from grouping.refusals import UNABLE
from services.contracts.base import Id, Slug
from services.contracts.leading import leader_on
from services.identity.auth import Who
from services.kernel import Refusal, Refused
from services.web import Day
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.fragments import gather
from services.web.frame.texts import N_
from services.web.run import Reader, Run, Runner

router = page_router(FRAME)
MOST = 100  # facilitators to choose from


class Change(BaseModel):
    """The facilitator of a group from a day on."""

    facilitator: Slug
    since: Day


CHANGE = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field("facilitator", N_("Who is to facilitate the group?"), Kind.RADIOS),
    Field("since", N_("From which day on?"), Kind.DAY, hint=N_("Today or later, such as 27/3/2027")),
)
AT = {"no-such-facilitator": "facilitator", "facilitator-not-free": "facilitator", "facilitator-full": "facilitator",
      "out-of-reach": "facilitator", "leads-already": "facilitator", "out-of-order": "since"}  # fmt: skip


@router.get("/gruppi/{group}/facilitatore")
async def choosing(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Ask who is to lead a group, and from when. 404 no-such-group."""
    sheet = await run.query(open_group, group)
    today = read.rules.day_of(datetime.now(UTC))
    since = max(today, sheet.first)
    filled = CHANGE.empty(seen=str(sheet.version), since=f"{since.day}/{since.month}/{since.year}")
    return await _asked(request, run, read, who, sheet, filled)


@router.post("/gruppi/{group}/facilitatore")
async def entrust(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show what the change means, then make it. 404 no-such-group · 409 concluded, out-of-order, leads-already, facilitator-not-free,
    facilitator-full, out-of-reach · 412 changed-meanwhile, above the form."""
    sheet = await run.query(open_group, group)
    filled = await CHANGE.filled(request)
    body = filled.checked(Change)
    if body is None or filled.step == "change":
        return await _asked(request, run, read, who, sheet, filled)
    if filled.step == "check":
        await _check(run, sheet, body, filled, read.rules.day_of(datetime.now(UTC)))
        if filled.errors:
            return await _asked(request, run, read, who, sheet, filled, 409)
        return await _meaning(request, read, who, sheet, filled, body)
    command = do.Entrust(group=group, seen=version_in(filled), **body.model_dump())
    status = (await done(run.once(filled.key), do.entrust, command, filled, AT)).status
    if status is not None:
        filled.values["seen"] = str(sheet.version)
        return await _asked(request, run, read, who, sheet, filled, status)
    return RedirectResponse(f"/gruppi/{group}?fatto=facilitatore", 303)


async def _check(run: Runner, sheet: Sheet, body: Change, filled: Filled, today: date) -> None:
    """Say before the confirmation what the command would refuse."""
    newest = sheet.leads[-1].since
    if body.since < today or max(body.since, sheet.first) < newest or body.since > sheet.last:
        filled.refuse(Refused("out-of-order", "This day is past, or not one of the group."), "since")
        return
    known = await run.query(could_lead, sheet.group, [body.facilitator], body.since)
    code = known.get(body.facilitator, "no-such-facilitator")
    if code is not None:
        filled.refuse(Refused(code, "This facilitator cannot lead the group.", Refusal.CONFLICT), "facilitator")


async def _asked(
    request: Request, run: Runner, read: Reader, who: Who, sheet: Sheet, filled: Filled, status: int = 200
) -> Response:
    shown: dict[str, Any] = {"unable": [], "unable_because": UNABLE}
    if sheet.meets:
        order = [("facilitator", 1)]
        ids = [each["facilitator"] for each in await read.page("facilitators", {}, order=order, limit=MOST)]
        found = await run.query(could_lead, sheet.group, ids, read.rules.day_of(datetime.now(UTC)))
        # Who is not free today may be so on the day that was typed: what was chosen is offered again.
        able = [id for id, code in found.items() if code is None or id == filled.values["facilitator"]]
        filled.offer("facilitator", {each: each for each in able})
        shown["unable"] = [(id, code) for id, code in found.items() if id not in able]
    return await _page(request, read, who, sheet, filled, "membership/entrust.html", status, **shown)


async def _meaning(request: Request, read: Reader, who: Who, sheet: Sheet, filled: Filled, body: Change) -> Response:
    since = max(body.since, sheet.first)
    parts = await gather(request, next=f"/sessions/frammenti/prossimo?group={sheet.group}")
    shown: dict[str, Any] = {
        "since": since,
        "comer": body.facilitator,
        "goer": leader_on(sheet.leads, since) or sheet.facilitator,
        "at_once": since <= read.rules.day_of(datetime.now(UTC)),
        "parts_of": parts,
    }
    return await _page(request, read, who, sheet, filled, "membership/entrust_check.html", 200, **shown)


async def _page(
    request: Request, read: Reader, who: Who, sheet: Sheet, filled: Filled, template: str, status: int, **shown: Any
) -> Response:
    places = await named(read, "places", [sheet.place])
    given: dict[str, Any] = {"sheet": sheet, "form": filled, "places": places, **shown}
    return FRAME.page(request, template, who=who, rules=read.rules, status=status, **given)
