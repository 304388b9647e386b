"""Data that enrolment holds of a person, as it is told to them: the record of their way, with every sealed field opened."""

from typing import Any

import orjson

from enrolment.domain import Worker
from enrolment.programmes.domain import PublishedProgramme
from services.store.held import Held, Told
from services.store.work import Work

held = Held(nobody=[PublishedProgramme])
SEALED = ("profile", "sketch")  # fields of the record that hold sealed JSON
# The trace belongs to the request, and the digest of a link to whoever has the link.
UNTOLD = {"id", "card", "links", "trace", *SEALED}


@held.of(Worker)
async def tell_worker(person: str, work: Work) -> Told:
    """The record, with card and profile in the clear, and the links that still open something, without their tokens."""
    found = await work.peek(Worker, person)
    if found is None:
        return []
    told: dict[str, Any] = found.model_dump(mode="json", exclude=UNTOLD)
    told["card"] = {name: await work.unseal(person, name, sealed) for name, sealed in found.card.items()}
    for name in SEALED:
        sealed = getattr(found, name)
        told[name] = orjson.loads(await work.unseal(person, name, sealed)) if sealed else None
    told["links"] = [each.model_dump(mode="json", exclude={"digest"}) for each in found.links]
    return [told]
