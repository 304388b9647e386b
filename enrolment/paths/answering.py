"""The page behind the link that a receiver of a request gets: it answers here, without an account.

Invariants: the page shows what is needed to answer, and name and contact of the person only as they consented to with this request; the
link answers once; whoever opens a link that opens nothing reads no more than that.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.paths import commands as do
from enrolment.paths import forms, queries, wording
from enrolment.paths.refusals import AT, SENTENCES
from enrolment.paths.wording import FRAME
from enrolment.submitting import submitted
from services.contracts.paths import Answer
from services.identity.auth import Role, Who, open_to_all
from services.kernel import Refused
from services.web.failures import STATUS
from services.web.frame import Filled, page_router
from services.web.run import Runner, Serving

router = page_router(FRAME)
Token = Annotated[str, Path(max_length=200)]
OPEN = open_to_all("the token, 256 random bits, names the request, and stands for the organisation that was asked")


@router.get("/risposta/{token}", dependencies=[OPEN])
async def asked(token: Token, request: Request) -> Response:
    """The request as a form to answer; or that it was answered, or that the link is not valid any more (404)."""
    try:
        run, found, _ = await _opened(token, request)
    except Refused as refused:
        return _refusal(request, refused)
    return _page(request, run, found, forms.ANSWERING.empty())


@router.post("/risposta/{token}", dependencies=[OPEN])
async def answer(token: Token, request: Request) -> Response:
    """Show the answer once more, and then take it, once. 422: what is wrong stands at its field."""
    try:
        run, found, opened = await _opened(token, request)
        if found.used:
            return RedirectResponse(request.url.path, 303)
        filled = await forms.ANSWERING.filled(request)
        body = filled.checked(forms.Answered) if filled.step != "change" else None
        if body is not None and body.answer is Answer.REFUSED and body.reason is None:
            filled.wrong("reason", SENTENCES["no-reason"])
        if body is None or filled.errors:
            return _page(request, run, found, filled, 422 if filled.errors else 200)
        if filled.step == "check":
            return _check(request, run, found, filled, body)
        command = do.AnswerRequest(request=opened.request, answer=body.answer, reason=body.reason, token=token)
        status = (await submitted(run, do.answer_request, command, filled, SENTENCES, AT)).status
    except Refused as refused:
        return _refusal(request, refused)
    return RedirectResponse(request.url.path, 303) if status is None else _page(request, run, found, filled, status)


async def _opened(token: str, request: Request) -> tuple[Runner, queries.ForReceiver, queries.Opened]:
    """The request of the link, as its receiver may see it. Refused("no-such-link", 404)."""
    service: Serving = request.app.state.service
    opened = await queries.opened_by(service.store, service.rules, token, datetime.now(UTC))
    # The organisation that was asked, as the log of accesses shows it. No key: the link itself answers once.
    who = Who(Role.PARTNER_SYSTEM, opened.receiver, opened.programme, opened.receiver)
    run = Runner(request, who, None, None)
    return run, await run.query(queries.for_receiver, opened.request, token), opened


def _page(request: Request, run: Runner, found: queries.ForReceiver, filled: Filled, status: int = 200) -> Response:
    return FRAME.page(
        request, "paths/answering.html", rules=run.rules, found=found, form=filled, words=wording, office=run.rules.office,
        status=status,
    )  # fmt: skip


def _check(request: Request, run: Runner, found: queries.ForReceiver, filled: Filled, body: forms.Answered) -> Response:
    return FRAME.page(
        request, "paths/answer_check.html", rules=run.rules, found=found, form=filled, answer=wording.ANSWERS[body.answer],
        reason=wording.REASONS[body.reason] if body.answer is Answer.REFUSED and body.reason else None,
    )  # fmt: skip


def _refusal(request: Request, refused: Refused) -> Response:
    """That the link opens nothing, whatever the reason."""
    if refused.code not in {"no-such-link", "erased", "no-such-request", "no-such-service"}:
        raise refused
    return FRAME.page(request, "paths/no_link.html", status=STATUS[refused.kind])
