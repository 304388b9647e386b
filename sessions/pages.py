"""The survey behind a personal link. Whoever holds the link is the person: no other sign-in, and nothing else is seen with it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.identity.auth import Link, open_to_all, read_link
from services.kernel import Refusal, Refused, Unavailable
from services.programmes.instruments import Instrument
from services.programmes.instruments import load_all as instruments
from services.runtime.service import Service
from services.web.failures import STATUS
from sessions import commands as do
from sessions.domain import Status, Survey
from sessions.showing import form, notice
from sessions.wording import LANGUAGES

PURPOSE = "survey:"  # of a link, before the survey's id
LONGEST = 40  # characters of one answer
SAID = {
    "no-consent": "no-consent",
    "not-open": "closed",
    "no-such-link": "no-such-link",
    "no-such-survey": "no-such-link",
}
Chosen = Annotated[str | None, Query(max_length=20, description="it or en; the programme's first language when absent")]


def router(secret: bytes) -> APIRouter:
    """The two routes; `secret` is what personal links are signed with."""
    routes = APIRouter(dependencies=[open_to_all("the signed link names the person and the survey")])

    @routes.get("/s/{token}", response_class=HTMLResponse, responses=_pages(404))
    async def show(token: str, request: Request, lang: Chosen = None) -> HTMLResponse:
        """The survey as a form, or that it was submitted, is not open, or that the link is no more (404)."""
        service: Service = request.app.state.service
        try:
            link = _survey_link(secret, token, service)
            survey = await _survey(link, service)
        except Refused as refused:
            return _refusal(refused, _language(lang, None, service))
        language = _language(lang, link, service)
        if survey.status is Status.SUBMITTED:
            return notice("submitted", language)
        if survey.status is not Status.INVITED:
            return notice("closed", language)
        return form(instruments()[survey.instrument], survey.due, language, {}, {})

    @routes.post("/s/{token}", response_class=HTMLResponse, responses=_pages(303, 404, 409, 422, 503))
    async def submit(token: str, request: Request, lang: Chosen = None) -> Response:
        """Submit it. What is wrong is said on the page, with every answer still there."""
        service: Service = request.app.state.service
        try:
            link = _survey_link(secret, token, service)
            survey = await _survey(link, service)
            language = _language(lang, link, service)
            return await _submit(link, survey, language, await _given(request, survey), service)
        except Refused as refused:
            return _refusal(refused, _language(lang, None, service))

    return routes


def _pages(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {each: {"description": "A page that says so", "content": {"text/html": {}}} for each in statuses}


def _survey_link(secret: bytes, token: str, service: Service) -> Link:
    link = read_link(secret, token)
    if not link.purpose.startswith(PURPOSE) or link.programme not in service.rules:
        raise Refused("no-such-link", "This link is for something else.", Refusal.NOT_FOUND)
    return link


async def _survey(link: Link, service: Service) -> Survey:
    look = do.LookAtSurvey(survey=link.purpose.removeprefix(PURPOSE), worker=link.subject)
    found: Survey = await service.do(do.look_at_survey, look, link.programme)
    return found


async def _given(request: Request, survey: Survey) -> dict[str, str]:
    """What was filled in, by item."""
    filled = await request.form()
    items = {item.id: filled.get(item.id) for item in instruments()[survey.instrument].items}
    return {item: text.strip()[:LONGEST] for item, text in items.items() if isinstance(text, str) and text.strip()}


async def _submit(link: Link, survey: Survey, language: str, given: dict[str, str], service: Service) -> Response:
    instrument = instruments()[survey.instrument]
    answers, wrong = _read(instrument, given)
    if wrong:
        return form(instrument, survey.due, language, given, wrong, "errors", 422)
    told = do.SubmitSurvey(worker=link.subject, instrument=survey.instrument, wave=survey.wave, answers=answers)
    try:
        await service.do(do.submit_survey, told, link.programme)
    except Unavailable:
        return form(instrument, survey.due, language, given, {}, "later", 503)
    except Refused as refused:
        if refused.code == "bad-answer":
            return form(
                instrument, survey.due, language, given, {refused.members["item"]: "out-of-range"}, "errors", 422
            )
        if refused.code != "submitted-already":
            raise
    return RedirectResponse(f"?lang={language}", 303)


def _read(instrument: Instrument, given: Mapping[str, str]) -> tuple[dict[str, float], dict[str, str]]:
    """The answers, and what is wrong by item: all of it at once, since nobody wants to be told one by one."""
    answers: dict[str, float] = {}
    wrong: dict[str, str] = {}
    for item in instrument.items:
        if item.id not in given:
            wrong[item.id] = "unanswered"
            continue
        try:
            answers[item.id] = float(given[item.id].replace(",", "."))
        except ValueError:
            wrong[item.id] = "out-of-range"
    return answers, wrong


def _language(chosen: str | None, link: Link | None, service: Service) -> str:
    if chosen in LANGUAGES:
        return str(chosen)
    offered = service.rules[link.programme].notice.languages if link is not None else ()
    return next((each for each in offered if each in LANGUAGES), next(iter(LANGUAGES)))


def _refusal(refused: Refused, language: str) -> HTMLResponse:
    """Any other refusal is answered as a problem document, like everywhere."""
    if refused.code not in SAID:
        raise refused
    return notice(SAID[refused.code], language, STATUS[refused.kind])
