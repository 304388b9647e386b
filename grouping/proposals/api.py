"""Routes of proposals: groups that could be formed, and seats that somebody could have."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from grouping.proposals.queries import proposed_by_search, seats, survey, survey_of_seats, without_profile
from grouping.search_process import Searching
from services.contracts.base import Id
from services.contracts.grouping import Kind
from services.identity.auth import Role, Who, allowed
from services.web import Body, Day
from services.web.run import Reader, Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class ProposalBody(Body):
    """The pool as it stands, for groups that begin after the day `on`."""

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
    """A worker who could join a group that meets already."""

    worker: str
    group: str


class Help(BaseModel):
    """One change (of a person, place or facilitator, or of the unplaced person) by which `places` more people would sit."""

    change: str
    of: str | None
    to: str | float
    places: int


class Unplaced(BaseModel):
    """A worker who would have to wait, with the reasons and with changes that would help."""

    id: str
    reasons: list[str]
    helps: list[Help]


class Worth(BaseModel):
    """The score of a proposed group, and the reasons why it meets there and then."""

    model_config = ConfigDict(extra="ignore")
    diversity: float = Field(description="the members' mean distance to each other")
    parts: dict[str, float] = Field(description="what each attribute adds to it")
    together: int = Field(description="wanted pairs in it")
    km: float = Field(description="the members' mean way")
    longest_wait: int = Field(description="days")
    why: list[str]


class Proposal(BaseModel):
    """Groups and seats that could be given. Nothing is decided by it."""

    groups: list[Proposed]
    worth: list[Worth] = Field(description="of each of the groups, in their order")
    joining: list[Joining]
    unplaced: list[Unplaced]
    waiting_for: list[str] = Field(description="where most of the unplaced could come, and what is missing there")
    diversity: float | None = Field(
        description="of all groups, also those that meet; null where nobody sits in a mixed one"
    )
    without_profile: list[str] = Field(
        description="admitted, and in no proposal: nothing says where and when they can come; ask them, or the partner who referred them"
    )
    bound: float | None = Field(description="no seating of the same people in groups of these sizes is more diverse")


@router.post("/proposals")
async def propose(body: ProposalBody, run: Run, read: Reader, who: Operator, searching: Searching) -> Proposal:
    """Propose groups of people who wait. Nothing is stored, but that the read is written to the access logs of these people; confirm each
    group with `POST /groups`, each who joins one with `POST /groups/{group}/members`."""
    problem = await run.query(survey, body.on, frozenset(body.companies))
    # Before the search: what a request asks of the database is limited in time, from its beginning on.
    undescribed = await run.query(without_profile)
    _, found = await searching.run(proposed_by_search, problem, body.seed, read.rules, body.on)
    return Proposal.model_validate({**found, "without_profile": undescribed})


class Seat(BaseModel):
    """A group that a worker could join, and the change of the figures of all groups by it; or the reason why they cannot."""

    group: str
    members: int = Field(description="with them, where they could join")
    diversity: float | None = Field(default=None, description="the change of the figure over all groups")
    together: int | None = Field(default=None, description="wanted pairs that would sit together by it")
    km: float | None = Field(default=None, description="their way there")
    refused: str | None = Field(default=None, description="the code with which joining would be refused")


@router.get("/workers/{worker}/seats")
async def seats_for(worker: Id, on: Day, run: Run, who: Operator, searching: Searching) -> list[Seat]:
    """List the groups that somebody who waits could join from this day on, best first, then the others with the reason. Nothing is
    decided by it. The read is written to the access logs of the worker and of the groups' members. 404 no-such-seeker · 409
    seated-already."""
    problem = await run.query(survey_of_seats, worker, on)
    return [Seat(**each) for each in await searching.run(seats, problem, worker)]
