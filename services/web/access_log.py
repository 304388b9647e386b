"""The route of the access log, which every service has: who read a person's data here.

Invariant: each service that can write the log shows it, since the route belongs to the chassis and not to a room.
"""

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel

from services.contracts.base import Id
from services.identity.auth import Role, allowed
from services.kernel import Refusal, Refused
from services.web.run import Reader

router = APIRouter()


class Access(BaseModel):
    """One read of a person's data: the reader, their role, the part that they read, the time."""

    who: str
    role: str
    what: str
    at: AwareDatetime


@router.get("/workers/{worker}/accesses", dependencies=[allowed(Role.WORKER, Role.ADMINISTRATOR)])
async def accesses(worker: Id, read: Reader) -> list[Access]:
    """Reads of this person's data in this service, oldest first; none of a person who was erased. 404 no-such-worker."""
    found = await read.accesses(worker)
    if not found and not await read.knows(worker):
        raise Refused("no-such-worker", f"There is no worker {worker}.", Refusal.NOT_FOUND)
    return [Access(**each) for each in found]
