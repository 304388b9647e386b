"""Pages of a referrer: what became of the referrals of their own partner, and a new one."""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from enrolment.capacity.judging import capacity
from enrolment.capacity.wording import PLACES, WEEKS
from enrolment.queries import own_referral, own_referrals
from enrolment.referral import commands as do
from enrolment.referral import queries
from enrolment.referral.forms import AT, FORM, SECTIONS, NewReferral, answers, offer
from enrolment.referral.refusals import SENTENCES
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, Unavailable, code_of
from services.programmes import Partner, Programme
from services.web.frame import Filled, Frame, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Reader, Run

FRAME = Frame("enrolment.referral", "enrolment.capacity", refusals=SENTENCES)
router = page_router(FRAME)
Referrer = Annotated[Who, allowed(Role.REFERRER, own={Role.REFERRER: "the referrals of their own partner"})]
PageNumber = Annotated[int, Query(ge=1, le=1000, description="of the list, from 1")]
ROWS = 20  # of a page
MOST = 10_000  # referrals that are counted
STEPS = {
    queries.Step.REFERRED: N_("Referral received"),
    queries.Step.ADMITTED: N_("Admitted, no place in a group yet"),
    queries.Step.SEATED: N_("Has a place in a group"),
    queries.Step.DECLINED: N_("Does not take part"),
    queries.Step.WITHDRAWN: N_("Has left the programme"),
}


@router.get("/segnalazioni")
async def referrals(request: Request, read: Reader, run: Run, who: Referrer, pagina: PageNumber = 1) -> Response:
    """The referrals of the caller's own partner, the newest first, with names, the last step that the partner may know of, and its day.
    Each name that is shown is in the person's log of accesses."""
    partner = _partner(read.rules, who)
    where = own_referrals(partner.id)
    total = await read.count("desk", where, MOST)
    pages = max(1, ceil(total / ROWS))
    page = min(pagina, pages)
    rows = await read.page("desk", where, ("-worker",), (page - 1) * ROWS, ROWS)
    people = [row["worker"] for row in rows]
    consents = await read.consents(people)
    names = await run.query(queries.read_own_names, people, partner.id)
    found = [queries.shown(own_referral(row, read.rules, consents[row["worker"]]), names) for row in rows]
    return FRAME.page(
        request, "list.html", who=who, rules=read.rules, found=found, steps=STEPS, page=page, pages=pages, total=total,
        partner=partner, closed=_closed(run), office=read.rules.office, places_said=PLACES, weeks_said=WEEKS,
        capacity=await capacity(request.app.state.service, who.programme, datetime.now(UTC)),
    )  # fmt: skip


@router.get("/segnalazioni/nuova")
async def new_referral(request: Request, run: Run, who: Referrer) -> Response:
    """The empty form of a referral; outside the days of the intake, a page that says so. 403 not-a-referrer."""
    _may_refer(run.rules, who)
    return _form(request, run, who, _offered(request, run, FORM.empty(language="it")))


@router.post("/segnalazioni/nuova")
async def refer(request: Request, run: Run, who: Referrer) -> Response:
    """Check the form, show the answers, and then refer the person with their consents, once however often it is sent. 422: what is wrong
    stands at its field, and everything that was typed is kept. 403 not-a-referrer."""
    partner = _may_refer(run.rules, who)
    filled = _offered(request, run, await FORM.filled(request))
    if filled.step == "change":
        return _form(request, run, who, filled)
    body = NewReferral.of(filled)
    if body is None:
        return _form(request, run, who, filled)
    if filled.step == "check":
        language = language_of(request, LANGUAGES)
        sections = [(title, list(answers(filled, names, FRAME, language))) for title, names in SECTIONS]
        return FRAME.page(request, "check.html", who=who, rules=run.rules, form=filled, sections=sections)
    try:
        made = await run.once(filled.key)(do.refer_together, _command(body, partner, run.rules, request))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _form(request, run, who, filled, 503)
    except Refused as refused:
        filled.refuse(refused, AT.get(refused.code, ""))
        return _form(request, run, who, filled)
    return RedirectResponse(f"/segnalazioni/{made['worker']}/ricevuta", 303)


@router.get("/segnalazioni/{worker}/ricevuta")
async def receipt(worker: Id, request: Request, run: Run, who: Referrer) -> Response:
    """The number of a referral, what happens next, and whom to ask. 404 no-such-worker: also for a referral of another partner."""
    await run.query(queries.check_own, worker, _partner(run.rules, who).id)
    return FRAME.page(request, "receipt.html", who=who, rules=run.rules, code=code_of(worker), office=run.rules.office)


def _command(body: NewReferral, partner: Partner, rules: Programme, request: Request) -> do.ReferTogether:
    read_in = language_of(request, LANGUAGES)
    notice = rules.notice
    return do.ReferTogether(
        partner=partner.id,
        card=body.filled(),
        sketch=body.sketch,
        given=frozenset(body.consents),
        notice=notice.version,
        language=read_in if read_in in notice.languages else None,
        how=body.how if body.consents else None,
    )


def _partner(rules: Programme, who: Who) -> Partner:
    partner = rules.partner(who.partner or "")
    if partner is None:
        raise Refused("no-referrer", f"{who.partner} is no partner of {rules.id}.", Refusal.FORBIDDEN)
    return partner


def _may_refer(rules: Programme, who: Who) -> Partner:
    partner = _partner(rules, who)
    if not partner.may_refer:
        raise Refused("not-a-referrer", f"{partner.id} has no role in which it refers people.", Refusal.FORBIDDEN)
    return partner


def _closed(run: Run) -> bool:
    """True outside the days on which people are referred."""
    intake = run.rules.intake
    return not intake.opens <= run.rules.day_of(datetime.now(UTC)) <= intake.closes


def _offered(request: Request, run: Run, filled: Filled) -> Filled:
    return offer(filled, run.rules, FRAME, language_of(request, LANGUAGES))


def _form(request: Request, run: Run, who: Who, filled: Filled, status: int = 200) -> Response:
    if _closed(run):
        return FRAME.page(
            request, "closed.html", who=who, rules=run.rules, intake=run.rules.intake, office=run.rules.office
        )
    return FRAME.page(
        request,
        "form.html",
        who=who,
        rules=run.rules,
        form=filled,
        sections=SECTIONS,
        status=status,
        notice=run.rules.notice,
    )
