"""The routes of grouping: parse, authorise, call, answer."""

import asyncio
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from grouping.membership import commands as do
from grouping import wishes as pairs
from grouping.domain import Facilitator, Group, Place
from grouping.pool import Survey, survey
from grouping.proposals.queries import joining, proposed, seats, solved, told
from services.contracts.base import Id, Slug
from services.contracts.grouping import Kind, Wish
from services.identity.auth import Role, Who, allowed
from services.web import Body, Day, Moment
from services.web.run import Reader, Run

router = APIRouter()
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class PlaceBody(Body):
    """Where groups can meet."""

    title: Text
    address: Text
    municipality: Slug
    rooms: int = Field(default=1, ge=1, le=100, description="groups that can meet there at the same time")
    access: bool = Field(default=False, description="step-free")


@router.put("/places/{place}", status_code=204)
async def register_place(place: Slug, body: PlaceBody, run: Run, who: Operator) -> None:
    """Register or correct a place. 409 id-taken · 412 changed meanwhile (If-Match) · 422 no-such-municipality."""
    await run(do.register_place, do.RegisterPlace(place=place, **body.model_dump()), edits=(Place, place))


class FacilitatorBody(Body):
    """Who leads groups, when and how many. The id is a pseudonym: no name here."""

    municipality: Slug
    travel_km: float = Field(default=60, gt=0, le=500, allow_inf_nan=False)
    slots: list[Slug] = Field(min_length=1, max_length=50)
    groups: int = Field(default=1, ge=1, le=20, description="how many groups at a time")


@router.put("/facilitators/{facilitator}", status_code=204)
async def register_facilitator(facilitator: Slug, body: FacilitatorBody, run: Run, who: Operator) -> None:
    """Register or correct a facilitator. 409 id-taken · 412 changed meanwhile (If-Match) · 422 no-such-municipality,
    no-such-slot."""
    command = do.RegisterFacilitator(facilitator=facilitator, **body.model_dump())
    await run(do.register_facilitator, command, edits=(Facilitator, facilitator))


class Asked(Body):
    """As the pool stands, for groups that begin after this day."""

    on: Day
    seed: int = Field(default=0, ge=0, le=2**31)
    companies: list[Id] = Field(
        default=[], max_length=100, description="employers whose people are to sit among colleagues alone"
    )


class Proposed(BaseModel):
    """A group that could be formed: as `POST /groups` takes it."""

    slot: str
    place: str
    facilitator: str
    first: Day
    members: list[str]
    kind: Kind


class Joining(BaseModel):
    """Somebody who could join a group that meets already."""

    worker: str
    group: str


class Help(BaseModel):
    """One change (of whom or what, else of the person) by which so many more would sit."""

    change: str
    of: str | None
    to: str | float
    places: int


class Unplaced(BaseModel):
    """Somebody who would have to wait, why, and what would help."""

    id: str
    reasons: list[str]
    helps: list[Help]


class Worth(BaseModel):
    """What a proposed group is worth, and why it meets there and then."""

    model_config = ConfigDict(extra="ignore")
    diversity: float = Field(description="the members' mean distance to each other")
    parts: dict[str, float] = Field(description="what each attribute adds to it")
    together: int = Field(description="wanted pairs in it")
    km: float = Field(description="the members' mean way")
    longest_wait: int = Field(description="days")
    why: list[str]


class Proposal(BaseModel):
    """Nothing is decided by it."""

    groups: list[Proposed]
    worth: list[Worth] = Field(description="of each of the groups, in their order")
    joining: list[Joining]
    unplaced: list[Unplaced]
    waiting_for: list[str] = Field(description="where most of the unplaced could come, and what is missing there")
    diversity: float | None = Field(
        description="of all groups, also those that meet; null where nobody sits in a mixed one"
    )
    bound: float | None = Field(description="no seating of the same people in groups of these sizes is more diverse")


@router.post("/proposals")
async def propose(body: Asked, run: Run, read: Reader, who: Operator) -> Proposal:
    """Who could sit with whom. Nothing is stored; confirm each group with `POST /groups`, each who joins one with
    `POST /groups/{group}/members`."""
    problem = await run(survey, Survey(on=body.on, companies=frozenset(body.companies)), keep=False)
    answer = await asyncio.to_thread(solved, problem, body.seed)
    return Proposal.model_validate(
        {
            "groups": proposed(problem, answer, read.rules, body.on),
            "joining": joining(problem, answer),
            "unplaced": [each.model_dump() for each in answer.unplaced],
            **await asyncio.to_thread(told, problem, answer),
        }
    )


class GroupBody(Body):
    """These people, there, then, with this facilitator."""

    members: list[Id] = Field(min_length=1, max_length=100)
    slot: Slug
    place: Slug
    facilitator: Slug
    first: Day
    kind: Kind = Kind.HETEROGENEOUS
    at: Moment | None = None


class Formed(BaseModel):
    """The new group."""

    group: str


