"""Reactions that fill the ledgers of partners, and handlers of the gate that close them. Each is given the pseudonyms by which partners
know people."""

from typing import Any

from notifications.commands import Pseudonyms, enter, enter_known, find_or_add, recall, withhold
from notifications.domain import Fact, ReferredPerson
from notifications.reactions.aggregates import member
from services.contracts import Event, feed
from services.contracts.enrolment import (
    ConsentChanged,
    Purpose,
    Step,
    StepRedated,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerReferred,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import MemberJoined
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work

ledgers, ledger_gate = Reactions(), Gate()


def the_person(event: Event[Any]) -> list[tuple[Any, str]]:
    """The person who is the subject."""
    return [(ReferredPerson, event.subject)]


def the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """The person who has a seat."""
    return [(ReferredPerson, member(event))]


def the_referred(worker: str) -> list[tuple[Any, str]]:
    """The person, by their id."""
    return [(ReferredPerson, worker)]


@ledgers.on(WorkerReferred, needs=the_person)
async def when_somebody_is_referred_their_referrer_is_known(
    event: Event[WorkerReferred], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the referral, and the facts that waited for it."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    consents = await _consents(person.id, event, work)
    person.refer(event.data.partner, _fact(feed.Referred.type, event, work), consents)
    if consents is False and work.was_restored:
        await recall(person, work, pseudonyms)
        await withhold(person, person.refuse(work.rules.day_of(work.now)), work)
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerAdmitted, needs=the_person)
async def when_somebody_is_admitted_their_referrer_learns_it(
    event: Event[WorkerAdmitted], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the admission, then a seat that arrived before it."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    person.admit(_fact(feed.Admitted.type, event, work), await _consents(person.id, event, work))
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerDeclined, needs=the_person)
async def when_somebody_is_declined_their_referrer_learns_it(
    event: Event[WorkerDeclined], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the refusal without its reason."""
    await _note(event.subject, _fact(feed.Declined.type, event, work), event, work, pseudonyms)


@ledgers.on(MemberJoined, needs=the_member)
async def when_somebody_has_a_seat_their_referrer_learns_it(
    event: Event[MemberJoined], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the seat without naming the group."""
    await _note(event.data.worker, Fact(type=feed.Seated.type, on=event.data.since), event, work, pseudonyms)


@ledgers.on(WorkerWithdrawn, needs=the_person)
async def when_somebody_withdraws_their_referrer_learns_it(
    event: Event[WorkerWithdrawn], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the withdrawal. The partner learns if work was found, and no other reason, also from events that hold one."""
    person = await find_or_add(ReferredPerson, event.subject, work)
    fact = _fact(feed.Withdrew.type, event, work)
    fact = fact.model_copy(update={"reason": event.data.reason.told.value})
    person.withdraw(fact, await _consents(person.id, event, work))
    await enter(person, work, pseudonyms)


@ledgers.on(WorkerReturned, needs=the_person)
async def when_somebody_comes_back_their_referrer_learns_nothing_yet(
    event: Event[WorkerReturned],
    work: Work,
    pseudonyms: Pseudonyms,  # noqa: ARG001  # every reaction of this table is given them
) -> None:
    """Enter nothing: no agreement names a return. What follows is entered as before."""
    (await find_or_add(ReferredPerson, event.subject, work)).come_back()


REDATED = {
    Step.ADMITTED: feed.Admitted.type,
    Step.DECLINED: feed.Declined.type,
    Step.WITHDRAWN: feed.Withdrew.type,
}  # steps that a ledger tells


@ledgers.on(StepRedated, needs=the_person)
async def when_a_step_is_redated_their_referrer_learns_the_day(
    event: Event[StepRedated], work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter the step again with its right day. The steps before the admission are told to nobody."""
    if event.data.step in REDATED:
        fact = _fact(REDATED[event.data.step], event, work)
        if event.data.reason is not None:
            fact = fact.model_copy(update={"reason": event.data.reason.told.value})
        await _note(event.subject, fact, event, work, pseudonyms)


@ledger_gate.on(ConsentChanged, needs=the_referred)
async def when_feedback_is_decided_waiting_facts_are_entered_or_dropped(
    worker: str, work: Work, pseudonyms: Pseudonyms
) -> None:
    """Enter or drop the facts that waited, for the partner who referred them and no other. Refused consent withholds their entries."""
    person = await work.find(ReferredPerson, worker)
    consents = await work.consents_to(worker, Purpose.PARTNER_FEEDBACK)
    if person is None:
        return
    if consents is False:
        await withhold(person, person.refuse(work.rules.day_of(work.at)), work)
    await enter_known(person, consents, work, pseudonyms)


@ledger_gate.on(WorkerErased, needs=the_referred)
async def when_somebody_is_erased_their_entries_are_withheld(worker: str, work: Work, pseudonyms: Pseudonyms) -> None:
    """Withhold their entries and enter the erasure, so that the partner deletes what it has read."""
    person = await work.find(ReferredPerson, worker)
    for each in [person] if person is not None else _referred_by_anybody(worker, work):
        if person is None:
            await recall(each, work, pseudonyms)
        await withhold(each, each.erase(work.rules.day_of(work.at)), work)
        await enter_known(each, None, work, pseudonyms)
    if person is not None:
        work.remove(person)


def _referred_by_anybody(worker: str, work: Work) -> list[ReferredPerson]:
    """The person for each partner. A restored database does not know who referred somebody after the backup; a partner who had read of
    them has entries."""
    return [ReferredPerson(id=worker, partner=each.id) for each in work.rules.partners] if work.was_restored else []


def _fact(type: str, event: Event[Any], work: Work) -> Fact:
    return Fact(type=type, on=work.rules.day_of(event.time))


async def _consents(worker: str, event: Event[Any], work: Work) -> bool | None:
    """The answer for a fact of this event: what happened under a refusal, or before a later one, stays untold."""
    return (await work.consents(worker)).to_tell(Purpose.PARTNER_FEEDBACK, event.time)


async def _note(worker: str, fact: Fact, event: Event[Any], work: Work, pseudonyms: Pseudonyms) -> None:
    person = await find_or_add(ReferredPerson, worker, work)
    person.note(fact, await _consents(worker, event, work))
    await enter(person, work, pseudonyms)
