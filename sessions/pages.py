"""The survey behind a personal link. The holder of the link is taken for the person; the link opens this one survey and nothing else.

Invariant: whoever opens a link that opens nothing reads why, and whom to ask; nothing is told about the person or the survey.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from services.identity.auth import Role, Who, allowed, open_to_all
from services.kernel import Refusal, Refused, Unavailable
from services.programmes.instruments import Instrument
from services.web.failures import STATUS
from services.web.frame import Filled, Form, Frame, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Reader, Runner, run_for
from sessions import commands as do
from sessions import queries
from sessions.domain import Status, Survey
from sessions.survey_page import answers_of, form_of_survey, judge, language_for

FRAME = Frame("sessions")
Token = Annotated[str, Path(max_length=200)]
OPEN = open_to_all("the token of the link names the person and the survey")
ASK = N_("If you think that this is a mistake, or need a new link, ask whoever welcomed you.")
# Title, sentence, and what to do, by the code of a refusal.
NOTICES = {
    "no-such-link": (
        N_("This link is not valid any more"),
        N_("A newer one may have been sent to you: look for the last message."),
        ASK,
    ),
    "closed": (
        N_("This questionnaire is closed"),
        N_("The time to answer it is over. There is nothing you have to do."),
        ASK,
    ),
    "not-open": (N_("This questionnaire is not open"), N_("There is nothing you have to do."), ASK),
    "no-consent": (
        N_("We do not ask you anything"),
        N_("You have not consented to research, or have withdrawn your consent."),
        N_("If you change your mind, tell whoever welcomed you."),
    ),
    "submitted": (
        N_("Thank you, your answers have arrived"),
        N_("Nobody reads them with your name. You cannot change them any more, and you can close this page."),
        N_("If you have a question, ask whoever welcomed you."),
    ),
}
LATER = N_("The service does not answer at this moment. Your answers are still here: try again shortly.")


def router(instruments: Mapping[str, Instrument]) -> APIRouter:
    """The survey's page, and what operators are told about instruments without wording. `instruments`: with their wording."""
    routes = page_router(FRAME)

    @routes.get("/questionario/{token}", dependencies=[OPEN])
    async def survey(token: Token, request: Request) -> Response:
        """The survey as a form; or that it was answered, is closed, or that the link is not valid any more (404)."""
        try:
            found, run = await _opened(token, request)
            if found.status is Status.SUBMITTED:
                return _notice(request, "submitted")
            instrument = _worded(found, instruments)
        except Refused as refused:
            return _refusal(request, refused)
        return _page(request, found, instrument, _form(request, instrument).empty(), run)

    @routes.post("/questionario/{token}", dependencies=[OPEN])
    async def submission(token: Token, request: Request) -> Response:
        """Submit the survey. The page names each mistake and keeps every answer. The same form sent twice is one submission."""
        try:
            found, run = await _opened(token, request)
            if found.status is not Status.SUBMITTED:
                instrument = _worded(found, instruments)
                filled = await _form(request, instrument).filled(request)
                status = await _submitted(found, instrument, filled, run)
                if filled.errors:
                    return _page(request, found, instrument, filled, run, status)
        except Refused as refused:
            return _refusal(request, refused)
        return RedirectResponse(request.url.path, 303)

    @routes.get("/frammenti/questionari")
    async def unworded(
        request: Request, read: Reader, who: Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR)]
    ) -> Response:
        """A fragment for the page of today: the instruments of the programme that nobody is sent, since they have no wording."""
        asked = dict.fromkeys(each.instrument for each in read.rules.active.surveys)
        missing = [instruments[each] for each in asked if not instruments[each].languages]
        return FRAME.part(request, "surveys/unworded.html", who=who, rules=read.rules, missing=missing)

    return routes


async def _opened(token: str, request: Request) -> tuple[Survey, Runner]:
    """The survey of the link. Refused("no-such-link", 404), or as `linked_survey`."""
    service = request.app.state.service
    linked = await queries.survey_of_link(service.store, service.rules, token)
    if linked is None:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    run = run_for(request, linked.worker, linked.programme)
    return await run.query(queries.linked_survey, linked.survey), run


def _worded(survey: Survey, instruments: Mapping[str, Instrument]) -> Instrument:
    """The instrument with its wording. Refused("not-open") when the wording was taken away since the link was sent."""
    instrument = instruments.get(survey.instrument)
    if instrument is None or not instrument.languages:
        raise Refused("not-open", f"Survey {survey.id} has no wording.")
    return instrument


def _form(request: Request, instrument: Instrument) -> Form:
    return form_of_survey(instrument, language_for(instrument, language_of(request, LANGUAGES)))


async def _submitted(survey: Survey, instrument: Instrument, filled: Filled, run: Runner) -> int:
    """Judge the answers and submit them. Returns the status for a form with mistakes; its errors are empty when it was taken."""
    answers = answers_of(filled)
    if not judge(filled, instrument, answers):
        return 422
    command = do.SubmitSurvey(worker=survey.worker, instrument=survey.instrument, wave=survey.wave, answers=answers)
    try:
        await run(do.submit_survey, command)
    except Unavailable:
        filled.errors[""] = LATER
    except Refused as refused:
        if refused.code != "submitted-already":
            raise
    return 503


def _page(
    request: Request, survey: Survey, instrument: Instrument, filled: Filled, run: Runner, status: int = 200
) -> Response:
    language = language_for(instrument, language_of(request, LANGUAGES))
    shown: dict[str, Any] = {
        "title": instrument.titles.get(language, instrument.title),
        "introduction": instrument.introduction.get(language),
        "all": not any(instrument.may_be_left(each.id) for each in instrument.items),
        "worded_in": language,
        "until": survey.until,
    }
    return FRAME.page(request, "surveys/survey.html", rules=run.rules, status=status, form=filled, **shown)


def _notice(request: Request, code: str, status: int = 200) -> Response:
    title, sentence, then = NOTICES[code]
    return FRAME.page(request, "surveys/notice.html", status=status, title=title, sentence=sentence, then=then)


def _refusal(request: Request, refused: Refused) -> Response:
    """A notice with the status of the refusal. Raises refusals without one: they become pages of the frame."""
    code = "no-such-link" if refused.code in {"no-such-survey", "erased"} else refused.code
    if code not in NOTICES:
        raise refused
    return _notice(request, code, STATUS[refused.kind])
