"""Routes of personal links: an operator issues and revokes, the front redeems."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel

from enrolment.domain import Worker
from enrolment.personal import commands as do
from enrolment.personal import queries
from enrolment.queries import Person, read_person
from services.contracts.base import Id
from services.contracts.enrolment import LinkPurpose
from services.contracts.rights import Opening
from services.identity.auth import Role, Who, allowed, open_to_all
from services.kernel import Refusal, Refused
from services.web import Body
from services.web.run import Run, Serving

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]
Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]
# Wider than our tokens: a link that a mail program cut, or gave a point at its end, is no valid link (404) and no wrong form.
Token = Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.~-]+$")]


class Issued(BaseModel):
    """A link that is on its way to the worker: never its token."""

    worker: str
    expires: AwareDatetime


@router.post("/workers/{worker}/links", status_code=201)
async def link(worker: Id, run: Run, who: Operator) -> Issued:
    """Send a worker the link to their own page, in place of an earlier one. 404 no-such-worker · 409 no-address, no-contact · 410 erased ·
    412 changed meanwhile (If-Match)."""
    return Issued(**await run(do.issue_link, do.IssueLink(worker=worker), edits=(Worker, worker)))


@router.delete("/workers/{worker}/links", status_code=204)
async def revocation(worker: Id, run: Run, who: Operator) -> None:
    """Let the link to the worker's own page open nothing any more. 404 no-such-worker."""
    await run(do.revoke_link, do.RevokeLink(worker=worker), edits=(Worker, worker))


@router.get("/workers/{worker}/receipt")
async def receipt(worker: Id, run: Run, _: Administrator) -> queries.Receipt:
    """The receipt of the erasure of a person. 404 no-such-worker, no-such-receipt."""
    return await run.query(queries.read_receipt, worker)


class Reason(Body):
    """The reason for which a record is opened."""

    reason: Opening


@router.post("/workers/{worker}/opening")
async def opening(worker: Id, body: Reason, run: Run, _: Administrator) -> Person:
    """Open the record of a person: their data, for a reason that stands in their log and that they are told. 404 no-such-worker ·
    410 erased."""
    await run(do.open_record, do.OpenRecord(worker=worker, reason=body.reason))
    return await run.query(read_person, worker)


class Redeemed(BaseModel):
    """Whose own page a link opens."""

    programme: str
    worker: str


@router.post("/links/{token}", dependencies=[open_to_all("the token, 256 random bits, names the person")])
async def redemption(token: Token, request: Request) -> Redeemed:
    """Say whose page the link opens, for the front, which begins a session. 404 no-such-link: also when it expired or was revoked."""
    service: Serving = request.app.state.service
    found = await queries.opened_by(service.store, service.rules, token, datetime.now(UTC))
    if found.purpose is not LinkPurpose.ME:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    return Redeemed(programme=found.programme, worker=found.worker)
