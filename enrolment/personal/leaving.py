"""Pages on which a worker leaves the programme or erases themself: they ask here, and confirm by the link of a letter.

Invariant: the page that asks changes nothing, and the link that confirms is used once. Opening a link has no effect: mail programs open
links by themselves.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path, Request, Response
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from enrolment.personal import commands as do
from enrolment.personal import queries
from enrolment.personal.api import Token
from enrolment.personal.pages import Myself, myself
from enrolment.personal.wording import FRAME, REASONS
from services.contracts.enrolment import Leaving, LinkPurpose
from services.identity.auth import Role, Who, open_to_all
from services.kernel import Refusal, Refused
from services.programmes import Programme
from services.web.frame import Field, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Run, Runner, Serving

router = page_router(FRAME)
Step = Annotated[Literal["lascia", "cancella"], Path(description="lascia: leave; cancella: erase me")]
PURPOSES = {"lascia": LinkPurpose.LEAVE, "cancella": LinkPurpose.ERASE}
STEPS = {purpose: step for step, purpose in PURPOSES.items()}
FORM = Form(
    Field(
        "reason",
        N_("Why do you leave?"),
        kind=Kind.RADIOS,
        options=REASONS,
        why=N_("to understand what the programme can do better; outside only “found work” or “another reason” is told"),
    )
)


class Chosen(BaseModel):
    """The reason of leaving."""

    reason: Leaving


@router.get("/me/{step}/conferma")
async def ask(step: Step, request: Request, run: Run, who: Myself) -> Response:
    """What would happen, what cannot be undone, and how it is confirmed; without an address, whom to ask. 410 erased."""
    return _ask(request, run, who, await myself(run, who), step)


@router.post("/me/{step}/conferma")
async def send(step: Step, request: Request, run: Run, who: Myself) -> Response:
    """Send the letter with the link that confirms. Asked for twice in a moment, it is sent once. 410 erased · 409 not-enrolled."""
    found = await myself(run, who)
    try:
        await run(do.issue_link, do.IssueLink(worker=who.subject, purpose=PURPOSES[step]))
    except Refused as refused:
        if refused.code in {"no-address", "no-contact"}:
            return _ask(request, run, who, found, step)  # it says whom to ask
        if refused.code != "link-sent":
            raise
    return RedirectResponse(f"/me/{step}/inviata", 303)
