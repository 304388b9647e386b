"""What happened, and which partner's ledger it belongs into. Each reaction is also given how partners know people."""

from typing import Any

from notifications.commands import Naming, day_of, detach, tell
from notifications.domain import Fact, Known
from notifications.reactions.keeping import known_as, member
from services.contracts import Event, feed
from services.contracts.enrolment import (
    ConsentChanged,
    Purpose,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.contracts.grouping import MemberJoined
from services.events.delivery.declare import Reactions
from services.store.work import Work

ledgers = Reactions()


def the_person(event: Event[Any]) -> list[tuple[Any, str]]:
    """The one person it is about."""
    return [(Known, event.subject)]


def the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """Who has a seat."""
    return [(Known, member(event))]


@ledgers.on(WorkerReferred, needs=the_person)
async def when_somebody_is_referred_their_referrer_is_known(
    event: Event[WorkerReferred], work: Work, naming: Naming
) -> None:
    """From now on, whatever waited for that."""
    (await known_as(Known, event.subject, work)).partner = event.data.partner
    await _note(event.subject, _on_its_day(feed.Referred.type, event, work), work, naming)


@ledgers.on(WorkerAdmitted, needs=the_person)
async def when_somebody_is_admitted_their_referrer_learns_it(
    event: Event[WorkerAdmitted], work: Work, naming: Naming
) -> None:
    """And of a seat, if that was heard of first."""
    known = await known_as(Known, event.subject, work)
    known.admit(_on_its_day(feed.Admitted.type, event, work))
    await tell(known, work, naming)


@ledgers.on(WorkerDeclined, needs=the_person)
async def when_somebody_is_declined_their_referrer_learns_it(
    event: Event[WorkerDeclined], work: Work, naming: Naming
) -> None:
    """Not why."""
    await _note(event.subject, _on_its_day(feed.Declined.type, event, work), work, naming)


@ledgers.on(MemberJoined, needs=the_member)
async def when_somebody_has_a_seat_their_referrer_learns_it(
    event: Event[MemberJoined], work: Work, naming: Naming
) -> None:
    """That there is one, not which."""
    await _note(event.data.worker, Fact(type=feed.Seated.type, on=event.data.since), work, naming)


@ledgers.on(WorkerWithdrawn, needs=the_person)
async def when_somebody_withdraws_their_referrer_learns_it(
    event: Event[WorkerWithdrawn], work: Work, naming: Naming
) -> None:
    """And why, as far as the list of reasons goes."""
    known = await known_as(Known, event.subject, work)
    known.leave(_on_its_day(feed.Withdrew.type, event, work).model_copy(update={"reason": event.data.reason.value}))
    await tell(known, work, naming)


@ledgers.on(ConsentChanged, needs=the_person)
async def when_feedback_is_decided_what_waited_is_told_or_dropped(
    event: Event[ConsentChanged], work: Work, naming: Naming
) -> None:
    """To the partner who referred them, and no other."""
    if event.data.purpose not in {Purpose.PARTNER_FEEDBACK, Purpose.PARTICIPATION}:
        return
    known = await known_as(Known, event.subject, work)
    await detach(known, known.decide(event.data.purpose, event.data.given, day_of(event.time, work.rules)), work)
    await tell(known, work, naming)


@ledgers.on(WorkerErased, needs=the_person)
async def when_somebody_is_erased_their_places_say_nothing(
    event: Event[WorkerErased], work: Work, naming: Naming
) -> None:
    """The partner who was told of them is told to delete it."""
    known = await work.find(Known, event.subject)
    if known is None:
        return
    await detach(known, known.erase(day_of(event.time, work.rules)), work)
    await tell(known, work, naming)
    work.remove(known)


def _on_its_day(type: str, event: Event[Any], work: Work) -> Fact:
    return Fact(type=type, on=day_of(event.time, work.rules))


async def _note(worker: str, fact: Fact, work: Work, naming: Naming) -> None:
    known = await known_as(Known, worker, work)
    known.note(fact)
    await tell(known, work, naming)
