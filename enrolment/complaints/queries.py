"""Reads of complaints: their texts opened, for whoever answers and for whoever complained.

Invariant: what is shown to whoever answers does not say which worker complained.
"""

from dataclasses import dataclass
from datetime import date, datetime

from enrolment.domain import Complaint, ComplaintStatus
from services.contracts.paths import Complainant
from services.kernel import Refusal, Refused
from services.store.work import Work


@dataclass(frozen=True, slots=True)
class Shown:
    """A complaint with its texts. `partner`: who complained, if it was an organisation. `about` None: the person was erased."""

    id: str
    by: Complainant
    partner: str | None
    status: ComplaintStatus
    received: datetime | None
    due: date
    answered: datetime | None
    about: str | None
    reply: str | None


async def one_complaint(work: Work, complaint: str) -> Shown:
    """One complaint, for whoever answers. Noted as an access to the data of the person. Refused("no-such-complaint", 404)."""
    found = await work.peek(Complaint, complaint)
    if found is None:
        raise Refused("no-such-complaint", f"There is no complaint {complaint}.", Refusal.NOT_FOUND)
    work.reads_for("complaint")
    return await _shown(found, work)


async def complaints_of(work: Work, worker: str | None, partner: str | None) -> list[Shown]:
    """The complaints of the worker or the partner who asks, the newest first."""
    fields = {"worker": worker} if worker is not None else {"partner": partner}
    found = await work.browse(Complaint, **fields)
    await work.open_keys([each.sealed_for for each in found])
    return [await _shown(each, work) for each in reversed(found)]


async def _shown(found: Complaint, work: Work) -> Shown:
    about, reply = [
        await work.unseal(found.sealed_for, f"{field}/{found.id}", text, told=found.worker is not None)
        if text
        else None
        for field, text in (("complaint", found.about), ("reply", found.reply))
    ]
    return Shown(
        found.id, found.by, found.partner, found.status, found.received, found.due, found.answered, about, reply
    )
