"""Reactions of enrolment. It consumes one event of its own, the erasure, since a restored database can be older than it."""

from enrolment.domain import Worker
from services.contracts import Event
from services.contracts.enrolment import WorkerErased
from services.events.delivery.declare import Reactions
from services.store.work import Work

reactions = Reactions()


@reactions.on(WorkerErased)
async def when_worker_erased_empty_the_restored_record(event: Event[WorkerErased], work: Work) -> None:
    """Empty a record that a restore brought back. A record that is empty already stays as it is."""
    worker = await work.peek(Worker, event.subject)
    if worker is not None:
        worker.apply(event.data, event.time)
