"""Routes of groups and their members."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from grouping.domain import Group
from grouping.membership import commands as do
from grouping.membership import queries
from services.contracts.base import Id, Slug
from services.contracts.grouping import Ending, Kind
from services.identity.auth import Role, Who, allowed
from services.web import Body, Day, Moment
from services.web.run import Reader, Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class GroupBody(Body):
    """The people, the slot, the place, the facilitator and the day of the first meeting of a new group."""

    members: list[Id] = Field(min_length=1, max_length=100)
    slot: Slug
    place: Slug
    facilitator: Slug
    first: Day
    kind: Kind = Kind.HETEROGENEOUS
    at: Moment | None = None


class Formed(BaseModel):
    """The id of the new group."""

    group: str


@router.post("/groups", status_code=201)
async def form(body: GroupBody, run: Run, who: Operator, response: Response) -> Formed:
    """Form a group. The days of all its meetings are fixed by it. 404 no-such-place, no-such-facilitator, no-such-seeker · 409
    out-of-order, programme-over, no-room, facilitator-not-free, facilitator-full,
    not-waiting, not-before, out-of-reach, no-access, slot-impossible, seated-already, apart, alone, not-among-colleagues,
    among-colleagues · 422 wrong-size, wrong-weekday, no-such-slot."""
    made = await run(do.form, do.Form(**body.model_dump()))
    response.headers["Location"] = f"groups/{made['group']}"
    return Formed(**made)


class MemberBody(Body):
    """A worker who joins a group that exists."""

    worker: Id
    since: Day | None = Field(
        default=None,
        description="from when they have the seat: today when absent, and not before the group first meets",
    )
    at: Moment | None = None


class Joined(BaseModel):
    """The new seat, from `since` on."""

    group: str
    worker: str
    since: Day


@router.post("/groups/{group}/members", status_code=201)
async def join(group: Id, body: MemberBody, run: Run, who: Operator) -> Joined:
    """Give somebody who waits a seat in a group that exists; nobody else moves. 404 no-such-group, no-such-seeker · 409 concluded,
    out-of-order, group-full, not-waiting, not-before, out-of-reach, no-access, slot-impossible, seated-already, apart, alone,
    not-among-colleagues, among-colleagues, programme-over · 412 changed meanwhile (If-Match)."""
    return Joined(**await run(do.join, do.Join(group=group, **body.model_dump()), edits=(Group, group)))


class LeaderBody(Body):
    """The facilitator who leads a group from a day on."""

    facilitator: Slug
    since: Day = Field(description="today or later, and not before the group first meets")
    at: Moment | None = None


@router.post("/groups/{group}/facilitator", status_code=204)
async def entrust(group: Id, body: LeaderBody, run: Run, who: Operator) -> None:
    """Have another facilitator lead a group from a day on. From that day on the one who led it sees nothing of it any more. 404
    no-such-group, no-such-facilitator · 409 concluded, out-of-order, leads-already, facilitator-not-free, facilitator-full,
    out-of-reach · 412 changed meanwhile (If-Match)."""
    await run(do.entrust, do.Entrust(group=group, **body.model_dump()), edits=(Group, group))


class ConclusionBody(Body):
    """The reason for which a group meets no more."""

    reason: Ending
    at: Moment | None = None


@router.post("/groups/{group}/conclusion", status_code=204)
async def conclude(group: Id, body: ConclusionBody, run: Run, who: Operator) -> None:
    """End a group before its last meeting: it meets up to the local day of `at`, and its members wait for another seat. A group whose
    last meeting is past is concluded by itself, and its members keep their seats in it. 404 no-such-group · 409 concluded,
    out-of-order · 412 changed meanwhile (If-Match)."""
    await run(do.conclude, do.Conclude(group=group, **body.model_dump()), edits=(Group, group))


class GroupRow(BaseModel):
    """A group and the number of its members."""

    model_config = ConfigDict(extra="ignore")
    group: str
    kind: Kind
    slot: str
    place: str
    facilitator: str
    first: Day
    last: Day | None = Field(default=None, description="of its last meeting; null for groups of older versions")
    concluded: Day | None = Field(default=None, description="the last day on which it could meet, once it is over")
    members: int


@router.get("/groups")
async def groups(
    read: Reader,
    who: Annotated[Who, allowed(Role.OPERATOR, Role.FACILITATOR, own={Role.FACILITATOR: "the groups that they lead"})],
) -> list[GroupRow]:
    """List the groups, oldest first; a facilitator sees their own."""
    facilitator = who.subject if who.role is Role.FACILITATOR else None
    today = read.rules.day_of(datetime.now(UTC))
    return [GroupRow(**each) for each in await queries.groups(read.rows, facilitator, today)]


class PoolCounts(BaseModel):
    """The number of people who wait, of those among them who are held back until a day, and of those who sit."""

    waiting: int
    held_back: int
    seated: int


@router.get("/pool")
async def pool(read: Reader, who: Operator) -> PoolCounts:
    """The pool in figures."""
    return PoolCounts(**(await queries.figures(read.rows))._asdict())
