"""The routes of notifications: what was told and how far, never what it said or where it went."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from notifications import queries
from notifications.agreements import agreed_with
from notifications.domain import Status
from services.contracts.base import Day, Id, Slug
from services.identity.auth import Role, Who, allowed
from services.web.run import Reader

router = APIRouter()


def _documents(request: Request) -> Any:
    return request.app.state.service.store


Documents = Annotated[Any, Depends(_documents)]


class Told(BaseModel):
    """A message: to whom, about what, and what became of it. `tries` counts attempts, `reason` is why it was given up."""

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
    who: Annotated[Who, allowed(Role.OPERATOR)],
    worker: Annotated[Id | None, Query(description="only theirs")] = None,
    about: Annotated[Slug | None, Query(description="only about this: seat")] = None,
    status: Status | None = None,
    after: Annotated[Id | None, Query(description="the last id of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[Told]:
    """Messages, oldest first. Addresses and texts are nowhere kept."""
    wanted = {"worker": worker, "about": about, "status": status}
    asked = {name: str(value) for name, value in wanted.items() if value is not None}
    found = await queries.messages(documents, who.programme, asked, after, limit)
    return [Told(**message.model_dump(exclude={"correlation", "tries"}), tries=tries) for message, tries in found]


class Ledger(BaseModel):
    """How long a partner's ledger is, and how far it is delivered; `stopped` says why no further."""

    partner: str
    last: int = 0
    delivered: int = 0
    stopped: str | None = None


@router.get("/feeds")
async def feeds(
    documents: Documents, read: Reader, who: Annotated[Who, allowed(Role.OPERATOR, Role.ADMINISTRATOR)]
) -> list[Ledger]:
    """The ledgers of the programme's partners, by partner; what is in them only the partner reads."""
    agreed = {partner.id for partner in read.rules.partners if agreed_with(partner.id, read.rules)}
    last, delivered = (
        await queries.ledgers(documents, who.programme),
        await queries.deliveries(documents, who.programme),
    )
    partners = sorted(agreed | last.keys() | delivered.keys())
    return [Ledger(partner=each, last=last.get(each, 0), **delivered.get(each, {})) for each in partners]
