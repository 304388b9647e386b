"""Reactions of grouping to the events of enrolment, and to its own restricted ones after a restore; handlers of the gate."""

from typing import Any

from grouping.domain import Group, Seeker
from grouping.fitting import last_day
from grouping.membership.commands import Leave, leave
from grouping.wishes import hand_on, keep_again, pairs_of
from services.contracts import Event
from services.contracts.enrolment import (
    Step,
    StepRedated,
    WorkerAdmitted,
    WorkerErased,
    WorkerMerged,
    WorkerProfiled,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import PairWished
from services.contracts.sessions import SessionMoved, SessionScheduled
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work

reactions, gate = Reactions(), Gate()


def the_seeker(event: Event[Any]) -> list[tuple[Any, str]]:
    """The aggregate to fetch: all of these events concern one person."""
    return [(Seeker, event.subject)]


async def _seeker(worker: str, work: Work) -> Seeker:
    seeker = await work.find(Seeker, worker)
    if seeker is None:
        seeker = Seeker(id=worker)
        work.add(seeker)
    return seeker


@reactions.on(WorkerAdmitted, needs=the_seeker)
async def when_a_worker_is_admitted_they_wait(event: Event[WorkerAdmitted], work: Work) -> None:
    """Note the local day of the admission. They wait once they are described as well, whichever comes first."""
    (await _seeker(event.subject, work)).admit(work.rules.day_of(event.time), event.traceparent)


@reactions.on(WorkerProfiled, needs=the_seeker)
async def when_a_worker_is_described_it_is_kept(event: Event[WorkerProfiled], work: Work) -> None:
    """Keep the profile sealed under the person's key."""
    sealed = await work.seal(event.subject, "profile", event.data.model_dump_json())
    (await _seeker(event.subject, work)).describe(sealed, event.data.not_before)


@reactions.on(WorkerWithdrawn, needs=the_seeker)
async def when_a_worker_withdraws_their_seat_is_free(event: Event[WorkerWithdrawn], work: Work) -> None:
    """Free the seat from the local day of the withdrawal on."""
    await leave(Leave(worker=event.subject), work)


@reactions.on(WorkerReturned, needs=the_seeker)
async def when_a_worker_comes_back_they_can_wait_again(event: Event[WorkerReturned], work: Work) -> None:
    """Let them wait once they are admitted and described again."""
    (await _seeker(event.subject, work)).come_back()


@reactions.on(StepRedated, needs=the_seeker)
async def when_the_admission_is_redated_its_day_is_corrected(event: Event[StepRedated], work: Work) -> None:
    """Take the day of the admission; other steps mean nothing here."""
    if event.data.step is Step.ADMITTED:
        (await _seeker(event.subject, work)).redate(work.rules.day_of(event.time))


@reactions.on(WorkerMerged, needs=the_seeker)
async def when_a_record_ends_in_another_one_person_waits(event: Event[WorkerMerged], work: Work) -> None:
    """Take the record that ended out of the pool, free a seat that it got meanwhile, and hand its wishes on to the one that stays."""
    await leave(Leave(worker=event.subject), work)
    await hand_on(event.subject, event.data.into, work)


@reactions.on(SessionScheduled)
@reactions.on(SessionMoved)
async def when_a_meeting_is_past_the_last_day_the_group_goes_on(
    event: Event[SessionScheduled] | Event[SessionMoved], work: Work
) -> None:
    """Keep facilitator and room until then. A meeting within the days that were fixed changes nothing."""
    day = work.rules.day_of(event.data.starts)
    known = await work.peek(Group, event.data.group)
    # A group that is not here is one of a database that was lost: it meets, and holds nothing.
    if known is not None and day > last_day(known, work.rules):
        (await work.get(Group, event.data.group)).go_on(day)


@reactions.on(PairWished)
async def when_a_restored_database_lacks_a_wish_it_is_kept_again(event: Event[PairWished], work: Work) -> None:
    """Keep an own wish again once the keys of both are back, for which `replay.py` cannot wait."""
    if work.was_restored:
        await keep_again(event.data, work)


@gate.on(WorkerErased, needs=lambda worker: [(Seeker, worker)])
async def when_a_worker_is_erased_nothing_of_them_stays(worker: str, work: Work) -> None:
    """Free the seat, and remove the person from pool, ledgers and pairs."""
    await leave(Leave(worker=worker), work)
    for group in await work.where(Group, members__worker=[worker]):
        group.detach(worker)
    for pair in await pairs_of([worker], work):
        work.remove(pair)
    seeker = await work.find(Seeker, worker)
    if seeker is not None:
        work.remove(seeker)
