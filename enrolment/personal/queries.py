"""Reads of the worker's own page, and of personal links by their token."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

from enrolment import domain
from enrolment.domain import Status, Worker, digest_of
from enrolment.queries import Person, read_person
from services.contracts.base import Day
from services.contracts.enrolment import LinkPurpose
from services.kernel import Refusal, Refused
from services.store.mongo import Store
from services.store.work import Work

ENROLLED = domain.ENROLLED  # who can leave
HISTORY = 500  # events of one person that are told


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


class Receipt(BaseModel):
    """The receipt of an erasure: the number of the receipt, the programme, and the moment."""

    number: str
    programme: str
    erased: AwareDatetime


async def receipt_by(store: Store, programmes: Collection[str], number: str) -> Receipt:
    """The receipt of this number. Refused("no-such-receipt", 404)."""
    where = {"programme": {"$in": sorted(programmes)}, "state.receipt": number}
    found = await store[Worker.noun].find_one(where, {"programme": 1, "state.erased": 1})
    if found is None:
        raise Refused("no-such-receipt", "There is no receipt of this number.", Refusal.NOT_FOUND)
    return Receipt(number=number, programme=found["programme"], erased=found["state"]["erased"])


async def read_receipt(work: Work, worker: str) -> Receipt:
    """The receipt of an erased person. Refused("no-such-worker"), ("no-such-receipt"): not erased, or before receipts were given."""
    found = await work.peek(Worker, worker)
    if found is None:
        raise Refused("no-such-worker", f"There is no worker {worker}.", Refusal.NOT_FOUND)
    if found.receipt is None or found.erased is None:
        raise Refused("no-such-receipt", f"There is no receipt for {worker}.", Refusal.NOT_FOUND)
    return Receipt(number=found.receipt, programme=work.programme, erased=found.erased)


class Me(Person):
    """A worker's own data, and whether a message would reach them: `unreachable` is the code of the reason why not."""

    unreachable: str | None


async def read_me(work: Work, worker: str) -> Me:
    """The data of the worker who asks. Refused("no-such-worker", 404)."""
    person = await read_person(work, worker)
    found = await work.peek(Worker, worker)
    assert found is not None  # `read_person` refuses otherwise
    return Me(**dict(person), unreachable=found.unreachable)


class Seat(BaseModel):
    """A place in a group, from a day on. Which group, its place and its meetings are known to other services."""

    since: Day


def seat_of(row: dict[str, Any]) -> Seat | None:
    """The place that a row of the desk tells of; None when there is none, or it ended. Both days are stored as their ISO text."""
    since, left = row.get("seated"), row.get("left")
    return Seat(since=since) if since is not None and (left is None or left < since) else None


class Read(BaseModel):
    """One read of a person's data by somebody else."""

    role: str
    what: str
    at: AwareDatetime


async def read_accesses(store: Store, programme: str, person: str, limit: int) -> list[Read]:
    """The newest reads of this person's data in enrolment, those of the person themself left out."""
    where = {"programme": programme, "person": person, "role": {"$ne": "worker"}}
    found = store["access"].find(where, {"role": 1, "what": 1, "at": 1}).sort("_id", -1).limit(limit)
    return [Read.model_validate(each) async for each in found]


def newest(own: Sequence[Read], others: Mapping[str, Any], limit: int) -> list[Read]:
    """The newest reads of all services. `others`: the logs that the other services answered with, None for one that did not."""
    told = [Read.model_validate(each) for log in others.values() for each in log or () if each["role"] != "worker"]
    return sorted([*own, *told], key=lambda each: each.at, reverse=True)[:limit]
