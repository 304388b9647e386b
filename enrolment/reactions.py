"""Enrolment acts on nobody else's events yet: its desk only shows them. Of its own it takes one back, the erasure."""

from enrolment.domain import Worker
from services.contracts import Event
from services.contracts.enrolment import WorkerErased
from services.events.delivery.declare import Reactions
from services.store.work import Work

reactions = Reactions()


@reactions.on(WorkerErased)
async def when_a_restored_record_is_of_somebody_erased_it_is_emptied(event: Event[WorkerErased], work: Work) -> None:
    """A database can be older than an erasure that was said."""
    worker = await work.peek(Worker, event.subject)
    if worker is not None:
        worker.forget()
