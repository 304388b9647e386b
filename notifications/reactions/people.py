"""What happened, and who is written to because of it."""

from typing import Any

from notifications.commands import announce, drop
from notifications.domain import Circle, Message, Recipient, Venue
from notifications.reactions.keeping import keep, known_as, member
from services.contracts import Event
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased, WorkerWithdrawn
from services.contracts.grouping import GroupFormed, MemberJoined, MemberLeft, PlaceRegistered
from services.events.delivery.declare import Reactions
from services.store.work import Work

letters = Reactions()


def the_recipient(event: Event[Any]) -> list[tuple[Any, str]]:
    """The one person it is about."""
    return [(Recipient, event.subject)]


def the_member_and_the_group(event: Event[Any]) -> list[tuple[Any, str]]:
    """Who has or had a seat, and where."""
    return [(Circle, event.subject), (Recipient, member(event))]


@letters.on(PlaceRegistered)
async def when_a_place_is_registered_letters_can_name_it(event: Event[PlaceRegistered], work: Work) -> None:
    """New, or corrected."""
    await keep(Venue, event.subject, work, title=event.data.title, address=event.data.address)


@letters.on(GroupFormed)
async def when_a_group_is_formed_letters_can_name_it(event: Event[GroupFormed], work: Work) -> None:
    """Slot, place and first day."""
    await keep(Circle, event.subject, work, slot=event.data.slot, place=event.data.place, first=event.data.first)


@letters.on(MemberJoined, needs=the_member_and_the_group)
async def when_somebody_has_a_seat_they_are_told(event: Event[MemberJoined], work: Work) -> None:
    """Now, or as soon as they consent to be."""
    recipient = await known_as(Recipient, event.data.worker, work)
    recipient.sit(event.subject, event.data.since)
    await announce(recipient, work)


@letters.on(MemberLeft, needs=the_member_and_the_group)
async def when_a_seat_is_given_up_nobody_is_called_to_it(event: Event[MemberLeft], work: Work) -> None:
    """What is still queued is dropped."""
    await drop((await known_as(Recipient, event.data.worker, work)).stand_up({event.subject}), work)


@letters.on(ConsentChanged, needs=the_recipient)
async def when_contact_is_decided_letters_go_or_do_not(event: Event[ConsentChanged], work: Work) -> None:
    """Given: what waited is queued. Withdrawn: what is queued is dropped."""
    if event.data.purpose is not Purpose.CONTACT:
        return
    recipient = await known_as(Recipient, event.subject, work)
    recipient.contact = event.data.given
    if recipient.contact:
        await announce(recipient, work)
    else:
        await drop(recipient.seats, work)


@letters.on(WorkerWithdrawn, needs=the_recipient)
async def when_somebody_withdraws_they_are_called_to_no_meeting(event: Event[WorkerWithdrawn], work: Work) -> None:
    """What is still queued is dropped."""
    await drop((await known_as(Recipient, event.subject, work)).stand_up(), work)


@letters.on(WorkerErased, needs=the_recipient)
async def when_somebody_is_erased_no_message_of_theirs_stays(event: Event[WorkerErased], work: Work) -> None:
    """Neither queued nor sent."""
    recipient = await work.find(Recipient, event.subject)
    if recipient is None:
        return
    for each in recipient.messages:
        work.remove(await work.get(Message, each))
    work.remove(recipient)
