"""Data that enrolment holds of a person, as it is told to them: the record of their way, with every sealed field opened."""

from typing import Any

import orjson

from enrolment.domain import Asking, Complaint, OfferedService, Outcome, ServiceRequest, Signposting, Worker
from enrolment.programmes.domain import PublishedProgramme
from services.store.held import Held, Told
from services.store.work import Work

# Who asks to take part is no worker yet: the address is forgotten with the form, or when the link ends.
held = Held(nobody=[PublishedProgramme, OfferedService, Asking])
SEALED = ("profile", "sketch")  # fields of the record that hold sealed JSON
# The trace belongs to the request, and the digest of a link to whoever has the link. Digests tell nothing. Other records may be of somebody
# else. Who of the staff wrote something down is theirs.
OF_OTHERS = {"distinct", "expects", "merging"}
UNTOLD = {"id", "card", "links", "trace", "acts", "fiscal", "listed", *OF_OTHERS, *SEALED}


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
    for each in told["consents"].values():
        del each["recorder"]
    told["links"] = [each.model_dump(mode="json", exclude={"digest"}) for each in found.links]
    return [told]


@held.of(ServiceRequest)
async def tell_requests(person: str, work: Work) -> Told:
    """The requests to other services for them. The digest of a link belongs to the organisation that has it."""
    found = await work.browse(ServiceRequest, worker=person)
    return [each.model_dump(mode="json", exclude={"digest", "worker"}) for each in found]


@held.of(Signposting)
async def tell_signpostings(person: str, work: Work) -> Told:
    """The services of which they were told."""
    return [each.model_dump(mode="json", exclude={"worker"}) for each in await work.browse(Signposting, worker=person)]


@held.of(Outcome)
async def tell_outcomes(person: str, work: Work) -> Told:
    """Their situations after the programme."""
    return [each.model_dump(mode="json", exclude={"worker"}) for each in await work.browse(Outcome, worker=person)]


@held.of(Complaint)
async def tell_complaints(person: str, work: Work) -> Told:
    """Their complaints and the answers, in the clear."""
    told: Told = []
    for each in await work.browse(Complaint, worker=person):
        texts = (("complaint", each.about), ("reply", each.reply))
        opened = {name: await work.unseal(person, f"{name}/{each.id}", text) for name, text in texts if text}
        told.append({**each.model_dump(mode="json", exclude={"worker", "partner", "about", "reply"}), **opened})
    return told
