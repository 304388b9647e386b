"""Messages for operators: a list by state, and fragments for the page of a person and for the page of today. Never a text or an address."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request, Response

from notifications import messages_said as said
from notifications import queries
from notifications.domain import Message, Status
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.web.frame import Frame, page_router
from services.web.frame.texts import N_
from services.web.run import Reader

FRAME = Frame("notifications")
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
FIRST = 20  # rows of a fragment
ROWS = 50  # of a page
OF_ONE = 100  # messages to one person
RECENT = timedelta(days=14)  # a failure that is older is no task of today
TABS = {
    "non-consegnati": (Status.FAILED, N_("Not delivered")),
    "in-partenza": (Status.QUEUED, N_("About to be sent")),
    "in-attesa": (Status.HELD, N_("Waiting for consent")),
    "inviati": (Status.SENT, N_("Sent")),
}
Tab = Annotated[str, Query(pattern="^(non-consegnati|in-partenza|in-attesa|inviati)$")]


@router.get("/messaggi")
async def messages(
    request: Request,
    read: Reader,
    who: Operator,
    stato: Tab = "non-consegnati",
    pagina: Annotated[int, Query(ge=1, le=1000 // ROWS)] = 1,
) -> Response:
    """The messages in one state, the newest first, with the total. The read is written to the access logs of these people."""
    status, _ = TABS[stato]
    store = request.app.state.service.store
    found = await queries.page_of(store, who.programme, status, ROWS, (pagina - 1) * ROWS)
    await _noted(read, found.rows)
    shown: dict[str, Any] = {"tabs": TABS, "chosen": stato, "page": pagina, "pages": max(1, ceil(found.total / ROWS))}
    return FRAME.page(
        request, "messages/all.html", who=who, rules=read.rules, rows=found.rows, total=found.total, most=queries.MOST,
        said=said, **shown,
    )  # fmt: skip


@router.get("/frammenti/messaggi")
async def of_one(request: Request, read: Reader, who: Operator, worker: Id) -> Response:
    """A fragment: the messages to one person, in words. The read is written to their access log."""
    store = request.app.state.service.store
    rows = await queries.messages_to(store, who.programme, worker, OF_ONE)
    if await read.knows(worker):  # that somebody has no message is told, too
        await read.note_accesses([worker], "messages")
    return FRAME.part(request, "messages/of_one.html", who=who, rules=read.rules, rows=rows, said=said)


@router.get("/frammenti/oggi")
async def today(request: Request, read: Reader, who: Operator) -> Response:
    """A fragment: the first of the messages that failed lately, with their number. The read is written to the access logs."""
    since, store = datetime.now(UTC) - RECENT, request.app.state.service.store
    found = await queries.page_of(store, who.programme, Status.FAILED, FIRST, since=since)
    await _noted(read, found.rows)
    return FRAME.part(
        request, "messages/today.html", who=who, rules=read.rules, rows=found.rows, total=found.total, most=queries.MOST,
        said=said,
    )  # fmt: skip


async def _noted(read: Reader, rows: list[Message]) -> None:
    await read.note_accesses([each.worker for each in rows], "messages")
