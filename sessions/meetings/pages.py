"""Pages of a facilitator's groups and roll-calls, and of an operator's lists of meetings."""

import math
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from services.contracts.base import Id
from services.contracts.leading import Lead, leader_on, may_see
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, Unavailable
from services.programmes import Programme
from services.web import Moment
from services.web.frame import Filled, Frame, page_router
from services.web.frame.fragments import gather_json
from services.web.frame.texts import N_
from services.web.run import Reader, Run, Runner
from sessions import commands as do
from sessions.meetings import lists, roll
from sessions.meetings.lists import View
from sessions.meetings.queries import Sheet, open_sheet
from sessions.meetings.refusals import SENTENCES
from sessions.meetings.wording import CANCELLING

FRAME = Frame("sessions.meetings", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Facilitator = Annotated[Who, allowed(Role.FACILITATOR, own={Role.FACILITATOR: "the groups that they lead"})]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
DONE = "^(spostato|annullato|aggiunto)$"  # what was just done, by which a page says so
ABOVE_THE_FORM = {"not-yet-held": 409, "not-a-member": 422, "out-of-order": 409, "changed-meanwhile": 412}
LATER = N_(
    "The service does not answer at this moment. Nothing was saved; your marks are still here: try again shortly."
)


@router.get("/gruppo")
async def my_groups(request: Request, read: Reader, who: Facilitator) -> Response:
    """Show the groups that a facilitator leads, each with its next meeting, missing roll-calls and dates."""
    now = datetime.now(UTC)
    today = read.rules.day_of(now)
    led = await lists.led_by_them(read, who.subject, today)
    ids = [each["group"] for each, _ in led]
    meetings = await lists.meetings_of(read, ids, cancelled=True) if led else {}
    places = await lists.places_named(
        read, {*(each["place"] for each, _ in led), *(each["place"] for some in meetings.values() for each in some)}
    )
    groups = [_group(each, leads, meetings[each["group"]], now, who.subject, read.rules) for each, leads in led]
    return FRAME.page(request, "meetings/mine.html", who=who, rules=read.rules, groups=groups, places=places)


def _group(
    led: dict[str, Any], leads: list[Lead], meetings: list[dict[str, Any]], now: datetime, me: str, rules: Programme
) -> dict[str, Any]:
    """A group as the page shows it, with the meetings that its facilitator may see. A meeting that began today is called at once: it is
    missing, and no more to come. `from` and `until`: the days from which they lead it, and another one does, if these are to come."""
    today = rules.day_of(now)
    own = [each for each in meetings if may_see(leads, me, rules.day_of(each["starts"]), today)]
    ahead = [each for each in own if each["state"] == "open"]
    return {
        **led,
        "meetings": own,
        "all": sum(each["state"] != "cancelled" for each in meetings),
        "from": None if leader_on(leads, today) == me else _change(leads, today),
        "until": _change(leads, today) if leader_on(leads, today) == me else None,
        "missing": [each for each in ahead if each["starts"] <= now],
        "next": next((each for each in ahead if each["starts"] > now), None),
    }


def _change(leads: list[Lead], today: date) -> date | None:
    return min((each.since for each in leads if each.since > today), default=None)


@router.get("/gruppo/incontri/{session}")
async def my_roll(
    session: Id, request: Request, run: Run, read: Reader, who: Facilitator, salvate: Moment | None = None
) -> Response:
    """Show the roll of a meeting of the facilitator's own group. 404 no-such-session."""
    return await _shown(request, run, read, who, session, salvate)


@router.post("/gruppo/incontri/{session}")
async def call_my_roll(session: Id, request: Request, run: Run, read: Reader, who: Facilitator) -> Response:
    """Record the roll. 404 no-such-session · 409 not-yet-held, out-of-order · 412 changed-meanwhile · 422 when somebody is unmarked."""
    return await _called(request, run, read, who, session)


@router.get("/incontri")
async def meetings(
    request: Request,
    read: Reader,
    who: Operator,
    vista: View | None = None,
    gruppo: Id | None = None,
    pagina: PageNumber = 1,
    fatto: Annotated[str | None, Query(pattern=DONE)] = None,
) -> Response:
    """List the meetings: those without a roll first, else the coming ones; or those of one group. 404 no-such-group."""
    if gruppo is not None:
        return await _of_one_group(request, read, who, gruppo, fatto)
    now = datetime.now(UTC)
    counts = {each: await lists.count_of(read, each, now) for each in View}
    view = vista or (View.MISSING if counts[View.MISSING] else View.COMING)
    page = await lists.meetings_in(read, view, now, pagina)
    shown: dict[str, Any] = {
        "view": view,
        "counts": counts,
        "rows": page.rows,
        "page": pagina,
        "pages": max(1, math.ceil(page.total / lists.PAGE)),
        "groups": await lists.groups_named(read, [each["group"] for each in page.rows]),
        "places": await lists.places_named(read, [each["place"] for each in page.rows]),
    }
    return FRAME.page(request, "meetings/all.html", who=who, rules=read.rules, **shown)


async def _of_one_group(request: Request, read: Reader, who: Who, group: str, done: str | None) -> Response:
    led = (await lists.groups_named(read, [group])).get(group)
    if led is None:
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    shown: dict[str, Any] = {
        "group": led,
        "rows": (rows := (await lists.meetings_of(read, [group], cancelled=True))[group]),
        "left": read.rules.meetings - sum(each["state"] != "cancelled" for each in rows),
        "places": await lists.places_named(read, {led["place"], *(each["place"] for each in rows)}),
        "reasons": CANCELLING,
        "done": done,
        "now": datetime.now(UTC),
    }
    return FRAME.page(request, "meetings/of_group.html", who=who, rules=read.rules, **shown)


@router.get("/incontri/{session}")
async def one_meeting(
    session: Id, request: Request, run: Run, read: Reader, who: Operator, salvate: Moment | None = None
) -> Response:
    """Show the roll of a meeting to an operator. 404 no-such-session."""
    return await _shown(request, run, read, who, session, salvate)


@router.post("/incontri/{session}")
async def call_one(session: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Record the roll as an operator. 404 no-such-session · 409 not-yet-held, out-of-order · 412 changed-meanwhile · 422 unmarked."""
    return await _called(request, run, read, who, session)


def _facilitator(who: Who) -> str | None:
    return who.subject if who.role is Role.FACILITATOR else None


async def _names(request: Request, sheet: Sheet) -> dict[str, str] | None:
    """The members' names, which enrolment alone has; None when it does not answer: then the roll is called by code."""
    address = f"/enrolment/groups/{sheet.group}/names?on={sheet.day.isoformat()}"
    found = (await gather_json(request, names=address))["names"]
    return {each: str(name) for each, name in found.items()} if isinstance(found, dict) else None


async def _shown(
    request: Request, run: Runner, read: Reader, who: Who, session: str, saved: datetime | None
) -> Response:
    sheet = await run.query(open_sheet, session, _facilitator(who))
    names = await _names(request, sheet)
    filled = roll.as_stored(roll.form_of(sheet, names), sheet)
    return await _page(request, read, who, sheet, filled, named=names is not None, saved=saved)


async def _called(request: Request, run: Runner, read: Reader, who: Who, session: str) -> Response:
    """Record what was sent, then show it; or show everything that was marked with what is wrong."""
    sheet = await run.query(open_sheet, session, _facilitator(who))
    names = await _names(request, sheet)
    filled = await roll.form_of(sheet, names).filled(request)
    present = roll.present_in(filled, sheet)
    status, stored = 422, None
    if not filled.errors:
        seen = roll.seen_in(filled)
        command = do.RollCall(session=session, present=present, facilitator=_facilitator(who), seen=seen)
        try:
            await run(do.roll_call, command)
        except Unavailable:
            filled.errors[""], status = LATER, 503
        except Refused as refused:
            if refused.code not in ABOVE_THE_FORM:
                raise
            filled.refuse(refused)
            status = ABOVE_THE_FORM[refused.code]
            stored = sheet if refused.code == "changed-meanwhile" else None
        else:
            return RedirectResponse(f"{request.url.path}?salvate={_moment()}", 303)
    if stored is not None:
        # Whoever saves again has seen both: it counts for the roll that is stored now.
        filled.values[roll.SEEN] = str(stored.version)
    return await _page(request, read, who, sheet, filled, named=names is not None, status=status, stored=stored)


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


async def _page(
    request: Request,
    read: Reader,
    who: Who,
    sheet: Sheet,
    filled: Filled,
    *,
    named: bool,
    saved: datetime | None = None,
    stored: Sheet | None = None,
    status: int = 200,
) -> Response:
    shown: dict[str, Any] = {
        "sheet": sheet,
        "form": filled,
        "named": named,
        "saved": saved,
        "marked": roll.marked_in(filled, sheet),
        "differences": roll.differences(filled, stored) if stored is not None else [],
        "answers_in_words": roll.ANSWERS,
        "opens": datetime.now(UTC) < sheet.starts,
        "place": (await lists.places_named(read, [sheet.place])).get(sheet.place),
        "facilitates": who.role is Role.FACILITATOR,
    }
    return FRAME.page(request, "meetings/roll.html", who=who, rules=read.rules, status=status, **shown)
