"""Reactions, and handlers of the gate, that queue and drop messages to people."""

from typing import Any

from notifications.commands import announce, drop
from notifications.domain import Message, Recipient, SeatedGroup, Venue
from notifications.reactions.aggregates import find_or_add, member
from services.contracts import Event
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased, WorkerWithdrawn
from services.contracts.grouping import GroupFormed, MemberJoined, MemberLeft, PlaceRegistered
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work

messages, message_gate = Reactions(), Gate()


def the_recipient(event: Event[Any]) -> list[tuple[Any, str]]:
    """The recipient who is the subject."""
    return [(Recipient, event.subject)]


def the_one_written_to(worker: str) -> list[tuple[Any, str]]:
    """The recipient, by the person's id."""
    return [(Recipient, worker)]


def the_member_and_the_group(event: Event[Any]) -> list[tuple[Any, str]]:
    """The group, and the person who has or had a seat in it."""
    return [(SeatedGroup, event.subject), (Recipient, member(event))]


@messages.on(PlaceRegistered)
async def when_a_place_is_registered_messages_can_name_it(event: Event[PlaceRegistered], work: Work) -> None:
    """Keep title and address; the latest registration counts."""
    venue = await work.find(Venue, event.subject)
    if venue is None:
        work.add(Venue(id=event.subject, title=event.data.title, address=event.data.address))
    else:
        venue.correct(event.data.title, event.data.address)


@messages.on(GroupFormed)
async def when_a_group_is_formed_messages_can_name_it(event: Event[GroupFormed], work: Work) -> None:
    """Keep slot, place and first day; the latest event counts."""
    group, formed = await work.find(SeatedGroup, event.subject), event.data
    if group is None:
        work.add(SeatedGroup(id=event.subject, slot=formed.slot, place=formed.place, first=formed.first))
    else:
        group.correct(formed.slot, formed.place, formed.first)


@messages.on(MemberJoined, needs=the_member_and_the_group)
async def when_somebody_has_a_seat_it_is_announced(event: Event[MemberJoined], work: Work) -> None:
    """Queue the message now, or as soon as they consent to contact."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    recipient.take_seat(event.subject, event.data.since)
    await announce(recipient, work)


@messages.on(MemberLeft, needs=the_member_and_the_group)
async def when_a_seat_is_given_up_nobody_is_called_to_it(event: Event[MemberLeft], work: Work) -> None:
    """Drop the message that is still queued."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    await drop(recipient.leave({event.subject}), work)


@message_gate.on(ConsentChanged, needs=the_one_written_to)
async def when_contact_is_decided_messages_are_queued_or_dropped(worker: str, work: Work) -> None:
    """Queue the messages that waited for consent, or drop the queued ones."""
    recipient = await work.find(Recipient, worker)
    consents = await work.consents_to(worker, Purpose.CONTACT)
    if recipient is not None and consents:
        await announce(recipient, work)
    elif recipient is not None:
        await drop(recipient.seats, work)


@messages.on(WorkerWithdrawn, needs=the_recipient)
async def when_somebody_withdraws_they_are_called_to_no_meeting(event: Event[WorkerWithdrawn], work: Work) -> None:
    """Drop every message that is still queued."""
    recipient = await find_or_add(Recipient, event.subject, work)
    await drop(recipient.leave(), work)


@message_gate.on(WorkerErased, needs=the_one_written_to)
async def when_somebody_is_erased_no_message_of_theirs_stays(worker: str, work: Work) -> None:
    """Remove the queued messages and the sent ones."""
    recipient = await work.find(Recipient, worker)
    if recipient is None:
        return
    for each in recipient.messages:
        work.remove(await work.get(Message, each))
    work.remove(recipient)
