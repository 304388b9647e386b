"""Routes of the wishes for two people."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from grouping.pairs.commands import Ask, ask
from grouping.pairs.queries import wishes_about
from services.contracts.base import Id
from services.contracts.grouping import Wish
from services.identity.auth import Role, Who, allowed
from services.web import Body
from services.web.run import Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]


class PairBody(Body):
    """The wish for two people."""

    wish: Wish


@router.put("/workers/{worker}/pairs/{mate}", status_code=204)
async def ask_of_a_pair(worker: Id, mate: Id, body: PairBody, run: Run, who: Operator) -> None:
    """Ask that two people of the pool sit apart, or together; whoever is named first. Seats that they have stay. 404 no-such-seeker ·
    409 not-in-the-pool · 422 same-person."""
    await run(ask, Ask(worker=worker, mate=mate, wish=body.wish))


@router.delete("/workers/{worker}/pairs/{mate}", status_code=204)
async def ask_no_more(worker: Id, mate: Id, run: Run, who: Operator) -> None:
    """Ask nothing more of two people. 404 no-such-seeker, no-such-pair · 409 not-in-the-pool · 422 same-person."""
    await run(ask, Ask(worker=worker, mate=mate, wish=None))


class Mate(BaseModel):
    """A person with whom another is to sit, or not."""

    mate: str
    wish: Wish


@router.get("/workers/{worker}/pairs")
async def pairs_of(worker: Id, run: Run, who: Operator) -> list[Mate]:
    """List the wishes about one person and others. The read is written to the access logs of all. 404 no-such-seeker."""
    return [Mate.model_validate(each) for each in await run.query(wishes_about, worker)]
