"""What notifications does: each command beside its one handler. Nothing here talks to a mail server or to the bus."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime

from notifications.agreements import agreed_with
from notifications.domain import Circle, Entry, Fact, Feed, Known, Message, Recipient, Seat
from services.contracts.base import Id
from services.kernel import Command, new_id
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
        if work.recalls and (told := await _told_by(recipient, seat, work)) is not None:
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
