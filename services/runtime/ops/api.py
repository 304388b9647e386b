"""The routes under `/ops`, which every service has: for the administrator alone."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.events.inbox import dead_letters
from services.identity.auth import Role, Who, allowed
from services.runtime.ops.letters import Letter, Opened
from services.runtime.ops.state import Operated, ServiceState, state_of
from services.web import Body

MOST = 500  # dead letters in one answer
Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]
Id = Annotated[str, Path(max_length=1_000, description="As the list shows it: consumer/name.")]


class Dismissal(Body):
    """Why it is let go for good; kept with who does."""

    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")


class Held(BaseModel):
    """Whether another dead letter still holds the subject back."""

    held: bool


def routes(service: Operated) -> APIRouter:
    """How the service stands, and its dead letters: look, redrive, dismiss."""
    router = APIRouter(prefix="/ops", tags=["ops"])
    store = service.store

    @router.get("/state")
    async def state(who: Administrator) -> ServiceState:
        """How it stands, whichever copy answers: what waits, what was given up, who sends, which engine does not answer."""
        return await state_of(service)

    @router.get("/dead")
    async def listed(
        who: Administrator,
        consumer: Annotated[str | None, Query(max_length=200, description="Only those of this consumer.")] = None,
        closed: Annotated[bool, Query(description="Also those that were dealt with.")] = False,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    ) -> list[Letter]:
        """Dead letters without their record, oldest first."""
        return [Letter.of(each) for each in await dead_letters.listed(store, consumer, closed, limit)]

    @router.get("/dead/{id:path}")
    async def one(id: Id, who: Administrator) -> Opened:
        """One with its record, how its subject stands, and what was done about it. 404 no-such-dead-letter."""
        found = await dead_letters.found(store, id)
        return Opened.whole(found, await dead_letters.subject_state(store, found))

    @router.post("/dead/{id:path}/redrive")
    async def redrive(id: Id, who: Administrator) -> Held:
        """Have its consumer take it again, and what waits behind it. 404 no-such-dead-letter · 409 not-open, no-event, intruder,
        no-consumer."""
        return Held(held=await dead_letters.redrive(store, id, who.subject))

    @router.post("/dead/{id:path}/dismiss")
    async def dismiss(id: Id, body: Dismissal, who: Administrator) -> Held:
        """Let it go for good: it counts as taken without an effect, now and in every rebuild. 404 no-such-dead-letter · 409 not-open,
        no-consumer."""
        return Held(held=await dead_letters.dismiss(store, id, who.subject, body.reason.strip()))

    return router
