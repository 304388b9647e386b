"""Replay of the path to other services on a restored database: the catalogue, requests, sign-postings and situations.

Invariant: the aggregate alone changes its state from an event, so that what is replayed is what was. Complaints are not replayed: their
texts are in no event.
"""

from typing import Any

from enrolment.domain import OfferedService, Outcome, ServiceRequest, Signposting
from services.contracts import Event
from services.contracts.paths import (
    OutcomeRecorded,
    RequestLinked,
    ServiceAnswered,
    ServiceCompleted,
    ServiceRegistered,
    ServiceRequested,
    WorkerSignposted,
)
from services.events.delivery.declare import Reactions
from services.kernel import Aggregate
from services.store.work import Work

path_replays = Reactions()


@path_replays.on(ServiceRegistered)
async def register(event: Event[ServiceRegistered], work: Work) -> None:
    """Bring the service back as the catalogue had it."""
    await _apply(event, OfferedService(id=event.subject), work)


@path_replays.on(ServiceRequested)
@path_replays.on(RequestLinked)
@path_replays.on(ServiceAnswered)
@path_replays.on(ServiceCompleted)
async def follow(event: Event[Any], work: Work) -> None:
    """Bring the request to the step that it had reached. A link that was sent opens it again; one that had answered may answer anew."""
    if isinstance(event.data, ServiceRequested):
        data = event.data
        made = ServiceRequest(id=event.subject, worker=data.worker, service=data.service, receiver=data.receiver)
        await _apply(event, made, work)
    else:
        (await work.get(ServiceRequest, event.subject)).apply(event.data, event.time)


@path_replays.on(WorkerSignposted)
async def tell(event: Event[WorkerSignposted], work: Work) -> None:
    """Bring the sign-posting back."""
    made = Signposting(id=event.subject, worker=event.data.worker, service=event.data.service)
    await _apply(event, made, work)


@path_replays.on(OutcomeRecorded)
async def record(event: Event[OutcomeRecorded], work: Work) -> None:
    """Bring the situation back."""
    await _apply(event, Outcome.of(event.data.worker, event.data.moment), work)


async def _apply(event: Event[Any], new: Aggregate, work: Work) -> None:
    """Change the aggregate as the event did; `new`: one that the database lost."""
    found = await work.find(type(new), new.id)
    if found is None:
        work.add(new)
        found = new
    found.apply(event.data, event.time)
