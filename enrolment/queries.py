"""Reads that answer a route of enrolment. They change no aggregate; a read of a person's data writes its access log first."""

from typing import Any

import orjson
from pydantic import BaseModel

from enrolment.domain import Status, Worker
from services.store.work import Work


class Person(BaseModel):
    """All data of one person, in the clear. `version` is the one that an edit names in If-Match."""

    worker: str
    partner: str
    status: Status
    card: dict[str, str]
    profile: dict[str, Any] | None
    consents: dict[str, dict[str, Any]]
    version: int


async def read_person(work: Work, worker: str, *, who: str, role: str) -> Person:
    """The person's data, for the caller alone. Logged as an access, unless nothing is left that identifies the person.
    Refused("no-such-worker", 404)."""
    # guarded, though nothing is decided: a log entry must not commit beside an erasure, which would leave it behind
    found = await work.get(Worker, worker)
    work.follow(found.trace)
    if found.card:
        await work.note_access(found.id, who, role, "person")
    profile = await work.unseal(found.id, "profile", found.profile) if found.profile else None
    return Person(
        worker=found.id,
        partner=found.partner,
        status=found.status,
        card={name: await work.unseal(found.id, name, sealed) for name, sealed in found.card.items()},
        profile=orjson.loads(profile) if profile else None,
        consents={purpose.value: consent.model_dump(mode="json") for purpose, consent in found.consents.items()},
        version=work.version(found),
    )
