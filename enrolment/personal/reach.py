"""The page on which a worker says how they may be reached: ways that are never used, and times at which a call is welcome.

Invariant: it asks and checks what every other form about a person asks, and changes nothing else of the card.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from enrolment import questions
from enrolment.commands import Correct, correct
from enrolment.domain import Worker
from enrolment.facts import Reach
from enrolment.personal import queries
from enrolment.personal.pages import Myself, myself
from enrolment.personal.wording import FRAME
from services.identity.auth import Who
from services.kernel import Refused, Unavailable
from services.web.failures import STATUS
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Run

router = page_router(FRAME)
FORM = Form(
    Field("seen", N_("Version"), kind=Kind.HIDDEN),
    replace(
        questions.NOT_BY, label=N_("What you do not want"), why=N_("the choice is yours, and every message keeps to it")
    ),
    replace(questions.CALL_AT, why=N_("so that we do not call when you cannot speak")),
)


@router.get("/me/contatti")
async def ask(
    request: Request,
    run: Run,
    who: Myself,
    fatto: Annotated[bool, Query(description="choices were saved just now")] = False,
) -> Response:
    """Show how the worker may be reached, and the form to change it. 410 erased."""
    found = await myself(run, who)
    said = {name: found.card.get(name, "").split() for name in Reach.model_fields}
    return _page(request, run, who, found, FORM.empty(seen=str(found.version), **said), saved=fatto)


@router.post("/me/contatti")
async def save(request: Request, run: Run, who: Myself) -> Response:
    """Change how the worker may be reached, once however often it is sent. 409 merged · 410 erased · 412 changed-meanwhile · 422 what is
    wrong stands at its field."""
    found, filled = await myself(run, who), await FORM.filled(request)
    body = filled.checked(Reach)
    questions.leaves_a_way(filled, found.card)
    if body is None or filled.errors:
        return _page(request, run, who, found, filled, status=422)
    kept = {name: text for name, text in found.card.items() if name not in Reach.model_fields}
    command = Correct(worker=who.subject, card={**kept, **body.words()})
    try:
        await run.once(filled.key).seen(filled.values["seen"])(correct, command, edits=(Worker, who.subject))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _page(request, run, who, found, filled, status=503)
    except Refused as refused:
        filled.refuse(refused)
        filled.values["seen"] = str(found.version)
        return _page(request, run, who, found, filled, status=STATUS[refused.kind])
    return RedirectResponse("/me/contatti?fatto=true", 303)


def _page(
    request: Request, run: Run, who: Who, me: queries.Me, filled: Filled, *, saved: bool = False, status: int = 200
) -> Response:
    return FRAME.page(
        request, "reach.html", who=who, rules=run.rules, me=me, form=filled, saved=saved, status=status,
        office=run.rules.office,
    )  # fmt: skip