@router.post("/groups", status_code=201)
async def form(body: GroupBody, run: Run, who: Operator, response: Response) -> Formed:
    """Form a group. 404 no-such-place, no-such-facilitator, no-such-seeker · 409 no-room, facilitator-not-free, facilitator-full,
    not-waiting, not-before, out-of-reach, no-access, slot-impossible, seated-already, apart, alone, not-among-colleagues,
    among-colleagues · 422 wrong-size, wrong-weekday, no-such-slot."""
    made = await run(do.form, do.Form(**body.model_dump()))
    response.headers["Location"] = f"groups/{made['group']}"
    return Formed(**made)


class MemberBody(Body):
    """Somebody who comes late."""

    worker: Id
    since: Day | None = Field(
        default=None,
        description="from when they have the seat: today when absent, and not before the group first meets",
    )
    at: Moment | None = None


class Joined(BaseModel):
    """The new seat."""

    group: str
    worker: str
    since: Day


@router.post("/groups/{group}/members", status_code=201)
async def join(group: Id, body: MemberBody, run: Run, who: Operator) -> Joined:
    """Give somebody who waits a seat in a group that exists; nobody else moves. 404 no-such-group, no-such-seeker · 409 concluded,
    group-full, not-waiting, not-before, out-of-reach, no-access, slot-impossible, seated-already, apart, alone,
    not-among-colleagues, among-colleagues, programme-over · 412 changed meanwhile (If-Match)."""
    return Joined(**await run(do.join, do.Join(group=group, **body.model_dump()), edits=(Group, group)))


class Seat(BaseModel):
    """A group that somebody could join, and what all groups would gain or lose by it; or why they cannot."""

    group: str
    members: int = Field(description="with them, where they could join")
    diversity: float | None = Field(default=None, description="the change of the figure over all groups")
    together: int | None = Field(default=None, description="wanted pairs that would sit together by it")
    km: float | None = Field(default=None, description="their way there")
    refused: str | None = Field(default=None, description="the code with which joining would be refused")


@router.get("/workers/{worker}/seats")
async def seats_for(worker: Id, on: Day, run: Run, who: Operator) -> list[Seat]:
    """Where somebody who waits could join from this day on, best first, and why not elsewhere. Nothing is decided by it.
    404 no-such-seeker · 409 seated-already."""
    problem = await run(survey, Survey(on=on), keep=False)
    return [Seat(**each) for each in await asyncio.to_thread(seats, problem, worker)]


class PairBody(Body):
    """What is asked of two people."""

    wish: Wish


@router.put("/workers/{worker}/pairs/{mate}", status_code=204)
async def ask_of_a_pair(worker: Id, mate: Id, body: PairBody, run: Run, who: Operator) -> None:
    """Ask that two people of the pool sit apart, or together; whoever is named first. Seats that they have stay. 404 no-such-seeker ·
    409 not-in-the-pool · 422 same-person."""
    await run(pairs.ask, pairs.Ask(worker=worker, mate=mate, wish=body.wish))


@router.delete("/workers/{worker}/pairs/{mate}", status_code=204)
async def ask_no_more(worker: Id, mate: Id, run: Run, who: Operator) -> None:
    """Ask nothing more of two people. 404 no-such-seeker, no-such-pair · 409 not-in-the-pool · 422 same-person."""
    await run(pairs.ask, pairs.Ask(worker=worker, mate=mate, wish=None))


class Mate(BaseModel):
    """Somebody with whom somebody is to sit, or not."""

    mate: str
    wish: Wish


@router.get("/workers/{worker}/pairs")
async def pairs_of(worker: Id, run: Run, who: Operator) -> list[Mate]:
    """What is asked of one person and others. The look is written to their access log. 404 no-such-seeker."""
    looking = pairs.Look(worker=worker, who=who.subject, role=who.role)
    return [Mate(**each) for each in await run(pairs.look, looking, keep=False)]


class GroupRow(BaseModel):
    """A group and how many sit there."""

    model_config = ConfigDict(extra="ignore")
    group: str
    kind: Kind
    slot: str
    place: str
    facilitator: str
    first: Day
    members: int


@router.get("/groups")
async def groups(read: Reader, who: Annotated[Who, allowed(Role.OPERATOR, Role.FACILITATOR)]) -> list[GroupRow]:
    """The groups, oldest first; a facilitator sees their own."""
    own: dict[str, Any] = {"facilitator": who.subject} if who.role is Role.FACILITATOR else {}
    sitting = Counter(row["group"] for row in await read.rows("pool") if "group" in row and "left" not in row)
    return [GroupRow(**row, members=sitting[row["group"]]) for row in await read.rows("groups", own)]


class PoolCounts(BaseModel):
    """How many wait, of them how many are held back until a day, and how many sit."""

    waiting: int
    held_back: int
    seated: int


@router.get("/pool")
async def pool(read: Reader, who: Operator) -> PoolCounts:
    """The pool in figures."""
    rows = [row for row in await read.rows("pool") if "waits" in row and "gone" not in row]
    waiting = [row for row in rows if "group" not in row or "left" in row]
    held_back = sum(row.get("not_before") is not None for row in waiting)
    return PoolCounts(waiting=len(waiting), held_back=held_back, seated=len(rows) - len(waiting))
