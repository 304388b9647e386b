"""The page on which a worker gives and withdraws consents, one choice for each purpose.

Invariant: to withdraw takes as many steps as to give. The withdrawal that ends the participation of somebody admitted is confirmed by a
message, as leaving is: links are forwarded.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from enrolment.commands import DecideConsent, decide_consent
from enrolment.domain import Status
from enrolment.personal import queries
from enrolment.personal.pages import Myself, myself
from enrolment.personal.wording import CONSENTS, FRAME, HOW, decided
from services.contracts.enrolment import How, Purpose
from services.identity.auth import Who
from services.kernel import Refused, Unavailable
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Run

router = page_router(FRAME)
NAMES = {each: each.value.replace("-", "_") for each in CONSENTS}
ANSWERS = {"yes": N_("Yes"), "no": N_("No")}
FORM = Form(
    *(
        Field(NAMES[each], title, kind=Kind.RADIOS, options=ANSWERS, hint=what)
        for each, (title, what) in CONSENTS.items()
    )
)
Answer = Literal["yes", "no"] | None


class Choices(BaseModel):
    """The choice for each purpose; None: nothing was chosen."""

    participation: Answer = None
    contact: Answer = None
    research: Answer = None
    partner_feedback: Answer = None

    def changes(self, me: queries.Me) -> dict[Purpose, bool]:
        """The choices that differ from those that count."""
        chosen = {each: getattr(self, name) for each, name in NAMES.items()}
        counts = {purpose: consent["given"] for purpose, consent in me.consents.items()}
        return {
            each: said == "yes" for each, said in chosen.items() if said and counts.get(each) is not (said == "yes")
        }


@router.get("/me/consensi")
async def consents(
    request: Request,
    run: Run,
    who: Myself,
    fatto: Annotated[bool, Query(description="choices were saved just now")] = False,
) -> Response:
    """The consents of the worker, each with what it is for, since when it counts and how it was given. 410 erased."""
    found = await myself(run, who)
    given = {NAMES[Purpose(purpose)]: "yes" if each["given"] else "no" for purpose, each in found.consents.items()}
    return _page(request, run, who, found, FORM.empty(**given), saved=fatto)


@router.post("/me/consensi")
async def decide(request: Request, run: Run, who: Myself) -> Response:
    """Show what changes and what follows from it, then record it, once however often it is sent. What ends the participation leads to the
    page on which one leaves. 410 erased · 422 what is wrong stands at its field."""
    found, filled = await myself(run, who), await FORM.filled(request)
    choices = filled.checked(Choices)
    if choices is None or filled.step == "change":
        return _page(request, run, who, found, filled)
    changes = choices.changes(found)
    leaves = _leaves(found, changes)
    if filled.step == "check" and changes:
        return FRAME.page(
            request, "consents_check.html", who=who, rules=run.rules, form=filled, me=found, leaves=leaves,
            changes=[(CONSENTS[each][0], said) for each, said in changes.items()],
            silent=changes.get(Purpose.CONTACT) is False,
        )  # fmt: skip
    now = {each: said for each, said in changes.items() if not (leaves and each is Purpose.PARTICIPATION)}
    try:
        if now:
            await run.once(filled.key)(decide_consent, _decision(who, now, run, request))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _page(request, run, who, found, filled, status=503)
    except Refused as refused:
        filled.refuse(refused)
        return _page(request, run, who, found, filled)
    return RedirectResponse("/me/lascia" if leaves else "/me/consensi?fatto=true", 303)


def _leaves(me: queries.Me, changes: Mapping[Purpose, bool]) -> bool:
    """True when a choice ends the participation of somebody who was admitted."""
    return me.status is Status.ADMITTED and changes.get(Purpose.PARTICIPATION) is False


def _decision(who: Who, given: dict[Purpose, bool], run: Run, request: Request) -> DecideConsent:
    notice, read_in = run.rules.notice, language_of(request, LANGUAGES)
    language = read_in if read_in in notice.languages else None
    return DecideConsent(worker=who.subject, given=given, notice=notice.version, language=language, how=How.BY_LINK)


def _page(  # what the page shows
    request: Request,
    run: Run,
    who: Who,
    me: queries.Me,
    filled: Filled,
    *,
    saved: bool = False,
    status: int = 200,
) -> Response:
    return FRAME.page(
        request, "consents.html", who=who, rules=run.rules, decided=decided(me), form=filled, saved=saved, status=status, how=HOW,
        texts=CONSENTS, notice=run.rules.notice,
    )  # fmt: skip
