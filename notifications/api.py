"""The routes of notifications: the state of messages and feeds, never their content or an address."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from notifications import queries
from notifications.deliveries import Delivered, Deliveries
from notifications.domain import Status
from services.contracts.base import Day, Id, Slug
from services.identity.auth import Role, Who, allowed
from services.programmes import agreed_with
from services.web.run import Reader

router = APIRouter()


def _documents(request: Request) -> Any:
    return request.app.state.service.store


Documents = Annotated[Any, Depends(_documents)]


class MessageState(BaseModel):
    """A message and its state, without content. `tries` counts attempts, `reason` is the code for which it was given up."""

    id: str
    worker: str
    about: str
    reference: str
    day: Day
    status: Status
    tries: int
    reason: str | None = None


@router.get("/messages")
async def messages(
    documents: Documents,
    read: Reader,
    who: Annotated[Who, allowed(Role.OPERATOR)],
    worker: Annotated[Id | None, Query(description="only theirs")] = None,
    about: Annotated[Slug | None, Query(description="only about this: seat")] = None,
    status: Status | None = None,
    after: Annotated[Id | None, Query(description="the last id of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[MessageState]:
    """Messages, oldest first. Addresses and texts are stored nowhere. The read is written to the access logs of these people."""
    wanted = {"worker": worker, "about": about, "status": status}
    asked = {name: str(value) for name, value in wanted.items() if value is not None}
    found = await queries.messages(documents, who.programme, asked, after, limit)
    # That somebody has no message is told, too.
    asked_for = [worker] if worker is not None and await read.knows(worker) else []
    await read.note_accesses([*asked_for, *(message.worker for message, _ in found)], "messages")
    return [
        MessageState(**message.model_dump(exclude={"correlation", "tries"}), tries=tries) for message, tries in found
    ]


class Ledger(BaseModel):
    """The last sequence of a partner's ledger, and the last delivered one; `stopped` is the reason why no more is delivered."""

    partner: str
    last: int = 0
    delivered: int = 0
    stopped: str | None = None


@router.get("/feeds")
async def feeds(
    documents: Documents, read: Reader, who: Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR)]
) -> list[Ledger]:
    """The ledgers of the programme's partners, by partner, without their entries: only the partner reads these."""
    agreed = {partner.id for partner in read.rules.partners if agreed_with(partner.id, read.rules)}
    last, delivered = await queries.ledgers(documents, who.programme), await Deliveries(documents).of(who.programme)
    nothing = {each: Delivered(partner=each, delivered=0) for each in agreed | last.keys()}
    known = sorted((nothing | delivered).items())
    return [Ledger(last=last.get(partner, 0), **each.model_dump()) for partner, each in known]
