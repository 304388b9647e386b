"""The routes by which operators change the series of a group's meetings."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.contracts.base import Id, Slug
from services.contracts.sessions import Cancelling
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.web import Body, Moment
from services.web.run import Reader, Run
from sessions.domain import Meeting
from sessions.meetings import commands as do

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class Added(BaseModel):
    """The id of a meeting that was added."""

    session: str


class Series(Body):
    """Date and place of a meeting."""

    starts: Moment = Field(description="with an offset; the group meets at the local time of the programme")
    place: Slug


class Cancellation(Body):
    """Why a meeting does not take place."""

    reason: Cancelling


@router.post("/groups/{group}/sessions", status_code=201)
async def addition(group: Id, body: Series, run: Run, read: Reader, who: Operator) -> Added:
    """Add a meeting to the series of a group. 404 no-such-group · 409 facilitator-busy, group-concluded, no-meetings-left, out-of-order,
    programme-over, same-day · 422 no-such-place."""
    await _known(body.place, read, "leads", group)
    return Added(**await run(do.add_meeting, do.AddMeeting(group=group, **body.model_dump())))


@router.put("/sessions/{session}/date", status_code=204)
async def move(session: Id, body: Series, run: Run, read: Reader, who: Operator) -> None:
    """Give a meeting another date or place. 404 no-such-session · 409 cancelled-already, facilitator-busy, group-concluded, held-already,
    out-of-order, programme-over, same-day · 412 changed meanwhile (If-Match) · 422 no-such-place."""
    await _known(body.place, read, "meetings", session)
    await run(do.move_meeting, do.MoveMeeting(session=session, **body.model_dump()), edits=(Meeting, session))


@router.post("/sessions/{session}/cancellation", status_code=204)
async def cancellation(session: Id, body: Cancellation, run: Run, who: Operator) -> None:
    """Cancel one meeting; its group goes on. 404 no-such-session · 409 cancelled-already, held-already · 412 changed meanwhile
    (If-Match)."""
    await run(do.cancel_meeting, do.CancelMeeting(session=session, reason=body.reason), edits=(Meeting, session))


async def _known(place: str, read: Reader, projection: str, key: str) -> None:
    """Refused("no-such-place") for one that was never registered: no message could name it. What the address names is missed first."""
    if await read.row(projection, key) is not None and await read.row("places", place) is None:
        raise Refused("no-such-place", f"There is no place {place}.", Refusal.INVALID)
