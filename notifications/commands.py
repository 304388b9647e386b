"""Commands and steps of reactions. Nothing here talks to a mail server or to the bus."""

import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from notifications.domain import Fact, Feed, GroupCalendar, LedgerEntry, Message, Recipient, ReferredPerson, Seat
from services.contracts.base import Id
from services.contracts.enrolment import Purpose
from services.kernel import Aggregate, Command, new_id
from services.programmes import may_know
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)

Pseudonyms = Callable[
    [str, str, str], str
]  # from programme, partner and person to the id by which the partner knows the person


async def find_or_add(kind: type[A], id: str, work: Work) -> A:
    """The aggregate of that id, added when this is the first mention of it."""
    found = await work.find(kind, id)
    if found is None:
        found = kind(id=id)
        work.add(found)
    return found


async def announce(recipient: Recipient, work: Work) -> None:
    """Queue a message for each seat that was not announced and whose first meeting is still to come, if the person consents to contact. A
    seat whose first meeting is not known waits for it."""
    if not await work.consents_to(recipient.id, Purpose.CONTACT):
        return
    for seat in recipient.unannounced():
        if work.was_restored and (earlier := await _queued_earlier(recipient, seat, work)) is not None:
            recipient.announced(seat, earlier.id)
            continue
        calendar = await find_or_add(GroupCalendar, seat.group, work)
        first = calendar.first_from(seat.since)
        if first is None:
            calendar.wait(recipient.id)
        elif first.starts > work.now:
            message = Message.about_seat(new_id(), recipient.id, seat.group, first.day, work.cause.correlation)
            recipient.announced(seat, message.id)
            work.add(message)


async def _queued_earlier(recipient: Recipient, seat: Seat, work: Work) -> Message | None:
    """The message that had announced this seat before the database was restored."""
    messages = await work.where(Message, worker=recipient.id, reference=seat.group)
    return next((each for each in messages if each.id not in recipient.messages), None)


async def drop(worker: str, seats: Sequence[Seat], work: Work) -> None:
    """Drop the messages to this person about these seats, also those that wait for a meeting; a seat whose message was dropped in time
    can be announced again."""
    for seat in seats:
        if (calendar := await work.find(GroupCalendar, seat.group)) is not None:
            calendar.forget(worker)
        message = await work.find(Message, seat.message) if seat.message else None
        if message is not None and message.drop():
            seat.message = None


class MarkSent(Command):
    """Record that the mail server took a message, after so many attempts."""

    message: Id
    tries: int


async def mark_sent(command: MarkSent, work: Work) -> None:
    """Publish that it was sent. Refused("not-queued")."""
    (await work.get(Message, command.message)).sent(command.tries)


class MarkFailed(Command):
    """Give a message up after so many attempts; `reason` is a stable code."""

    message: Id
    reason: str
    tries: int


async def mark_failed(command: MarkFailed, work: Work) -> None:
    """Publish that it failed. Refused("not-queued")."""
    (await work.get(Message, command.message)).fail(command.reason, command.tries)


async def enter(person: ReferredPerson, work: Work, pseudonyms: Pseudonyms) -> None:
    """Enter the facts that may be released now into the ledger of the partner who referred the person."""
    if person.partner is None:
        return
    await enter_known(person, await work.consents_to(person.id, Purpose.PARTNER_FEEDBACK), work, pseudonyms)


async def enter_known(person: ReferredPerson, consents: bool | None, work: Work, pseudonyms: Pseudonyms) -> None:
    """Enter what may be released with this answer of the gate: of a person who is erased, the erasure alone (None)."""
    if person.partner is None:
        return
    facts = person.release(may_know(person.partner, work.rules, consents), consents)
    if not facts:
        return
    feed = await work.find(Feed, person.partner)
    if feed is None:
        feed = Feed(id=person.partner)
        work.add(feed)
    subject = pseudonyms(work.programme, person.partner, person.id)
    for fact in facts:
        entry = await _entered_earlier(feed, subject, fact, work)
        if entry is None:
            entry = feed.append(fact, person.id, subject, str(uuid.uuid4()), work.rules.day_of(work.now))
            work.add(entry)
        else:
            entry.recognise(person.id)
        person.entered(entry)


async def _entered_earlier(feed: Feed, subject: str, fact: Fact, work: Work) -> LedgerEntry | None:
    """The entry in which the partner had read this fact before the database was restored."""
    if not feed.restored:
        return None
    entries = await work.where(LedgerEntry, partner=feed.id, subject=subject, restored=True)
    return next((each for each in sorted(entries, key=lambda each: each.sequence) if each.fact == fact), None)


async def recall(person: ReferredPerson, work: Work, pseudonyms: Pseudonyms) -> None:
    """Give the person the entries that their partner had read before the database was restored. For a person who does not consent any
    more, or is erased: no fact arrives again by which they would be matched."""
    feed = await work.find(Feed, str(person.partner)) if work.was_restored else None
    if feed is None or not feed.restored:
        return
    subject = pseudonyms(work.programme, feed.id, person.id)
    entries = await work.where(LedgerEntry, partner=feed.id, subject=subject, restored=True)
    for entry in sorted(entries, key=lambda each: each.sequence):
        person.recall(entry)


async def withhold(person: ReferredPerson, sequences: Sequence[int], work: Work) -> None:
    """Withhold these entries of the ledger of the person's referrer."""
    for sequence in sequences:
        (await work.get(LedgerEntry, f"{person.partner}.{sequence}")).withhold()
