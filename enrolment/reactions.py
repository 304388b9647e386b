"""Handlers of the gate in enrolment. It consumes one event of its own, the erasure, since a restored database can be older than it."""

from enrolment.domain import ServiceRequest, Signposting, Worker
from services.contracts.enrolment import WorkerErased
from services.events.delivery.declare import Gate
from services.store.work import Work

gate = Gate()


@gate.on(WorkerErased)
async def when_worker_erased_empty_the_restored_record(worker: str, work: Work) -> None:
    """Empty a record that a restore brought back. A record that is empty already stays as it is."""
    restored = await work.peek(Worker, worker)
    if restored is not None:
        restored.apply(WorkerErased(), work.at)


@gate.on(WorkerErased)
async def when_somebody_is_erased_nothing_says_to_which_services_they_went(worker: str, work: Work) -> None:
    """Remove their requests and sign-postings, also those that a restore brought back."""
    for kind in (ServiceRequest, Signposting):
        for each in await work.where(kind, worker=worker):
            work.remove(each)
