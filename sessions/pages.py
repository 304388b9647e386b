"""The survey behind a personal link. The holder of the link is taken for the person; the link opens this one survey and nothing else."""

import re
from collections.abc import Sequence
from math import nan
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.identity.auth import Link, open_to_all, read_link
from services.kernel import Refusal, Refused, Unavailable
from services.programmes.instruments import load_all as instruments
from services.web.failures import STATUS
from services.web.forms import form_of
from services.web.run import Runner, run_for
from sessions import commands as do
from sessions.domain import Status, Survey
from sessions.queries import linked_survey
from sessions.survey_page import form, notice
from sessions.wording import LANGUAGES

PURPOSE = "survey:"  # of a link, before the survey's id
LONGEST = 40  # characters of one answer
NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
NOTICES = {
    "no-consent": "no-consent",
    "not-open": "closed",
    "no-such-link": "no-such-link",
    "no-such-survey": "no-such-link",
}
Chosen = Annotated[str | None, Query(max_length=20, description="it or en; the programme's first language when absent")]


def router(secret: bytes) -> APIRouter:
    """The two routes; `secret` signs personal links."""
    routes = APIRouter(dependencies=[open_to_all("the signed link names the person and the survey")])

    @routes.get("/s/{token}", response_class=HTMLResponse, responses=_pages(404))
    async def show(token: str, request: Request, lang: Chosen = None) -> HTMLResponse:
        """The survey as a form; or a notice that it was submitted, is not open, or that the link is not valid any more (404)."""
        try:
            link = _survey_link(secret, token)
            run = await run_for(request, link)
            survey = await _survey(link, run)
        except Refused as refused:
            return _refusal(refused, _language(lang))
        language = _language(lang, run.rules.notice.languages)
        if survey.status is Status.SUBMITTED:
            return notice("submitted", language)
        if survey.status is not Status.INVITED:
            return notice("closed", language)
        return form(instruments()[survey.instrument], survey.due, language, {}, {})

    @routes.post("/s/{token}", response_class=HTMLResponse, responses=_pages(303, 404, 409, 422, 503))
    async def submit(token: str, request: Request, lang: Chosen = None) -> Response:
        """Submit the survey. The page names each mistake and keeps every answer. The same form sent twice is one submission."""
        try:
            link = _survey_link(secret, token)
            run = await run_for(request, link)
            survey = await _survey(link, run)
            language = _language(lang, run.rules.notice.languages)
            return await _submit(survey, language, await _given(request, survey), run)
        except Refused as refused:
            return _refusal(refused, _language(lang))

    return routes


def _pages(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {each: {"description": "A page that says so", "content": {"text/html": {}}} for each in statuses}


def _survey_link(secret: bytes, token: str) -> Link:
    link = read_link(secret, token)
    if not link.purpose.startswith(PURPOSE):
        raise Refused("no-such-link", "This link is for something else.", Refusal.NOT_FOUND)
    return link


async def _survey(link: Link, run: Runner) -> Survey:
    return await run.query(linked_survey, link.purpose.removeprefix(PURPOSE), link.subject)


async def _given(request: Request, survey: Survey) -> dict[str, str]:
    """The answers as they were typed, by item; empty ones left out."""
    filled = await form_of(request)
    items = {item.id: filled.get(item.id) for item in instruments()[survey.instrument].items}
    return {item: text.strip()[:LONGEST] for item, text in items.items() if isinstance(text, str) and text.strip()}


async def _submit(survey: Survey, language: str, given: dict[str, str], run: Runner) -> Response:
    instrument = instruments()[survey.instrument]
    answers = {item: _number(text) for item, text in given.items()}
    # The same judgement as of the API; all mistakes at once, so that the person corrects the form once.
    wrong = instrument.mistakes(answers)
    if wrong:
        return form(instrument, survey.due, language, given, wrong, "errors", 422)
    command = do.SubmitSurvey(worker=survey.worker, instrument=survey.instrument, wave=survey.wave, answers=answers)
    try:
        await run(do.submit_survey, command)
    except Unavailable:
        return form(instrument, survey.due, language, given, {}, "later", 503)
    except Refused as refused:
        if refused.code != "submitted-already":
            raise
    return RedirectResponse(f"?lang={language}", 303)


def _number(text: str) -> float:
    """The number that was typed, with comma or point; NaN, which no instrument takes, for anything else."""
    # `float` alone would accept 1_0, and the digits of other scripts.
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else nan


def _language(chosen: str | None, offered: Sequence[str] = ()) -> str:
    if chosen in LANGUAGES:
        return str(chosen)
    return next((each for each in offered if each in LANGUAGES), next(iter(LANGUAGES)))


def _refusal(refused: Refused, language: str) -> HTMLResponse:
    """A notice with the status of the refusal. Raises refusals without a notice: they become problem documents, as in the API."""
    if refused.code not in NOTICES:
        raise refused
    return notice(NOTICES[refused.code], language, STATUS[refused.kind])
