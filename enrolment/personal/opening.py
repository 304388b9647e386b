"""The page on which an administrator opens the record of a person, with a reason that the person is told.

Invariant: nothing of the person is shown before the reason is in their log and the message to them is on its way.
"""

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel

from enrolment.personal import commands as do
from enrolment.personal import queries
from enrolment.personal.wording import CONSENTS, FRAME, HOW, OPENING, STATUS, decided, identity, profile
from services.contracts.base import Id
from services.contracts.rights import Opening
from services.identity.auth import Role, Who, allowed
from services.kernel import Refused, Unavailable, code_of
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Run

router = page_router(FRAME)
Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]
FORM = Form(
    Field(
        "worker",
        N_("Number of the person"),
        hint=N_("The whole number, as an operator gives it: it ends the address of the person's page."),
        why=N_("whoever administers the programme sees no list of people"),
    ),
    Field(
        "reason",
        N_("Why do you open the record?"),
        kind=Kind.RADIOS,
        options=OPENING,
        why=N_("it stands in the log of accesses, and the person is told"),
    ),
)
AT = {"no-such-worker": "worker", "erased": "worker"}


class Opened(BaseModel):
    """Whose record is opened, and why."""

    worker: Id
    reason: Opening


@router.get("/persone/apri")
async def ask(request: Request, run: Run, who: Administrator) -> Response:
    """The form, and what follows from opening a record."""
    return _ask(request, run, who, FORM.empty())


@router.post("/persone/apri")
async def open_record(request: Request, run: Run, who: Administrator) -> Response:
    """Note the reason, have the person told, and show the record. 422: what is wrong stands at its field."""
    filled = await FORM.filled(request)
    opened = filled.checked(Opened)
    if opened is None:
        return _ask(request, run, who, filled)
    try:
        await run.once(filled.key)(do.open_record, do.OpenRecord(worker=opened.worker, reason=opened.reason))
        me = await run.query(queries.read_me, opened.worker)
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _ask(request, run, who, filled, 503)
    except Refused as refused:
        filled.refuse(refused, AT.get(refused.code, ""))
        return _ask(request, run, who, filled)
    language = language_of(request, LANGUAGES)
    return FRAME.page(
        request, "opened.html", who=who, rules=run.rules, me=me, code=code_of(me.worker), identity=identity(me, language),
        profile=profile(me, run.rules, language), step=STATUS[me.status], decided=decided(me), how=HOW,
        texts={purpose.value: text for purpose, (text, _) in CONSENTS.items()}, reason=OPENING[opened.reason],
    )  # fmt: skip


def _ask(request: Request, run: Run, who: Who, filled: Filled, status: int = 200) -> Response:
    return FRAME.page(request, "open_record.html", who=who, rules=run.rules, form=filled, status=status)
