"""Reads of requests by the token of their link."""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from enrolment.domain import Asking, digest_of
from services.kernel import Refusal, Refused
from services.store.mongo import Store
from services.store.work import Work


class Opened(BaseModel):
    """A request by its link. `worker`: whom its form made, when it was sent."""

    programme: str
    asking: str
    worker: str | None


async def opened_by(store: Store, programmes: Collection[str], token: str, now: datetime) -> Opened:
    """Find the request of this token. Refused("no-such-link", 404), the same for one that has ended, or never was."""
    where = {"programme": {"$in": sorted(programmes)}, "state.digest": digest_of(token)}
    found = await store[Asking.noun].find_one(where, {"programme": 1, "state": 1})
    asking = Asking.model_validate(found["state"]) if found else None
    if asking is None or not (asking.is_open(now) or asking.worker is not None):
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    return Opened(programme=found["programme"], asking=asking.id, worker=asking.worker)


async def read_address(work: Work, asking: str) -> dict[str, str]:
    """The confirmed address, for whoever has the link to it."""
    found = await work.peek(Asking, asking)
    sealed = found.card if found is not None else {}
    return {name: await work.unseal(asking, name, text, told=False) for name, text in sealed.items()}
