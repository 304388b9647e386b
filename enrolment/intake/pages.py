"""The public page of a programme, on which people ask to take part, and the form behind the link that they are sent."""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated

from fastapi import Path, Query, Request, Response
from starlette.responses import RedirectResponse

from enrolment.capacity.bands import Capacity
from enrolment.capacity.judging import capacity
from enrolment.capacity.wording import PLACES, WEEKS
from enrolment.domain.applicants import LASTS
from enrolment.intake import commands as do
from enrolment.intake import forms, queries
from enrolment.intake.refusals import AT, SENTENCES
from services.identity.auth import Role, Who, open_to_all
from services.kernel import Refusal, Refused, Unavailable, code_of
from services.programmes import Programme
from services.web.failures import STATUS
from services.web.frame import Filled, Frame, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Runner, Serving, run_for

FRAME = Frame("enrolment.intake", "enrolment.capacity", refusals=SENTENCES)
router = page_router(FRAME)
Token = Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.~-]+$")]
Chosen = Annotated[
    str, Query(max_length=40, pattern=r"^[a-z0-9-]*$", description="the programme; the first one without it")
]
ANYBODY = open_to_all("a public page: whoever lost their work may ask to take part")
LINK = open_to_all("the token, 256 random bits, names the request")
LATER = N_("There were many requests from here. Wait %(seconds)d seconds, and send it again.")
MANY = 429


@router.get("/partecipa", dependencies=[ANYBODY])
async def public(request: Request, programma: Chosen = "") -> Response:
    """The public page: what the programme is, for whom, where and when groups meet, and the request."""
    rules = _programme(request, programma)
    room = await capacity(request.app.state.service, rules.id, datetime.now(UTC))
    return _public(request, rules, forms.ADDRESS.empty(programme=rules.id), room=room)


@router.post("/partecipa", dependencies=[ANYBODY])
async def ask(request: Request) -> Response:
    """Send the link to the form to an address. What is answered tells nothing about the address. 409 out-of-order · 422: what is wrong
    stands at its field · 429: too many requests from here."""
    filled = await forms.ADDRESS.filled(request)
    rules = _programme(request, filled.values["programme"])
    body = forms.Address.of(filled)
    if body is None:
        return _public(request, rules, filled)
    attempt = await request.app.state.asking.begin(
        body.email or body.phone or "", request.client.host if request.client else ""
    )
    if isinstance(attempt, float):
        filled.wrong("", LATER, seconds=ceil(attempt))
        return _public(request, rules, filled, MANY)
    card = body.card(language_of(request, LANGUAGES))
    run = Runner(request, Who(Role.WORKER, "asking", rules.id), None, None)
    try:
        await run(do.ask, do.Ask(card=card))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _public(request, rules, filled, 503)
    except Refused as refused:
        filled.refuse(refused)
        return _public(request, rules, filled, STATUS[refused.kind])
    return RedirectResponse(f"/partecipa/inviato/{rules.id}", 303)


@router.get("/partecipa/inviato/{programma}", dependencies=[open_to_all("it names nobody: it says what was done")])
async def sent(request: Request, programma: Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9-]+$")]) -> Response:
    """Say that a link is on its way, and what to do when none comes."""
    rules = _programme(request, programma)
    return FRAME.page(
        request, "intake/sent.html", rules=rules, office=rules.office, hours=int(LASTS.total_seconds() // 3600)
    )


@router.get("/partecipa/{token}", dependencies=[LINK])
async def form(token: Token, request: Request) -> Response:
    """The form behind the link; the receipt when it was sent. 404 no-such-link."""
    opened, rules, run = await _opened(token, request)
    if opened.worker is not None:
        return FRAME.page(request, "intake/done.html", rules=rules, code=code_of(opened.worker), office=rules.office)
    confirmed = await run.query(queries.read_address, opened.asking)
    return _form(request, rules, token, _offered(request, rules, forms.FORM.empty(**confirmed)))


@router.post("/partecipa/{token}", dependencies=[LINK])
async def send(token: Token, request: Request) -> Response:
    """Check the form, show the answers, and then send it: once, however often it comes. 404 no-such-link · 409 out-of-order · 422."""
    opened, rules, run = await _opened(token, request)
    if opened.worker is not None:
        return RedirectResponse(f"/partecipa/{token}", 303)
    language = language_of(request, LANGUAGES)
    filled = _offered(request, rules, await forms.FORM.filled(request))
    body = forms.Request.of(filled, language) if filled.step != "change" else None
    if body is None:
        return _form(request, rules, token, filled)
    if filled.step == "check":
        said = list(forms.answers(filled, FRAME, language))
        return FRAME.page(request, "intake/check.html", rules=rules, form=filled, token=token, answered=said)
    try:
        await run(do.send_form, _command(opened, body, rules, language))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return _form(request, rules, token, filled, 503)
    except Refused as refused:
        if refused.kind in {Refusal.NOT_FOUND, Refusal.GONE}:
            raise
        filled.refuse(refused, AT.get(refused.code, ""))
        return _form(request, rules, token, filled, STATUS[refused.kind])
    return RedirectResponse(f"/partecipa/{token}", 303)


def _command(opened: queries.Opened, body: forms.Request, rules: Programme, language: str) -> do.SendForm:
    return do.SendForm(
        asking=opened.asking,
        card=body.filled(),
        sketch=body.sketch,
        given=frozenset(body.consents),
        notice=rules.notice.version,
        language=language if language in rules.notice.languages else None,
    )


async def _opened(token: str, request: Request) -> tuple[queries.Opened, Programme, Runner]:
    """The request of this link, and a runner for whoever has it. Refused("no-such-link", 404)."""
    service: Serving = request.app.state.service
    opened = await queries.opened_by(service.store, service.rules, token, datetime.now(UTC))
    return opened, service.rules[opened.programme], run_for(request, opened.asking, opened.programme)


def _programme(request: Request, chosen: str) -> Programme:
    """The programme that was chosen, else the first by name that runs today. Refused("no-such-programme", 404)."""
    service: Serving = request.app.state.service
    if chosen in service.rules:
        return service.rules[chosen]
    if chosen or not service.rules:
        raise Refused("no-such-programme", "There is no such programme here.", Refusal.NOT_FOUND)
    every = [service.rules[each] for each in sorted(service.rules)]
    return next((each for each in every if _is_open(each)), every[0])


def _is_open(rules: Programme) -> bool:
    return rules.intake.opens <= rules.day_of(datetime.now(UTC)) <= rules.intake.closes


def _public(
    request: Request, rules: Programme, filled: Filled, status: int = 200, room: Capacity | None = None
) -> Response:
    service: Serving = request.app.state.service
    language = language_of(request, LANGUAGES)
    others = [service.rules[each] for each in sorted(service.rules) if each != rules.id]
    return FRAME.page(
        request, "intake/public.html", rules=rules, form=filled, status=status, closed=not _is_open(rules), office=rules.office,
        times=list(forms.times_of(rules, FRAME, language).values()), towns=[each.name for each in rules.active.municipalities],
        others=others, title=rules.title if language == "it" else rules.title_en, capacity=room, places_said=PLACES, weeks_said=WEEKS,
    )  # fmt: skip


def _offered(request: Request, rules: Programme, filled: Filled) -> Filled:
    return forms.offer(filled, rules, FRAME, language_of(request, LANGUAGES))


def _form(request: Request, rules: Programme, token: str, filled: Filled, status: int = 200) -> Response:
    return FRAME.page(
        request, "intake/form.html", rules=rules, form=filled, token=token, status=status, notice=rules.notice
    )
