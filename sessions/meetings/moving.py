"""The pages on which an operator moves, cancels or adds a meeting: what and when, then what it means, with the way back first."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from services.contracts.base import Id, Slug
from services.contracts.sessions import Cancelling
from services.identity.auth import Who
from services.kernel import Refused, Unavailable
from services.programmes import Programme
from services.web import Day
from services.web.failures import STATUS
from services.web.frame import Field, Filled, Form, Frame, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run, Runner
from sessions.meetings import commands as do
from sessions.meetings import lists
from sessions.meetings.pages import Operator
from sessions.meetings.queries import Series, open_series
from sessions.meetings.refusals import OF_THE_SERIES
from sessions.meetings.wording import CANCELLING

FRAME = Frame("sessions.meetings", refusals=OF_THE_SERIES)
router = page_router(FRAME)
MOST = 200  # places to choose from
LATER = N_(
    "The service does not answer at this moment. Nothing was saved; what you wrote is still here: try again shortly."
)


class When(BaseModel):
    """Day, local time and place of a meeting."""

    day: Day
    hour: time
    place: Slug

    def starts(self, rules: Programme) -> datetime:
        """The moment at which it starts, with the programme's local offset."""
        return datetime.combine(self.day, self.hour, rules.zone)


class Why(BaseModel):
    """The reason of a cancellation."""

    reason: Cancelling


WHEN = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field("day", N_("On which day?"), Kind.DAY, hint=N_("For example 27/3/2027.")),
    Field("hour", N_("At what time does it begin?"), Kind.TIME, hint=N_("For example 18:30.")),
    Field("place", N_("Where?"), Kind.SELECT),
)
WHY = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field(
        "reason",
        N_("Why does the meeting not take place?"),
        Kind.RADIOS,
        options=CANCELLING,
        why=N_("it counts in the figures alone: the message to the members does not name it"),
    ),
)
AT = {"same-day": "day", "out-of-order": "day", "programme-over": "day", "facilitator-busy": "day"}


