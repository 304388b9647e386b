"""The route that records the situation of somebody after the programme, for programs."""

from typing import Annotated

from fastapi import APIRouter

from enrolment.outcomes import commands as do
from services.contracts.base import Id
from services.contracts.paths import OutcomeMoment, Situation
from services.identity.auth import Role, Who, allowed
from services.web import Body, Day
from services.web.run import Run

router = APIRouter()


class OutcomeBody(Body):
    """A situation, the day on which it was so, and the day on which the person left."""

    situation: Situation
    day: Day
    left: Day


@router.put("/workers/{worker}/outcomes/{moment}", status_code=204)
async def outcome(
    worker: Id, moment: OutcomeMoment, body: OutcomeBody, run: Run, who: Annotated[Who, allowed(Role.OPERATOR)]
) -> None:
    """Record the situation at the exit or six months after. 404 no-such-worker · 409 never-admitted, out-of-order, same-outcome ·
    410 erased."""
    await run(do.record_outcome, do.RecordOutcome(worker=worker, moment=moment, **body.model_dump()))
