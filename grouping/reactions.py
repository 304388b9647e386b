"""What others say, and what grouping does then."""

from typing import Any

from grouping.membership.commands import Leave, leave
from grouping.domain import Group, Seeker
from grouping.wishes import kept_again, pairs_of
from services.contracts import Event
from services.contracts.enrolment import WorkerAdmitted, WorkerErased, WorkerProfiled, WorkerWithdrawn
from services.contracts.grouping import PairWished
from services.events.delivery.declare import Reactions
from services.store.work import Work

reactions = Reactions()


def the_seeker(event: Event[Any]) -> list[tuple[Any, str]]:
    """All of these concern one person."""
    return [(Seeker, event.subject)]


async def _seeker(worker: str, work: Work) -> Seeker:
    seeker = await work.find(Seeker, worker)
    if seeker is None:
        seeker = Seeker(id=worker)
        work.add(seeker)
    return seeker


@reactions.on(WorkerAdmitted, needs=the_seeker)
async def when_a_worker_is_admitted_they_wait(event: Event[WorkerAdmitted], work: Work) -> None:
    """Once they are described as well, whichever comes first."""
    (await _seeker(event.subject, work)).admit(work.rules.day_of(event.time), event.traceparent)


@reactions.on(WorkerProfiled, needs=the_seeker)
async def when_a_worker_is_described_it_is_kept(event: Event[WorkerProfiled], work: Work) -> None:
    """Sealed, as it came."""
    sealed = await work.seal(event.subject, "profile", event.data.model_dump_json())
    (await _seeker(event.subject, work)).describe(sealed, event.data.not_before)


@reactions.on(WorkerWithdrawn, needs=the_seeker)
async def when_a_worker_withdraws_their_seat_is_free(event: Event[WorkerWithdrawn], work: Work) -> None:
    """From the day they withdrew."""
    await leave(Leave(worker=event.subject), work)


@reactions.on(WorkerErased, needs=the_seeker)
async def when_a_worker_is_erased_nothing_of_them_stays(event: Event[WorkerErased], work: Work) -> None:
    """The seat is free, and neither pool nor ledger nor any pair know them."""
    await leave(Leave(worker=event.subject), work)
    for group in await work.where(Group, members__worker=[event.subject]):
        group.detach(event.subject)
    for pair in await pairs_of([event.subject], work):
        work.remove(pair)
    seeker = await work.find(Seeker, event.subject)
    if seeker is not None:
        work.remove(seeker)


@reactions.on(PairWished)
async def when_a_restored_database_lacks_a_wish_it_is_kept_again(event: Event[PairWished], work: Work) -> None:
    """Grouping's own, once both their keys are back, for which `replay.py` cannot wait."""
    if work.recalls:
        await kept_again(event.data, work)
