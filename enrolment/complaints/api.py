"""Routes of complaints, for programs."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from enrolment.complaints import commands as do
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web import Body, Note
from services.web.run import Run

router = APIRouter()
Complaining = Annotated[
    Who,
    allowed(
        Role.WORKER, Role.REFERRER, own={Role.WORKER: "their own complaint", Role.REFERRER: "that of their own partner"}
    ),
]
Answering = Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR)]


class Text(Body):
    """The text of a complaint, or of its answer."""

    text: Note


class Received(BaseModel):
    """The number of a complaint."""

    complaint: str


@router.post("/complaints", status_code=201)
async def complaint(body: Text, run: Run, who: Complaining, response: Response) -> Received:
    """Complain, as a worker or as a partner. 409 too-many-open · 410 erased · 422 no-such-partner."""
    made = await run(do.complain, command_of(body.text, who))
    response.headers["Location"] = f"complaints/{made['complaint']}"
    return Received(**made)


@router.post("/complaints/{complaint}/answer", status_code=204)
async def answer(complaint: Id, body: Text, run: Run, who: Answering) -> None:
    """Answer a complaint, once. 404 no-such-complaint · 409 complaint-answered · 410 complainant-erased."""
    await run(do.answer_complaint, do.AnswerComplaint(complaint=complaint, text=body.text))


@router.post("/complaints/{complaint}/escalation", status_code=204)
async def escalation(complaint: Id, run: Run, who: Answering) -> None:
    """Hand a complaint to those who are responsible for the programme. 404 no-such-complaint · 409 complaint-answered,
    escalated-already."""
    await run(do.escalate, do.Escalate(complaint=complaint))


def command_of(text: str, who: Who) -> do.Complain:
    """The complaint of the caller."""
    if who.role is Role.WORKER:
        return do.Complain(text=text, worker=who.subject)
    return do.Complain(text=text, partner=who.partner)
