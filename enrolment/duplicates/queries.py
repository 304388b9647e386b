"""Reads of records that may be of one person.

Invariants: a list tells codes and no names. Whoever reads a pair has read both people's data, and both logs of accesses say so. A list
costs what is on it: an index holds exactly its records.
"""

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from enrolment.domain import Merging, Worker
from enrolment.queries import Person, read_person
from services.kernel import Refusal, Refused
from services.store.mongo import Document, Store
from services.store.work import Work

ROWS = 20  # of a page
MOST = 1_000  # records that are counted
FIELDS = {"state.id": 1, "state.alike": 1, "state.fiscal": 1, "state.merging": 1}
ANY = {"$gt": ""}  # of a list of ids: it has one; of a stored moment: there is one


class Pair(BaseModel):
    """Two records that look alike. `certain`: they have the same tax code."""

    worker: str
    other: str
    certain: bool


class Planned(BaseModel):
    """A merge that was not said yet."""

    worker: str
    into: str
    due: datetime


class Page(NamedTuple):
    """Rows of one page, and the number of records with such a row, up to MOST."""

    rows: list[Any]
    total: int


async def pairs(store: Store, programme: str, page: int = 1) -> Page:
    """Pairs that nobody has judged, from 1."""
    where = {"programme": programme, "state.alike": ANY}
    found = await _some(store, where, "state.alike", page)
    others = {other for each in found for other in each["alike"]}
    fiscal = await _fiscal(store, programme, others)
    rows = [
        Pair(worker=each["id"], other=other, certain=each["fiscal"] is not None and fiscal.get(other) == each["fiscal"])
        for each in found
        for other in each["alike"]
    ]
    return Page(rows, await store[Worker.noun].count_documents(where, limit=MOST))


async def planned(store: Store, programme: str, page: int = 1) -> Page:
    """Merges that were not said yet, the next one first."""
    where = {"programme": programme, "state.merging.due": ANY}
    found = await _some(store, where, "state.merging.due", page)
    rows = [Planned(worker=each["id"], **Merging.model_validate(each["merging"]).model_dump()) for each in found]
    return Page(rows, await store[Worker.noun].count_documents(where, limit=MOST))


async def due(store: Store, programme: str, now: datetime) -> list[str]:
    """The records whose merge is due at that moment."""
    # Stored as text, which begins with the second.
    until = {"$gt": "", "$lte": f"{now:%Y-%m-%dT%H:%M:%S}~"}
    cursor = store[Worker.noun].find({"programme": programme, "state.merging.due": until}, {"state.id": 1})
    return [each["state"]["id"] async for each in cursor]


async def _some(store: Store, where: Document, order: str, page: int) -> list[dict[str, Any]]:
    cursor = store[Worker.noun].find(where, FIELDS).sort([(order, 1), ("_id", 1)])
    return [each["state"] async for each in cursor.skip((page - 1) * ROWS).limit(ROWS)]


async def _fiscal(store: Store, programme: str, ids: set[str]) -> dict[str, str | None]:
    where = {"_id": {"$in": sorted(f"{programme}/{each}" for each in ids)}}
    cursor = store[Worker.noun].find(where, {"state.id": 1, "state.fiscal": 1})
    return {each["state"]["id"]: each["state"].get("fiscal") async for each in cursor}


class Compared(BaseModel):
    """Two records side by side. `stays`: the one that is suggested to go on: the one with a seat, else the older one. `seated`: those that
    have a seat. `ends`: the one whose merge is planned. `distinct`: they were judged to be two people."""

    one: Person
    other: Person
    certain: bool
    stays: str
    seated: list[str]
    ends: str | None
    due: datetime | None
    distinct: bool


async def compare(work: Work, worker: str, other: str) -> Compared:
    """Both records, noted as read. Refused("no-such-worker"), ("same-record")."""
    one, two = await read_person(work, worker), await read_person(work, other)
    if worker == other:
        raise Refused("same-record", "It is the same record.", Refusal.INVALID)
    first, second = await work.peek_all(Worker, [worker, other])
    seated = [each.id for each in (first, second) if each.seats]
    plan = next((each for each in (first, second) if each.merging and each.merging.into in {worker, other}), None)
    return Compared(
        one=one,
        other=two,
        certain=first.fiscal is not None and first.fiscal == second.fiscal,
        stays=seated[0] if len(seated) == 1 else min(worker, other),
        seated=seated,
        ends=plan.id if plan is not None else None,
        due=plan.merging.due if plan is not None and plan.merging is not None else None,
        distinct=other in first.distinct,
    )
