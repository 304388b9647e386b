"""Pages of situations after the programme: whom to ask, the form of an operator, and the one question to the person themselves."""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.outcomes import commands as do
from enrolment.outcomes import queries, wording
from enrolment.outcomes.wording import AT, FRAME, SENTENCES
from enrolment.submitting import submitted
from services.contracts.base import Id
from services.contracts.paths import OutcomeMoment
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, code_of
from services.web.frame import Filled, page_router
from services.web.run import Reader, Reading, Run, Runner

router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Myself = Annotated[Who, allowed(Role.WORKER, own={Role.WORKER: "their own situation"})]
Moment = Literal["uscita", "sei-mesi"]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
ROWS = 25  # of a page


@router.get("/esiti")
async def due(
    request: Request,
    read: Reader,
    who: Operator,
    momento: Annotated[Moment, Query(description="for which moment")] = "uscita",
    pagina: PageNumber = 1,
    salvato: Annotated[bool, Query(description="whether a situation was just saved")] = False,
) -> Response:
    """List by code the people whose situation has to be asked, for one of the moments."""
    today = read.rules.day_of(datetime.now(UTC))
    where, order = queries.due(wording.SLUGS[momento], today)
    total = await read.count("exits", dict(where))
    rows = await read.page("exits", dict(where), order, (pagina - 1) * ROWS, ROWS)
    shown = [{"worker": each["worker"], "left": queries.left_in(each, read.rules)} for each in rows]
    return FRAME.page(
        request, "outcomes/due.html", who=who, rules=read.rules, rows=shown, total=total, page=pagina, moment=momento,
        pages=max(1, ceil(total / ROWS)), words=wording, saved=salvato,
    )  # fmt: skip


@router.get("/persone/{worker}/esito/{momento}")
async def ask(worker: Id, momento: Moment, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """The form of the situation of one person. The look is in their log. 404 no-such-worker."""
    row = await _row(read, worker)
    known = (await run.query(queries.outcomes_of, worker)).get(wording.SLUGS[momento])
    last = known.last if known is not None else None
    today = read.rules.day_of(datetime.now(UTC))
    form = wording.RECORD.empty(
        left=wording.typed(queries.left_in(row, read.rules)),
        situation=last.situation.value if last else "",
        day=wording.typed(last.day if last else today),
    )
    return _form(request, run, who, worker, momento, form)


@router.post("/persone/{worker}/esito/{momento}")
async def record(worker: Id, momento: Moment, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Record the situation. 404 no-such-worker · 409 never-admitted, out-of-order, same-outcome."""
    await _row(read, worker)
    form = await wording.RECORD.filled(request)
    body, status = form.checked(wording.Recorded), 422
    if body is not None:
        command = do.RecordOutcome(worker=worker, moment=wording.SLUGS[momento], **body.model_dump())
        failed = (await submitted(run, do.record_outcome, command, form, SENTENCES, AT)).status
        if failed is None:
            return RedirectResponse(f"/esiti?momento={momento}&salvato=true", 303)
        status = failed
    return _form(request, run, who, worker, momento, form, status)


@router.get("/frammenti/esiti")
async def outcomes_of(
    worker: Annotated[Id, Query(description="whose situation")], request: Request, run: Run, who: Operator
) -> Response:
    """The situations of one person after the programme, for their sheet. The look is in their log."""
    found = await run.query(queries.outcomes_of, worker)
    return FRAME.part(
        request, "outcomes/of_one.html", who=who, rules=run.rules, found=found, worker=worker, words=wording
    )


@router.get("/frammenti/mio-esito")
async def my_outcome(request: Request, read: Reader, who: Myself) -> Response:
    """The question to the worker who asks, when it is time for it; else nothing."""
    moment = await _asked(read, who)
    return FRAME.part(request, "outcomes/mine.html", who=who, rules=read.rules, asked=moment is not None)


@router.get("/me/esito")
async def my_situation(
    request: Request, read: Reader, who: Myself, fatto: Annotated[bool, Query(description="it was just said")] = False
) -> Response:
    """Ask the worker how things are, when it is time for it."""
    return _own(request, read, who, wording.TELL.empty(), await _asked(read, who) if not fatto else None, fatto)


@router.post("/me/esito")
async def tell_situation(request: Request, run: Run, read: Reader, who: Myself) -> Response:
    """Take what the worker says of today. 409 out-of-order, same-outcome."""
    moment, row = await _asked(read, who), await read.row("exits", who.subject)
    form = await wording.TELL.filled(request)
    left, today = queries.left_in(row, read.rules), read.rules.day_of(datetime.now(UTC))
    if moment is None or left is None:
        return _own(request, read, who, form, None, fatto=False, status=409)
    body, status = form.checked(wording.Said), 422
    if body is not None:
        command = do.RecordOutcome(worker=who.subject, moment=moment, situation=body.situation, day=today, left=left)
        failed = (await submitted(run, do.record_outcome, command, form, SENTENCES, {})).status
        if failed is None:
            return RedirectResponse("/me/esito?fatto=true", 303)
        status = failed
    return _own(request, read, who, form, moment, fatto=False, status=status)


async def _asked(read: Reading, who: Who) -> OutcomeMoment | None:
    row = await read.row("exits", who.subject)
    return queries.asked_of(row, read.rules, read.rules.day_of(datetime.now(UTC)))


async def _row(read: Reading, worker: str) -> dict[str, Any]:
    """The row of somebody who took part. Refused("no-such-worker", 404)."""
    row = await read.row("exits", worker)
    if row is None:
        raise Refused("no-such-worker", f"Nobody of that id took part: {worker}.", Refusal.NOT_FOUND)
    return row


def _own(
    request: Request,
    read: Reading,
    who: Who,
    form: Filled,
    moment: OutcomeMoment | None,
    fatto: bool,
    status: int = 200,
) -> Response:
    return FRAME.page(
        request, "outcomes/own.html", who=who, rules=read.rules, form=form, asked=moment is not None, said_it=fatto, status=status
    )  # fmt: skip


def _form(
    request: Request, run: Runner, who: Who, worker: str, momento: str, form: Filled, status: int = 200
) -> Response:
    return FRAME.page(
        request, "outcomes/record.html", who=who, rules=run.rules, form=form, worker=worker, code=code_of(worker),
        title=wording.MOMENTS[wording.SLUGS[momento]], moment=momento, status=status,
    )  # fmt: skip
