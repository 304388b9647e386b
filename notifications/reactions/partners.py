"""Reactions that fill the ledgers of partners. Each is given the pseudonyms by which partners know people."""

from typing import Any

from notifications.commands import Pseudonyms, enter, find_or_add, withhold
from notifications.domain import Fact, ReferredPerson
from notifications.reactions.aggregates import member
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
    """The person who is the subject."""
    return [(ReferredPerson, event.subject)]


def the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """The person who has a seat."""
    return [(ReferredPerson, member(event))]


@ledgers.on(WorkerReferred, needs=the_person)
async def when_somebody_is_referred_their_referrer_is_known(
    event: Event[WorkerReferred], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the referral, and the facts that waited for it."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    person.refer(event.data.partner, _fact(feed.Referred.type, event, work))
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerAdmitted, needs=the_person)
async def when_somebody_is_admitted_their_referrer_learns_it(
    event: Event[WorkerAdmitted], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the admission, then a seat that arrived before it."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    person.admit(_fact(feed.Admitted.type, event, work))
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerDeclined, needs=the_person)
async def when_somebody_is_declined_their_referrer_learns_it(
    event: Event[WorkerDeclined], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the refusal without its reason."""
    await _note(event.subject, _fact(feed.Declined.type, event, work), work, pseudonyms)


@ledgers.on(MemberJoined, needs=the_member)
async def when_somebody_has_a_seat_their_referrer_learns_it(
    event: Event[MemberJoined], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the seat without naming the group."""
    await _note(event.data.worker, Fact(type=feed.Seated.type, on=event.data.since), work, pseudonyms)


@ledgers.on(WorkerWithdrawn, needs=the_person)
async def when_somebody_withdraws_their_referrer_learns_it(
    event: Event[WorkerWithdrawn], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the withdrawal. The partner learns if work was found, and no other reason, also from events that hold one."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    fact = _fact(feed.Withdrew.type, event, work)
    person.withdraw(fact.model_copy(update={"reason": event.data.reason.told.value}))
    await enter(person, work, pseudonyms)


@ledgers.on(ConsentChanged, needs=the_person)
async def when_feedback_is_decided_waiting_facts_are_entered_or_dropped(
    event: Event[ConsentChanged], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter or drop the facts that waited, for the partner who referred them and no other."""
    if event.data.purpose not in {Purpose.PARTNER_FEEDBACK, Purpose.PARTICIPATION}:
        return
    person = await find_or_add(ReferredPerson, event.subject, work)
    await withhold(person, person.decide(event.data.purpose, event.data.given, work.rules.day_of(event.time)), work)
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerErased, needs=the_person)
async def when_somebody_is_erased_their_entries_are_withheld(
    event: Event[WorkerErased], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Withhold their entries and enter the erasure, so that the partner deletes what it has read."""
    person = await work.find(ReferredPerson, event.subject)
    if person is None:
        return
    await withhold(person, person.erase(work.rules.day_of(event.time)), work)
    await enter(person, work, pseudonyms)
    work.remove(person)


def _fact(type: str, event: Event[Any], work: Work) -> Fact:
    return Fact(type=type, on=work.rules.day_of(event.time))


async def _note(worker: str, fact: Fact, work: Work, pseudonyms: Pseudonyms) -> None:
    person = await find_or_add(ReferredPerson, worker, work)
    person.note(fact)
    await enter(person, work, pseudonyms)
