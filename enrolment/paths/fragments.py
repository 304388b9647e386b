"""What a worker says of their own requests, and fragments for other pages: requests of one person, and those without an answer."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.domain.requests import LATE
from enrolment.paths import commands as do
from enrolment.paths import forms, queries, wording
from enrolment.paths.refusals import AT, SENTENCES
from enrolment.paths.wording import FRAME
from enrolment.submitting import submitted
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web.frame import Filled, page_router
from services.web.run import Reader, Run, Runner

router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Myself = Annotated[Who, allowed(Role.WORKER, own={Role.WORKER: "their own requests"})]
OfWorker = Annotated[Id, Query(description="whose requests")]
FIRST = 5  # rows on another page
MOST = 1_000  # that are counted


@router.get("/frammenti/richieste")
async def requests_of(worker: OfWorker, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Requests for one person and the services of which they were told, for their sheet. The look is in the log of the person."""
    found = await run.query(queries.requests_of, worker)
    told = await read.page("signposts", {"worker": worker}, ["-at"], 0, FIRST)
    services = await run.query(queries.services_named, [each["service"] for each in told])
    return FRAME.part(
        request, "paths/of_one.html", who=who, rules=read.rules, found=found, told=told, services=services, worker=worker,
        words=wording,
    )  # fmt: skip


@router.get("/frammenti/mie-richieste")
async def my_requests(request: Request, run: Run, who: Myself) -> Response:
    """The requests of the worker who asks, in words, and the one question about each that was accepted."""
    found = await run.query(queries.requests_of, who.subject)
    return FRAME.part(request, "paths/mine.html", who=who, rules=run.rules, found=found, words=wording)


@router.get("/frammenti/richieste-senza-risposta")
async def unanswered(request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """The first of the requests that should have an answer by now, and the number of all."""
    where = {"waits": True, "since": {"$lt": datetime.now(UTC) - LATE}}
    total = await read.count("requests", where, MOST)
    rows = await read.page("requests", where, ["since", "_id"], 0, FIRST) if total else []
    await read.note_accesses([each["worker"] for each in rows], "requests")
    services = await run.query(queries.services_named, [each["service"] for each in rows])
    return FRAME.part(
        request, "paths/unanswered.html", who=who, rules=read.rules, rows=rows, total=total, services=services, first=FIRST,
        days=LATE.days,
    )  # fmt: skip


@router.get("/me/richieste/{asked}")
async def my_request(asked: Id, request: Request, run: Run, who: Myself) -> Response:
    """Ask the worker if the need behind their request was met. 404 no-such-request."""
    return await _need(request, run, who, asked, forms.NEED.empty())


@router.post("/me/richieste/{asked}")
async def tell_need(asked: Id, request: Request, run: Run, who: Myself) -> Response:
    """Take the worker's word, once. 404 no-such-request · 409 not-asked, told-already."""
    filled = await forms.NEED.filled(request)
    body, status = filled.checked(forms.Need), 422
    if body is not None:
        command = do.TellNeed(worker=who.subject, request=asked, met=body.met)
        failed = (await submitted(run, do.tell_need, command, filled, SENTENCES, AT)).status
        if failed is None:
            return RedirectResponse(request.url.path, 303)
        status = failed
    return await _need(request, run, who, asked, filled, status)


async def _need(request: Request, run: Runner, who: Who, asked: str, filled: Filled, status: int = 200) -> Response:
    found = await run.query(queries.own_request, who.subject, asked)
    return FRAME.page(
        request, "paths/need.html", who=who, rules=run.rules, asked=found.request, service=found.service, form=filled,
        words=wording, status=status,
    )  # fmt: skip
