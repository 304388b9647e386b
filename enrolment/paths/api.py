"""Routes of the catalogue, of sign-posting and of requests, for programs."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from enrolment.domain import OfferedService, ServiceRequest
from enrolment.paths import commands as do
from enrolment.paths import queries
from services.contracts.base import Id, Slug
from services.contracts.enrolment import How
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, ServiceKind, ServiceRegistered
from services.identity.auth import Role, Who, allowed
from services.web import Body, Day, Email, Line, Moment, Note, Telephone
from services.web.run import Reader, Run

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Oneself = Annotated[Who, allowed(Role.WORKER)]
LIMIT = Annotated[int, Query(ge=1, le=1000)]


class ServiceBody(Body):
    """A territorial service; the names of the fields are those of Open Referral HSDS."""

    name: Line
    kind: ServiceKind
    organization_id: Slug = Field(description="a partner of the programme, or another organisation")
    organization_name: Line
    description: Note | None = None
    eligibility_description: Note | None = None
    application_process: Note | None = None
    email: Email | None = None
    phone: Telephone | None = None
    url: Line | None = None
    valid_from: Day | None = None
    valid_to: Day | None = Field(default=None, description="last day on which the notes on eligibility hold")
    assured_date: Day | None = None


@router.get("/services")
async def services(read: Reader, who: Operator, limit: LIMIT = 200) -> list[queries.CatalogueService]:
    """The catalogue, by id; inactive services too."""
    today = read.rules.day_of(datetime.now(UTC))
    return [queries.described(row, today) for row in await read.rows("services", limit=limit)]


@router.put("/services/{service}", status_code=204)
async def register(service: Slug, body: ServiceBody, run: Run, who: Operator) -> None:
    """Add a service or correct it. 409 id-taken · 412 changed meanwhile (If-Match) · 422 wrong-period."""
    content = ServiceRegistered(**body.model_dump())
    command = do.RegisterService(service=service, content=content)
    await run(do.register_service, command, edits=(OfferedService, service))


@router.post("/services/{service}/retirement", status_code=204)
async def retirement(service: Slug, run: Run, who: Operator) -> None:
    """Offer a service no more; requests that were made go on. 404 no-such-service · 409 service-inactive."""
    await run(do.offer_service, do.OfferService(service=service, offered=False), edits=(OfferedService, service))


@router.delete("/services/{service}/retirement", status_code=204)
async def return_to_offer(service: Slug, run: Run, who: Operator) -> None:
    """Offer a service again. 404 no-such-service · 409 service-active."""
    await run(do.offer_service, do.OfferService(service=service, offered=True), edits=(OfferedService, service))


class At(Body):
    """A body with the time at which something happened, if not now."""

    at: Moment | None = Field(default=None, description="now when absent, never in the future")


class SignpostBody(At):
    """The service of which a worker was told."""

    service: Slug


@router.post("/workers/{worker}/signposts", status_code=204)
async def signposts(worker: Id, body: SignpostBody, run: Run, who: Operator) -> None:
    """Note that a worker was told of a service. 404 no-such-worker, no-such-service · 409 service-inactive · 410 erased."""
    await run(do.signpost, do.Signpost(worker=worker, service=body.service, at=body.at))


class RequestBody(At):
    """A request to a service. `told`: the worker consents that the receiver has their name and contact, and said so in the way `how`."""

    service: Slug
    told: bool = False
    how: How | None = None


class Made(BaseModel):
    """The number of a request, and whether the receiver is sent a link to answer it."""

    request: str
    sent: bool


@router.post("/workers/{worker}/requests", status_code=201)
async def ask(worker: Id, body: RequestBody, run: Run, who: Operator, response: Response) -> Made:
    """Ask a service for a worker. 404 no-such-worker, no-such-service · 409 service-inactive, no-consent · 410 erased · 422 no-how."""
    command = do.AskService(worker=worker, service=body.service, told=body.told, how=body.how, at=body.at)
    made = await run(do.ask_service, command)
    response.headers["Location"] = f"../../requests/{made['request']}"
    return Made(**made)


class RequestRow(BaseModel):
    """One request, with the time of each step so far."""

    model_config = ConfigDict(extra="ignore")
    request: str
    worker: str
    service: str
    receiver: str
    status: str
    told: bool
    requested: AwareDatetime
    answered: AwareDatetime | None = None
    reason: str | None = None
    ended: AwareDatetime | None = None
    need_met: str | None = None


@router.get("/requests")
async def requests(
    read: Reader,
    who: Operator,
    waits: Annotated[bool | None, Query(description="those alone that wait for an answer, or do not")] = None,
    limit: LIMIT = 200,
) -> list[RequestRow]:
    """Requests, by id. Everybody who is shown has it in their log of accesses."""
    where: dict[str, Any] = {} if waits is None else {"waits": waits}
    rows = [RequestRow(**row) for row in await read.rows("requests", where, limit=limit) if "request" in row]
    await read.note_accesses([each.worker for each in rows], "requests")
    return rows


@router.post("/requests/{asked}/link", status_code=204)
async def link(asked: Id, run: Run, who: Operator) -> None:
    """Send the receiver a new link, in place of an earlier one. 404 no-such-request · 409 answered-already, no-receiver-address,
    no-consent."""
    await run(do.link_again, do.LinkAgain(request=asked), edits=(ServiceRequest, asked))


class AnswerBody(At):
    """The answer of a receiver, as an operator heard it."""

    answer: Answer
    reason: RefusalReason | None = None


@router.post("/requests/{asked}/answer", status_code=204)
async def answer(asked: Id, body: AnswerBody, run: Run, who: Operator) -> None:
    """Write the answer of the receiver down. 404 no-such-request · 409 answered-already, out-of-order · 422 no-reason."""
    command = do.AnswerRequest(request=asked, answer=body.answer, reason=body.reason, at=body.at)
    await run(do.answer_request, command, edits=(ServiceRequest, asked))


class EndBody(At):
    """The end of a request."""

    ending: Ending


@router.post("/requests/{asked}/end", status_code=204)
async def end(asked: Id, body: EndBody, run: Run, who: Operator) -> None:
    """Record that a service was given, or given up. 404 no-such-request · 409 not-accepted, ended-already, out-of-order."""
    await run(
        do.end_request, do.EndRequest(request=asked, ending=body.ending, at=body.at), edits=(ServiceRequest, asked)
    )


class NeedBody(Body):
    """The worker's word on their need."""

    met: NeedMet


@router.post("/workers/{worker}/requests/{asked}/need", status_code=204)
async def need(worker: Id, asked: Id, body: NeedBody, run: Run, who: Oneself) -> None:
    """Say once if the need behind an own request was met. 404 no-such-request · 409 not-asked, told-already."""
    await run(do.tell_need, do.TellNeed(worker=worker, request=asked, met=body.met))
