"""The page on which a referrer records consents that a person gave or withdrew at their desk, after the referral.

Invariant: it shows nothing of what the person has decided elsewhere; to record a withdrawal takes as many steps as to record a consent.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, Self

from fastapi import Query, Request, Response
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from enrolment import questions
from enrolment.consents import commands as do
from enrolment.consents import queries
from services.contracts.base import Id
from services.contracts.enrolment import How, Purpose
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, Unavailable, code_of
from services.programmes import Programme
from services.web import Day
from services.web.frame import Field, Filled, Form, Frame, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Run

SENTENCES = {
    "out-of-order": N_("A later decision of the person counts already: this one, which is older, changes nothing."),
    "in-the-future": N_("This day has not come yet."),
    "erased": N_("The data of this person were deleted."),
}
FRAME = Frame("enrolment.consents", refusals=SENTENCES)
router = page_router(FRAME)
Referrer = Annotated[Who, allowed(Role.REFERRER, own={Role.REFERRER: "the referrals of their own partner"})]
YES_OR_NO = ("yes", "no")
LAST_MINUTE = time(23, 59)
SAID = {"yes": N_("Says yes"), "no": N_("Says no, or withdraws it"), "unsaid": N_("Did not say anything about it")}
PURPOSES = {
    Purpose.PARTICIPATION: N_("Take part in the programme, and have the personal data that it needs used for that"),
    Purpose.CONTACT: N_("Receive messages about the meetings by e-mail or text message"),
    Purpose.RESEARCH: N_("Have the answers to the questionnaires used to see if the programme helps"),
    Purpose.PARTNER_FEEDBACK: N_("Let the organisation that refers know how far the person has come"),
}
NAMES = {each: each.value.replace("-", "_") for each in PURPOSES}
HOW = {
    How.IN_PERSON.value: N_("Said face to face, with the notice explained"),
    How.SIGNED_PAPER.value: N_("Signed on paper, which this organisation keeps"),
}
FORM = Form(
    *(Field(NAMES[each], text, kind=Kind.RADIOS, options=SAID, needed=False) for each, text in PURPOSES.items()),
    Field("how", N_("How the person said so"), kind=Kind.RADIOS, options=HOW,
          why=N_("the consent has to be shown later, if somebody asks")),
    Field("on", N_("On which day"), kind=Kind.DAY, hint=N_("Today if it is left empty. For example 27/3/2026."), needed=False,
          why=N_("of two decisions the later one counts, whenever it is written down")),
    Field("notice", N_("Version of the privacy notice that the person read"), kind=Kind.SELECT),
    Field("language", N_("Language in which it was read"), kind=Kind.RADIOS),
)  # fmt: skip
AT = {"in-the-future": "on", "no-such-language": "language", "no-such-notice": "notice"}
Said = Literal["yes", "no", "unsaid"] | None


class Decisions(BaseModel):
    """A form that was checked: what the person said on each purpose; None: nothing."""

    participation: Said = None
    contact: Said = None
    research: Said = None
    partner_feedback: Said = None
    how: How
    on: Day | None = None
    notice: str
    language: str

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form; without any decision there is nothing to record."""
        body = filled.checked(cls)
        if body is not None and not body.given:
            filled.wrong(NAMES[Purpose.PARTICIPATION], N_("Choose at least one thing that the person decided."))
        return None if filled.errors else body

    @property
    def given(self) -> dict[Purpose, bool]:
        """The decisions by purpose."""
        said = {each: getattr(self, name) for each, name in NAMES.items()}
        return {each: answer == "yes" for each, answer in said.items() if answer in YES_OR_NO}


@router.get("/segnalazioni/{worker}/consensi")
async def consents(
    worker: Id,
    request: Request,
    run: Run,
    who: Referrer,
    fatto: Annotated[bool, Query(description="decisions were recorded just now")] = False,
) -> Response:
    """The form for the decisions of one person. 404 no-such-worker: also for a referral of another partner."""
    form = FORM.empty(notice=run.rules.notice.version, language=run.rules.notice.languages[0])
    return await _form(request, run, who, worker, form, saved=fatto)


@router.post("/segnalazioni/{worker}/consensi")
async def record(worker: Id, request: Request, run: Run, who: Referrer) -> Response:
    """Show what is to be recorded, then record it, once however often it is sent. 404 no-such-worker · 422 what is wrong stands at its
    field."""
    filled = _offered(await FORM.filled(request), run.rules)
    body = Decisions.of(filled)
    if body is None or filled.step == "change":
        return await _form(request, run, who, worker, filled)
    if filled.step == "check":
        name = await run.query(queries.read_own_name, worker, _partner(who))
        return FRAME.page(
            request, "consents/check.html", who=who, rules=run.rules, form=filled, worker=worker, name=name, body=body,
            decided=list(_decided(body)), how=HOW[body.how],
        )  # fmt: skip
    try:
        await run.once(filled.key)(do.record_consent, _command(body, worker, run.rules, who))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return await _form(request, run, who, worker, filled, status=503)
    except Refused as refused:
        if refused.kind is Refusal.NOT_FOUND:
            raise
        filled.refuse(refused, AT.get(refused.code, ""))
        return await _form(request, run, who, worker, filled)
    return RedirectResponse(f"/segnalazioni/{worker}/consensi?fatto=true", 303)


def _decided(body: Decisions) -> Iterator[tuple[str, str]]:
    """Each decision, as English texts to translate."""
    for purpose, given in body.given.items():
        yield PURPOSES[purpose], SAID["yes" if given else "no"]


def _command(body: Decisions, worker: str, rules: Programme, who: Who) -> do.RecordConsent:
    return do.RecordConsent(
        worker=worker, partner=_partner(who), given=body.given, notice=body.notice, language=body.language,
        how=body.how, on=body.on, at=_moment(body.on, rules),
    )  # fmt: skip


def _moment(day: date | None, rules: Programme) -> datetime | None:
    """The moment at which a decision of that day counts: now (None) for today and for a day to come, which the command refuses; else the
    last minute of the day, since nobody notes the hour."""
    if day is None or day >= rules.day_of(datetime.now(UTC)):
        return None
    return datetime.combine(day, LAST_MINUTE, rules.zone)


async def _form(  # what the page shows
    request: Request, run: Run, who: Who, worker: str, filled: Filled, *, saved: bool = False, status: int = 200
) -> Response:
    name = await run.query(queries.read_own_name, worker, _partner(who))
    return FRAME.page(
        request, "consents/form.html", who=who, rules=run.rules, form=_offered(filled, run.rules), worker=worker, name=name,
        code=code_of(worker), saved=saved, status=status,
    )  # fmt: skip


def _offered(filled: Filled, rules: Programme) -> Filled:
    """Give the form the notices that were published, with their languages: consent to another one is none."""
    notices = (rules.notice, *reversed(rules.notices))
    filled.offer("notice", {each.version: each.version for each in notices})
    read_in = {each for notice in notices for each in notice.languages}
    filled.offer("language", {each: text for each, text in questions.LANGUAGES.items() if each in read_in})
    return filled


def _partner(who: Who) -> str:
    if who.partner is None:
        raise Refused("no-such-worker", "Nobody was referred by no partner.", Refusal.NOT_FOUND)
    return who.partner
