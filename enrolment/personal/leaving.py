"""Pages on which a worker leaves the programme or erases themself: they ask here, and confirm by the link of a message.

Invariant: the page that asks changes nothing, and the link that confirms is used once. Opening a link has no effect: mail programs open
links by themselves.
"""

from datetime import UTC, datetime

from fastapi import Request, Response
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from enrolment.domain import LASTS
from enrolment.personal import commands as do
from enrolment.personal import queries
from enrolment.personal.api import Token
from enrolment.personal.pages import Myself, myself
from enrolment.personal.wording import FRAME, REASONS
from services.contracts.base import Slug
from services.contracts.enrolment import Leaving, LinkPurpose
from services.identity.auth import Role, Who, open_to_all
from services.kernel import Refusal, Refused
from services.programmes import Programme
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Run, Runner, Serving

router = page_router(FRAME)
PURPOSES = {"lascia": LinkPurpose.LEAVE, "cancella": LinkPurpose.ERASE}
FORM = Form(
    Field(
        "reason",
        N_("Why do you leave?"),
        kind=Kind.RADIOS,
        options=REASONS,
        why=N_("to understand what the programme can do better; others are told only if you found work or not"),
    )
)


class Chosen(BaseModel):
    """The reason of leaving."""

    reason: Leaving


@router.get("/me/lascia")
@router.get("/me/cancella")
async def ask(request: Request, run: Run, who: Myself) -> Response:
    """Say what would happen, what cannot be undone, and how it is confirmed; without an address, whom to ask. 410 erased."""
    return _ask(request, run, who, await myself(run, who))


@router.post("/me/lascia")
@router.post("/me/cancella")
async def send(request: Request, run: Run, who: Myself) -> Response:
    """Send the message with the link that confirms. Asked for twice in a moment, it is sent once. 410 erased · 409 not-enrolled."""
    found, step = await myself(run, who), _step(request)
    try:
        await run(do.issue_link, do.IssueLink(worker=who.subject, purpose=PURPOSES[step]))
    except Refused as refused:
        if refused.code in {"no-address", "no-contact"}:
            return _ask(request, run, who, found)  # it says whom to ask
        if refused.code != "link-sent":
            raise
    return RedirectResponse(f"/me/{step}/inviata", 303)


@router.get("/me/lascia/inviata")
@router.get("/me/cancella/inviata")
async def sent(request: Request, run: Run, who: Myself) -> Response:
    """Say where the message was sent, for how long its link works, and what to do when none comes. 410 erased."""
    found, step = await myself(run, who), _step(request)
    minutes = int(LASTS[PURPOSES[step]].total_seconds() // 60)
    return FRAME.page(
        request, "sent.html", who=who, rules=run.rules, me=found, step=step, minutes=minutes, office=run.rules.office
    )


@router.get("/me/conferma/{token}", dependencies=[open_to_all("the token, 256 random bits, names person and step")])
async def confirmation(token: Token, request: Request) -> Response:
    """Say what the button of this page does. Nothing happens by opening it. 404 no-such-link."""
    opened, rules, _ = await _opened(token, request)
    return _confirm(request, rules, token, opened, FORM.empty())


@router.post("/me/conferma/{token}", dependencies=[open_to_all("the token, 256 random bits, names person and step")])
async def confirm(token: Token, request: Request) -> Response:
    """Leave the programme, or erase the person; then the link is used up. 404 no-such-link · 409 not-enrolled · 422 without a reason to
    leave."""
    opened, rules, run = await _opened(token, request)
    if opened.purpose is LinkPurpose.ERASE:
        done = await run(do.confirm_erasure, do.ConfirmErasure(worker=opened.worker, token=token))
        return RedirectResponse(f"/me/ricevuta/{done['receipt']}", 303)
    filled = await FORM.filled(request)
    chosen = filled.checked(Chosen)
    if chosen is None:
        return _confirm(request, rules, token, opened, filled)
    command = do.ConfirmLeaving(worker=opened.worker, token=token, reason=chosen.reason)
    await run(do.confirm_leaving, command)
    return RedirectResponse("/me/fatto/lascia", 303)


@router.get("/me/fatto/lascia", dependencies=[open_to_all("it names nobody: it says what was done")])
async def done(request: Request) -> Response:
    """Say what was done, and what follows. It is the same for everybody."""
    return FRAME.page(request, "done.html")


@router.get("/me/ricevuta/{number}", dependencies=[open_to_all("the number, 80 random bits, names no person")])
async def receipt(number: Slug, request: Request) -> Response:
    """The receipt of an erasure: its number and day, what was destroyed, what stays and why. 404 no-such-receipt."""
    service: Serving = request.app.state.service
    found = await queries.receipt_by(service.store, service.rules, number)
    rules = service.rules[found.programme]
    return FRAME.page(request, "receipt_of_erasure.html", rules=rules, receipt=found, office=rules.office)


async def _opened(token: str, request: Request) -> tuple[queries.Opened, Programme, Runner]:
    """Whose link it is, and a runner for them. Refused("no-such-link", 404), also for the link of the own page."""
    service: Serving = request.app.state.service
    opened = await queries.opened_by(service.store, service.rules, token, datetime.now(UTC))
    if opened.purpose not in PURPOSES.values():
        raise Refused("no-such-link", "This link confirms nothing.", Refusal.NOT_FOUND)
    who = Who(Role.WORKER, opened.worker, opened.programme)
    return opened, service.rules[opened.programme], Runner(request, who, None, None)


def _confirm(request: Request, rules: Programme, token: str, opened: queries.Opened, filled: Filled) -> Response:
    template = "confirm_leaving.html" if opened.purpose is LinkPurpose.LEAVE else "confirm_erasure.html"
    return FRAME.page(request, template, rules=rules, form=filled, token=token, office=rules.office)


def _ask(request: Request, run: Run, who: Who, me: queries.Me) -> Response:
    template = "leave.html" if _step(request) == "lascia" else "erase.html"
    return FRAME.page(
        request,
        template,
        who=who,
        rules=run.rules,
        me=me,
        enrolled=me.status in queries.ENROLLED,
        office=run.rules.office,
    )


def _step(request: Request) -> str:
    """The step of an address: lascia or cancella."""
    return request.url.path.split("/")[2]
