"""The routes under `/ops`, which every service has.

Invariant: what is of the whole installation is for its operator alone. An administrator has the dead letters of their own programme; those
of others, and records that are no events, are not there for them.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from services.events.inbox import dead_letters
from services.identity.auth import Role, Who, allowed
from services.runtime.ops.dead_letters import DeadLetter, DeadLetterDetail
from services.runtime.ops.state import Operated, ServiceState, state_of
from services.web import Body, Note

MOST = 500  # dead letters in one answer
OfTheSystem = Annotated[Who, allowed(Role.SYSTEM_OPERATOR)]
Administrator = Annotated[Who, allowed(Role.SYSTEM_OPERATOR, Role.ADMINISTRATOR)]
Id = Annotated[str, Path(max_length=1_000, description="As the list shows it: consumer/name.")]


class Dismissal(Body):
    """The reason of a dismissal, which is kept with the name of the administrator."""

    reason: Note


class HeldBack(BaseModel):
    """`held`: another dead letter still holds the subject back."""

    held: bool


def routes(service: Operated) -> APIRouter:
    """Return the routes for the state of the service and its dead letters: read, redrive, dismiss."""
    router = APIRouter(prefix="/ops", tags=["ops"])
    store = service.store

    @router.get("/state")
    async def state(who: OfTheSystem) -> ServiceState:
        """State of the service: events that wait, dead letters, the relay, and engines that do not answer."""
        return await state_of(service)

    @router.get("/dead")
    async def listed(
        who: Administrator,
        consumer: Annotated[str | None, Query(max_length=200, description="Only those of this consumer.")] = None,
        closed: Annotated[bool, Query(description="Also those that were dealt with.")] = False,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    ) -> list[DeadLetter]:
        """Dead letters without their record, oldest first."""
        return [DeadLetter.of(each) for each in await dead_letters.listed(store, consumer, closed, limit, _of(who))]

    @router.get("/dead/{id:path}")
    async def one(id: Id, who: Administrator) -> DeadLetterDetail:
        """One dead letter with its record, the state of its subject, and its history. 404 no-such-dead-letter."""
        found = await dead_letters.found(store, id, programme=_of(who))
        return DeadLetterDetail.whole(found, await dead_letters.subject_state(store, found))

    @router.post("/dead/{id:path}/redrive")
    async def redrive(id: Id, who: Administrator) -> HeldBack:
        """Give it to its consumer again, and then the events that wait behind it. 404 no-such-dead-letter · 409 not-open, no-event,
        intruder, no-consumer."""
        await dead_letters.found(store, id, programme=_of(who))
        return HeldBack(held=await dead_letters.redrive(store, id, who.subject))

    @router.post("/dead/{id:path}/dismiss")
    async def dismiss(id: Id, body: Dismissal, who: Administrator) -> HeldBack:
        """Give it up for good: it counts as consumed without an effect, now and in every rebuild. 404 no-such-dead-letter · 409 not-open,
        no-consumer."""
        await dead_letters.found(store, id, programme=_of(who))
        return HeldBack(held=await dead_letters.dismiss(store, id, who.subject, body.reason.strip()))

    return router


def _of(who: Who) -> str | None:
    """Give the programme whose dead letters the caller has; None for those of all."""
    return None if who.role is Role.SYSTEM_OPERATOR else who.programme
