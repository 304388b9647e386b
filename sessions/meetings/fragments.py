"""Fragments for pages of other rooms: a worker's own calendar and surveys, the roll-calls that are missing, a group's next meeting."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel

from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.programmes.instruments import load_all as instruments
from services.web.frame import page_router
from services.web.run import Reader, Run
from sessions.meetings import lists
from sessions.meetings.lists import View
from sessions.meetings.pages import FRAME
from sessions.meetings.queries import own_calendar, own_surveys

router = page_router(FRAME)
data = APIRouter()
Own = Annotated[Who, allowed(Role.WORKER, own={Role.WORKER: "their own"})]
Operator = Annotated[Who, allowed(Role.OPERATOR)]
FIRST = 5  # rows of a list on the page of another room
AHEAD = 6  # meetings of a person's own calendar
IDS = r"^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$"


@router.get("/frammenti/mio-calendario")
async def my_calendar(request: Request, run: Run, read: Reader, who: Own) -> Response:
    """Show the coming meetings of the worker who asks."""
    coming = await run.query(own_calendar, who.subject, AHEAD)
    places = await lists.places_named(read, [each.place for each in coming])
    return FRAME.part(request, "meetings/my_calendar.html", who=who, rules=read.rules, coming=coming, places=places)


@router.get("/frammenti/miei-questionari")
async def my_surveys(request: Request, run: Run, read: Reader, who: Own) -> Response:
    """Show the open surveys of the worker who asks. The links to them are sent by mail."""
    known = instruments()
    found = await run.query(own_surveys, who.subject)
    shown = [(known[each.instrument].title, each.due) for each in found if each.instrument in known]
    return FRAME.part(request, "meetings/my_surveys.html", who=who, rules=read.rules, surveys=shown)


@router.get("/frammenti/oggi")
async def missing_rolls(request: Request, read: Reader, who: Operator) -> Response:
    """Show the first meetings whose roll is missing, and the number of all."""
    page = await lists.meetings_in(read, View.MISSING, datetime.now(UTC), size=FIRST)
    groups = await lists.groups_named(read, [each["group"] for each in page.rows])
    places = await lists.places_named(read, [each["place"] for each in page.rows])
    shown: dict[str, Any] = {"rows": page.rows, "total": page.total, "groups": groups, "places": places}
    return FRAME.part(request, "meetings/missing_rolls.html", who=who, rules=read.rules, **shown)


@router.get("/frammenti/prossimo")
async def next_meeting(group: Id, request: Request, read: Reader, who: Operator) -> Response:
    """Show the next meeting of a group, how many were held, and how many of them lack their roll."""
    now = datetime.now(UTC)
    found = (await lists.meetings_of(read, [group]))[group]
    ahead = [each for each in found if each["state"] == "open"]
    shown: dict[str, Any] = {
        "group": group,
        "meetings": len(found),
        "held": sum(each["state"] == "held" for each in found),
        "missing": sum(each["starts"] <= now for each in ahead),
        "next": next((each for each in ahead if each["starts"] > now), None),
    }
    return FRAME.part(request, "meetings/next_meeting.html", who=who, rules=read.rules, **shown)


class Next(BaseModel):
    """The next meeting of a group."""

    session: str
    starts: AwareDatetime
    number: int


@data.get("/groups/next-meetings")
async def next_meetings(
    read: Reader, who: Operator, groups: Annotated[str, Query(pattern=IDS, max_length=50 * 65)]
) -> dict[str, Next]:
    """The next meeting of each of these groups that has one. `groups`: ids with commas between them, 50 at most."""
    now = datetime.now(UTC)
    found = await lists.meetings_of(read, groups.split(",")[: lists.GROUPS])
    ahead = {
        id: next((m for m in some if m["state"] == "open" and m["starts"] > now), None) for id, some in found.items()
    }
    return {id: Next(**{name: each[name] for name in Next.model_fields}) for id, each in ahead.items() if each}
