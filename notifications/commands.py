"""What notifications does: each command beside its one handler. Nothing here talks to a mail server or to the bus."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime

import orjson
from pydantic import Field

from notifications.composing import Letter
from notifications.domain import Circle, Entry, Fact, Feed, Known, Message, Recipient, Seat, Status, Venue
from services import vault
from services.contracts.base import Id
from services.kernel import Command, NotYet, Refused, new_id
from services.programmes import Programme
from services.store.work import Work

Naming = Callable[[str, str, str], str]  # programme, partner, person: how the partner knows the person


def day_of(moment: datetime, rules: Programme) -> date:
    """The day it was, where the programme is."""
    return moment.astimezone(rules.zone).date()


async def announce(recipient: Recipient, work: Work) -> None:
    """Queue a message for each seat that may be told of, was not, and whose first meeting is still to come."""
    for seat in recipient.untold():
        circle = await work.get(Circle, seat.group)
        if work.was_restored and (told := await _told_by(recipient, seat, work)) is not None:
            recipient.hears(seat, told.id)
            continue
        first = circle.first_for(seat.since, work.rules.cadence_days)
        if first >= day_of(work.now, work.rules):
            message = Message.about_seat(new_id(), recipient.id, seat.group, first, work.cause.correlation)
            recipient.hears(seat, message.id)
            work.add(message)


async def _told_by(recipient: Recipient, seat: Seat, work: Work) -> Message | None:
    """The message that had told of this seat before the database was restored."""
    told = await work.where(Message, worker=recipient.id, reference=seat.group)
    return next((each for each in told if each.id not in recipient.messages), None)


async def drop(seats: Sequence[Seat], work: Work) -> None:
    """Send no message about these seats any more; a seat whose message was dropped in time can be told of again."""
    for seat in seats:
        message = await work.find(Message, seat.message) if seat.message else None
        if message is not None and message.drop():
            seat.message = None


class Gather(Command):
    """Everything that a message says. `card` is the person's contact card as it stands on the bus."""

    message: Id
    card: bytes | None = Field(repr=False)


async def gather(command: Gather, work: Work) -> Letter:
    """Asked immediately before sending, so that what changed since it was queued counts. Refused("past"), ("no-address"), or
    ("not-queued") when there is nothing to send any more; NotYet while card, key or place are on their way."""
    message = await work.get(Message, command.message)
    recipient = await work.peek(Recipient, message.worker)
    if message.status is not Status.QUEUED or recipient is None or not recipient.contact:
        raise Refused("not-queued", f"Message {message.id} is not to be sent.")
    if message.day < day_of(work.now, work.rules):
        raise Refused("past", f"What message {message.id} announces is past.")
    circle = await work.get(Circle, message.reference)
    venue = await work.peek(Venue, circle.place)
    if venue is None or command.card is None:
        raise NotYet(f"the {'place' if venue is None else 'contact card'} for message {message.id}")
    card = orjson.loads(vault.decrypt_payload(await work.key(message.worker), command.card.decode()))
    if not card.get("email"):
        raise Refused("no-address", f"Message {message.id} has no address to go to.")
    slot = next(each for each in work.rules.slots if each.id == circle.slot)
    return Letter(message.id, card, slot.isoweekday, slot.at, venue.title, venue.address, message.day)


class MarkSent(Command):
    """The mail server took it."""

    message: Id
    tries: int


async def mark_sent(command: MarkSent, work: Work) -> None:
    """Say so."""
    (await work.get(Message, command.message)).sent(command.tries)


class MarkFailed(Command):
    """It is given up."""

    message: Id
    reason: str
    tries: int


async def mark_failed(command: MarkFailed, work: Work) -> None:
    """Say so."""
    (await work.get(Message, command.message)).fail(command.reason, command.tries)


def agreed_with(partner: str, rules: Programme) -> frozenset[str]:
    """The event types of the feed that the programme's agreement with this partner names; none when it has no feed."""
    names = next((each.feed for each in rules.partners if each.id == partner), None) or ()
    return frozenset(f"it.amalavoro.feed.{name.value}.v1" for name in names)


async def tell(known: Known, work: Work, naming: Naming) -> None:
    """Write what may be told now into the ledger of the partner who referred them."""
    if known.partner is None:
        return
    facts = known.release(agreed_with(known.partner, work.rules))
    if not facts:
        return
    feed = await work.find(Feed, known.partner)
    if feed is None:
        feed = Feed(id=known.partner)
        work.add(feed)
    subject = naming(work.programme, known.partner, known.id)
    for fact in facts:
        entry = await _told_at(feed, subject, fact, work)
        if entry is None:
            entry = feed.append(fact, known.id, subject, str(uuid.uuid4()), day_of(work.now, work.rules))
            work.add(entry)
        else:
            entry.recognise(known.id)
        known.told(entry)


async def _told_at(feed: Feed, subject: str, fact: Fact, work: Work) -> Entry | None:
    """The place at which the partner was told this before the database was restored."""
    if not feed.recalled:
        return None
    places = await work.where(Entry, partner=feed.id, subject=subject, recalled=True)
    return next((each for each in sorted(places, key=lambda each: each.sequence) if each.fact == fact), None)


async def detach(known: Known, places: Sequence[int], work: Work) -> None:
    """These places in the ledger stay, and say nothing any more."""
    for place in places:
        (await work.get(Entry, f"{known.partner}.{place}")).detach()
