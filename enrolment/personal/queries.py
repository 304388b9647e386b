"""Reads of the worker's own page, and of personal links by their token."""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from enrolment.domain import Status, Worker, digest_of
from enrolment.queries import Person, read_person
from services.contracts.enrolment import LinkPurpose
from services.kernel import Refusal, Refused
from services.store.mongo import Store
from services.store.work import Work


class Opened(BaseModel):
    """Whose link it is, and what it opens."""

    programme: str
    worker: str
    purpose: LinkPurpose
    status: Status


async def opened_by(store: Store, programmes: Collection[str], token: str, now: datetime) -> Opened:
    """Find the link of this token. Refused("no-such-link", 404), the same for one that expired, was replaced, or never was."""
    # The token does not say of which programme it is; the index begins with the programme, so each of the few is one look.
    where = {"programme": {"$in": sorted(programmes)}, "state.links.digest": digest_of(token)}
    found = await store[Worker.noun].find_one(where, {"programme": 1, "state": 1})
    worker = Worker.model_validate(found["state"]) if found else None
    purpose = worker.opened_by(token, now) if worker else None
    if worker is None or purpose is None:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    return Opened(programme=found["programme"], worker=worker.id, purpose=purpose, status=worker.status)


class Me(Person):
    """A worker's own data, and whether a letter would reach them: `unreachable` is the code of the reason why not."""

    unreachable: str | None


async def read_me(work: Work, worker: str) -> Me:
    """The data of the worker who asks. Refused("no-such-worker", 404)."""
    person = await read_person(work, worker)
    found = await work.peek(Worker, worker)
    assert found is not None  # `read_person` refuses otherwise
    return Me(**dict(person), unreachable=found.unreachable)
