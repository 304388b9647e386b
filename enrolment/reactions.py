"""Handlers of the gate in enrolment, and reactions to seats.

The gate consumes one event of enrolment's own, the erasure, since a restored database can be older than it. Of two records of one
person the one with a seat goes on, so a worker knows in which groups they sit.
"""

from typing import Any

from enrolment.domain import Complaint, Outcome, ServiceRequest, Signposting, Worker
from services.contracts import Event
from services.contracts.enrolment import WorkerErased
from services.contracts.grouping import MemberJoined, MemberLeft
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work

reactions, gate = Reactions(), Gate()


def the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """The worker of a seat, before the payload is read."""
    return [(Worker, str(event.data.get("worker", "")))] if isinstance(event.data, dict) else []


@reactions.on(MemberJoined, needs=the_member)
async def when_somebody_has_a_seat_it_is_known(event: Event[MemberJoined], work: Work) -> None:
    """Note the group. A person who is not here, or was erased, has no record to note it in."""
    worker = await work.find(Worker, event.data.worker)
    if worker is not None and not worker.is_erased:
        worker.sit(event.subject)


@reactions.on(MemberLeft, needs=the_member)
async def when_a_seat_ends_it_is_known(event: Event[MemberLeft], work: Work) -> None:
    """Note that they sit in this group no more."""
    worker = await work.find(Worker, event.data.worker)
    if worker is not None and not worker.is_erased:
        worker.rise(event.subject)


@gate.on(WorkerErased)
async def when_worker_erased_empty_the_restored_record(worker: str, work: Work) -> None:
    """Empty a record that a restore brought back. A record that is empty already stays as it is."""
    restored = await work.peek(Worker, worker)
    if restored is not None:
        restored.apply(WorkerErased(), work.at)


@gate.on(WorkerErased)
async def when_somebody_is_erased_nothing_says_where_they_went_or_what_they_wrote(worker: str, work: Work) -> None:
    """Remove their requests, sign-postings and situations, and empty their complaints, also those that a restore brought back."""
    for kind in (ServiceRequest, Signposting, Outcome):
        for each in await work.where(kind, worker=worker):
            work.remove(each)
    for complaint in await work.where(Complaint, worker=worker):
        complaint.forget()
