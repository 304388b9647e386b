"""Routes of records that may be of one person."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from enrolment.duplicates import commands as do
from enrolment.duplicates import queries
from services.contracts.base import Id
from services.contracts.enrolment import Judgement
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.web import Body
from services.web.run import Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]


class Judged(Body):
    """A judgement on two records. `into`: for the same person, the one of the two that goes on."""

    judgement: Judgement
    into: Id | None = None


class Answer(BaseModel):
    """`due`: when a merge is said; null for another judgement."""

    due: datetime | None = None


@router.get("/duplicates")
async def listed(request: Request, who: Operator, page: PageNumber = 1) -> list[queries.Pair]:
    """Pairs of records that look alike and that nobody has judged, twenty records a page. No names."""
    return (await queries.pairs(request.app.state.service.store, who.programme, page)).rows


@router.put("/workers/{worker}/duplicates/{mate}")
async def judge(worker: Id, mate: Id, body: Judged, run: Run, who: Operator) -> Answer:
    """Say that the two are the same person (a merge, said after a day), two people, or take either back. 404 no-such-worker · 409 erased,
    merged, merging-already, not-judged, seat-ends, two-seats · 422 same-record, no-such-record."""
    if body.judgement is Judgement.DIFFERENT:
        await run(do.part, do.Part(worker=worker, other=mate))
        return Answer()
    if body.judgement is Judgement.OPEN:
        await run(do.undo, do.Undo(worker=worker, other=mate))
        return Answer()
    if body.into not in {worker, mate}:
        raise Refused("no-such-record", "`into` names one of the two records.", Refusal.INVALID)
    ends = mate if body.into == worker else worker
    return Answer(**await run(do.merge, do.Merge(worker=ends, into=body.into)))
