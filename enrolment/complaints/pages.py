"""Pages of complaints: the list and one of them for whoever answers, and the own ones of a worker or a partner.

Invariant: no page for operators says which worker complained; facilitators have none at all.
"""

from datetime import UTC, date, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.complaints import commands as do
from enrolment.complaints import queries, wording
from enrolment.complaints.wording import FRAME, SENTENCES
from enrolment.submitting import submitted
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web.frame import Filled, page_router
from services.web.run import Reader, Run, Runner

router = page_router(FRAME)
Answering = Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR)]
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Myself = Annotated[Who, allowed(Role.WORKER, own={Role.WORKER: "their own complaints"})]
Referrer = Annotated[Who, allowed(Role.REFERRER, own={Role.REFERRER: "those of their own partner"})]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
Sent = Annotated[bool, Query(description="a complaint was just sent")]
ROWS = 25  # of a page
FIRST = 5  # on the page of today
MOST = 1_000  # that are counted


@router.get("/reclami")
async def complaints(
    request: Request,
    read: Reader,
    who: Answering,
    tutti: Annotated[bool, Query(description="also those that were answered")] = False,
    pagina: PageNumber = 1,
) -> Response:
    """List complaints, those that are due first on top; of all, the newest on top."""
    where, order = ({}, ["-received"]) if tutti else ({"open": True}, ["due", "_id"])
    total = await read.count("complaints", where)
    rows = await read.page("complaints", where, order, (pagina - 1) * ROWS, ROWS)
    today = read.rules.day_of(datetime.now(UTC))
    return FRAME.page(
        request, "complaints/all.html", who=who, rules=read.rules, rows=[_dated(each) for each in rows if "complaint" in each],
        total=total, page=pagina, pages=max(1, ceil(total / ROWS)), today=today, everything=tutti, words=wording,
        days=read.rules.complaint_days,
    )  # fmt: skip


@router.get("/reclami/{complaint}")
async def one_complaint(complaint: Id, request: Request, run: Run, who: Answering) -> Response:
    """One complaint, and the form to answer it. The look is in the log of the person who complained. 404 no-such-complaint."""
    return await _one(request, run, who, complaint, wording.ANSWERING.empty())


@router.post("/reclami/{complaint}")
async def answer(complaint: Id, request: Request, run: Run, who: Answering) -> Response:
    """Answer a complaint, once. 404 no-such-complaint · 409 complaint-answered."""
    form = await wording.ANSWERING.filled(request)
    body, status = form.checked(wording.Written), 422
    if body is not None:
        command = do.AnswerComplaint(complaint=complaint, text=body.text)
        failed = (await submitted(run, do.answer_complaint, command, form, SENTENCES, {})).status
        if failed is None:
            return RedirectResponse(f"/reclami/{complaint}", 303)
        status = failed
    return await _one(request, run, who, complaint, form, status)


@router.post("/reclami/{complaint}/passaggio")
async def escalate(complaint: Id, request: Request, run: Run, who: Answering) -> Response:
    """Hand a complaint to those who are responsible for the programme. 404 no-such-complaint · 409 escalated-already."""
    await run(do.escalate, do.Escalate(complaint=complaint))
    return RedirectResponse(f"/reclami/{complaint}", 303)


@router.get("/frammenti/reclami-aperti")
async def open_complaints(request: Request, read: Reader, who: Operator) -> Response:
    """The first of the complaints without an answer, what is due first on top, and the number of all."""
    where = {"open": True}
    total = await read.count("complaints", where, MOST)
    rows = await read.page("complaints", where, ["due", "_id"], 0, FIRST) if total else []
    today = read.rules.day_of(datetime.now(UTC))
    shown = [_dated(each) for each in rows]
    return FRAME.part(
        request, "complaints/open.html", who=who, rules=read.rules, rows=shown, total=total, today=today, words=wording
    )


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its last day as a day: it is stored as text."""
    return {**row, "due": date.fromisoformat(row["due"])}


@router.get("/me/reclamo")
async def my_complaints(request: Request, run: Run, who: Myself, inviato: Sent = False) -> Response:
    """The worker's own complaints with their answers, and the form of a new one."""
    return await _own(request, run, who, wording.COMPLAINING.empty(), sent=inviato)


@router.post("/me/reclamo")
async def complain(request: Request, run: Run, who: Myself) -> Response:
    """Take a complaint of the worker. 409 too-many-open · 410 erased."""
    return await _complained(request, run, who)


@router.get("/segnalazioni/reclamo")
async def partners_complaints(request: Request, run: Run, who: Referrer, inviato: Sent = False) -> Response:
    """The complaints of the partner with their answers, and the form of a new one."""
    return await _own(request, run, who, wording.COMPLAINING.empty(), sent=inviato)


@router.post("/segnalazioni/reclamo")
async def complain_for_partner(request: Request, run: Run, who: Referrer) -> Response:
    """Take a complaint of the partner. 409 too-many-open · 422 no-such-partner."""
    return await _complained(request, run, who)


async def _complained(request: Request, run: Runner, who: Who) -> Response:
    form = await wording.COMPLAINING.filled(request)
    body, status = form.checked(wording.Written), 422
    if body is not None:
        named = {"worker": who.subject} if who.role is Role.WORKER else {"partner": who.partner}
        failed = (await submitted(run, do.complain, do.Complain(text=body.text, **named), form, SENTENCES, {})).status
        if failed is None:
            return RedirectResponse(f"{request.url.path}?inviato=true", 303)
        status = failed
    return await _own(request, run, who, form, status)


async def _own(
    request: Request, run: Runner, who: Who, form: Filled, status: int = 200, *, sent: bool = False
) -> Response:
    is_worker = who.role is Role.WORKER
    found = await run.query(
        queries.complaints_of, who.subject if is_worker else None, None if is_worker else who.partner
    )
    return FRAME.page(
        request, "complaints/own.html", who=who, rules=run.rules, form=form, found=found, sent=sent, status=status, words=wording,
        days=run.rules.complaint_days, is_worker=is_worker, office=run.rules.office,
    )  # fmt: skip


async def _one(request: Request, run: Runner, who: Who, complaint: str, form: Filled, status: int = 200) -> Response:
    found = await run.query(queries.one_complaint, complaint)
    partner = run.rules.partner(found.partner) if found.partner else None
    return FRAME.page(
        request, "complaints/one.html", who=who, rules=run.rules, form=form, found=found, partner=partner, words=wording,
        status=status,
    )  # fmt: skip