@router.get("/incontri/{session}/sposta")
async def choosing(session: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Ask to when and where a meeting moves. 404 no-such-session."""
    series = await run.query(open_series, session, None)
    starts = read.rules.local(series.starts)
    filled = WHEN.empty(seen=str(series.version), place=series.place, **_typed(starts))
    return await _asked(request, read, who, series, filled)


@router.post("/incontri/{session}/sposta")
async def move(session: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show what the move means, then make it. 404 no-such-session · 409 and 412 above the form, as `move_meeting` refuses."""
    series = await run.query(open_series, session, None)
    filled = await WHEN.filled(request)
    await _offer_places(filled, read)
    body = filled.checked(When)
    if body is None or filled.step == "change":
        return await _asked(request, read, who, series, filled)
    starts = body.starts(read.rules)
    if filled.step == "check":
        return await _meaning(request, run, read, who, series, filled, body)
    command = do.MoveMeeting(session=session, starts=starts, place=body.place, seen=_seen(filled))
    return await _done(request, run, read, who, series, filled, do.move_meeting, command, "spostato")


@router.get("/incontri/gruppi/{group}/nuovo")
async def adding(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Ask when and where a further meeting of a group is. 404 no-such-group."""
    series = await run.query(open_series, None, group)
    starts = series.next_start(read.rules)
    filled = WHEN.empty(seen="0", place=series.place, **_typed(starts))
    return await _asked(request, read, who, series, filled)


@router.post("/incontri/gruppi/{group}/nuovo")
async def add(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show what the new meeting means, then add it. 404 no-such-group · 409 above the form, as `add_meeting` refuses."""
    series = await run.query(open_series, None, group)
    filled = await WHEN.filled(request)
    await _offer_places(filled, read)
    body = filled.checked(When)
    if body is None or filled.step == "change":
        return await _asked(request, read, who, series, filled)
    if filled.step == "check":
        return await _meaning(request, run, read, who, series, filled, body)
    command = do.AddMeeting(group=group, starts=body.starts(read.rules), place=body.place)
    return await _done(request, run, read, who, series, filled, do.add_meeting, command, "aggiunto")


@router.get("/incontri/{session}/annulla")
async def asking_why(session: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Ask why a meeting is cancelled, and say what it means. 404 no-such-session."""
    series = await run.query(open_series, session, None)
    return await _why(request, read, who, series, WHY.empty(seen=str(series.version)))


@router.post("/incontri/{session}/annulla")
async def cancel(session: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Cancel a meeting. 404 no-such-session · 409 and 412 above the form, as `cancel_meeting` refuses."""
    series = await run.query(open_series, session, None)
    filled = await WHY.filled(request)
    body = filled.checked(Why)
    if body is None:
        return await _why(request, read, who, series, filled)
    command = do.CancelMeeting(session=session, reason=body.reason, seen=_seen(filled))
    status = await _run(run, filled, do.cancel_meeting, command)
    if status is not None:
        filled.values["seen"] = str(series.version)
        return await _why(request, read, who, series, filled, status)
    return RedirectResponse(f"/incontri?gruppo={series.group}&fatto=annullato", 303)


def _typed(starts: datetime) -> dict[str, str]:
    """A start as somebody types it."""
    return {"day": f"{starts.day}/{starts.month}/{starts.year}", "hour": f"{starts:%H:%M}"}


def _seen(filled: Filled) -> int:
    """The version that the page showed; 0, which nothing stored has, when that cannot be told."""
    text = filled.values["seen"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


async def _run(run: Runner, filled: Filled, handler: Any, command: Any) -> int | None:
    """Run the command. When it is refused, the reason is in the form, and the status of the page is returned."""
    try:
        await run.once(filled.key)(handler, command)
    except Unavailable:
        filled.errors[""] = LATER
        return 503
    except Refused as refused:
        if refused.code not in OF_THE_SERIES:
            raise
        filled.refuse(refused, AT.get(refused.code, ""))
        return STATUS[refused.kind]
    return None


async def _done(
    request: Request,
    run: Runner,
    read: Reader,
    who: Who,
    series: Series,
    filled: Filled,
    handler: Any,
    command: Any,
    what: str,
) -> Response:
    status = await _run(run, filled, handler, command)
    if status is not None:
        filled.values["seen"] = str(series.version)
        return await _asked(request, read, who, series, filled, status)
    return RedirectResponse(f"/incontri?gruppo={series.group}&fatto={what}", 303)


async def _offer_places(filled: Filled, read: Reader) -> None:
    known = await read.page("places", {}, order=[("_id", 1)], limit=MOST)
    filled.offer("place", {each["place"]: each["title"] for each in known if "title" in each})


async def _asked(
    request: Request, read: Reader, who: Who, series: Series, filled: Filled, status: int | None = None
) -> Response:
    await _offer_places(filled, read)
    code = status or (422 if filled.errors else 200)
    return await _page(request, read, who, series, filled, "meetings/when.html", code)


async def _meaning(
    request: Request, run: Runner, read: Reader, who: Who, series: Series, filled: Filled, body: When
) -> Response:
    """Show what the change means; or the form again, with what the command would refuse and the days that are free instead."""
    starts = body.starts(read.rules)
    checked = await run.query(do.check, series.session, series.group, starts)
    if checked.refused is not None:
        filled.refuse(checked.refused, AT.get(checked.refused.code, ""))
        shown: dict[str, Any] = {"free": [datetime.combine(day, body.hour, read.rules.zone) for day in checked.free]}
        await _offer_places(filled, read)
        return await _page(request, read, who, series, filled, "meetings/when.html", 409, **shown)
    length = timedelta(minutes=read.rules.session_minutes)
    beside = await lists.meetings_at(read, body.place, starts - length, starts + length)
    shown = {
        "starts": starts,
        "to": body.place,
        "beside": len([each for each in beside if each["session"] != series.session]),
        "holiday": read.rules.is_holiday(body.day),
        "weekday": series.weekday(read.rules) not in {None, body.day.isoweekday()},
        "past": starts <= datetime.now(UTC),
        "members": checked.members,
    }
    return await _page(request, read, who, series, filled, "meetings/when_check.html", 200, **shown)


async def _why(
    request: Request, read: Reader, who: Who, series: Series, filled: Filled, status: int | None = None
) -> Response:
    code = status or (422 if filled.errors else 200)
    return await _page(request, read, who, series, filled, "meetings/cancel.html", code)


async def _page(
    request: Request, read: Reader, who: Who, series: Series, filled: Filled, template: str, status: int, **shown: Any
) -> Response:
    places = await lists.places_named(read, sorted({series.place, str(shown.get("to", series.place))}))
    given: dict[str, Any] = {"series": series, "form": filled, "places": places, "free": [], **shown}
    return FRAME.page(request, template, who=who, rules=read.rules, status=status, **given)
