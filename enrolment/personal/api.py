"""Routes of personal links: an operator issues and revokes, the front redeems."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel

from enrolment.domain import Worker
from enrolment.personal import commands as do
from enrolment.personal import queries
from services.contracts.base import Id
from services.contracts.enrolment import LinkPurpose
from services.identity.auth import Role, Who, allowed, open_to_all
from services.kernel import Refusal, Refused
from services.web.run import Run, Serving

router = APIRouter()
Operator = Annotated[Who, allowed(Role.OPERATOR)]
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
