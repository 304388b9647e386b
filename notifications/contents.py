"""The content of a message as it stands when it is sent, so that a change since the message was queued counts. Changes no aggregate.

Invariant: nothing is told without the consent that it needs at this moment; a token is opened here and nowhere else.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from notifications.composing import Content
from notifications.domain import (
    TOLD_WITHIN,
    About,
    GroupCalendar,
    Message,
    PlannedMeeting,
    Recipient,
    Status,
    Venue,
    sealed_as,
)
from services import vault
from services.contracts.enrolment import Purpose
from services.kernel import NotYet, Refused
from services.programmes import Programme
from services.store.work import Work

Shown = Mapping[str, Any]
PATHS = {
    About.PERSONAL_LINK: "entra",
    About.CONFIRM_LEAVE: "me/conferma",
    About.CONFIRM_ERASE: "me/conferma",
    About.SELF_REFERRAL: "partecipa",
}


async def content_of(work: Work, message: str, card: bytes | None, base: str) -> Content:
    """The content of a message; `card` is the person's encrypted contact card, `base` the address with which links begin.

    Refused("past"), ("contact-refused"), ("no-consent"), or ("not-queued") when there is nothing to send any more; NotYet while card, key,
    meeting or place have not arrived."""
    queued = await work.peek(Message, message)
    recipient = await work.peek(Recipient, queued.worker) if queued is not None else None
    if queued is None or recipient is None or queued.status is not Status.QUEUED:
        raise Refused("not-queued", f"Message {message} is not to be sent.")
    shown = await KINDS[About(queued.about)](work, queued, recipient, base)
    if queued.about == About.SERVICE_REQUEST:  # to an organisation: the person's card plays no part
        contact = {"given_name": shown["organization"], "family_name": "", "email": shown["email"]}
        return Content(message, queued.about, contact, {**shown, "ask": _office(work.rules)})
    if card is None:
        raise NotYet(f"the contact card for message {message}")
    contact = orjson.loads(vault.decrypt_payload(await work.key(queued.worker), card.decode()))
    return Content(message, queued.about, contact, {**shown, "ask": _office(work.rules)})


async def _about_seat(work: Work, queued: Message, recipient: Recipient, _: str) -> Shown:
    """The first meeting, in local time. Later ones are not named: not all of them may have arrived."""
    seat = recipient.seat_in(queued.reference)
    if seat is None:
        raise Refused("not-queued", f"Message {queued.id} is not to be sent.")
    await _consents(work, queued, Purpose.CONTACT)
    calendar = await work.peek(GroupCalendar, queued.reference)
    first = calendar.first_from(seat.since) if calendar is not None else None
    if _is_past(queued, first, work, calendar):
        raise Refused("past", f"The meeting that message {queued.id} announces is past.")
    venue = await work.peek(Venue, first.place) if first is not None else None
    if first is None or venue is None:
        raise NotYet(f"the {'meeting' if first is None else 'place'} for message {queued.id}")
    rules = work.rules
    plan = {"every": rules.cadence_days, "meetings": rules.meetings, "minutes": rules.session_minutes}
    return {"first": first.starts, "title": venue.title, "address": venue.address, **plan}


async def _about_interview(work: Work, queued: Message, recipient: Recipient, _: str) -> Shown:
    """The welcome interview as it is booked now, in local time."""
    booked = recipient.interview
    if booked is None or booked.message != queued.id:
        raise Refused("not-queued", f"Message {queued.id} is not to be sent.")
    await _consents(work, queued, Purpose.CONTACT)
    if booked.when <= work.now:
        raise Refused("past", f"The interview that message {queued.id} tells is past.")
    partner = work.rules.partner(booked.place) if booked.place else None
    office = work.rules.office
    where = partner.name if partner is not None else office.name if office is not None else None
    return {"when": booked.when.astimezone(work.rules.zone), "where": where}


async def _about_end(work: Work, queued: Message, _: Recipient, __: str) -> Shown:
    """The last day of the group. No reason is told: it may be about somebody."""
    await _consents(work, queued, Purpose.CONTACT)
    if queued.day < work.rules.day_of(work.now):
        raise Refused("past", f"The end of the group of message {queued.id} was long ago.")
    calendar = await work.peek(GroupCalendar, queued.reference)
    if calendar is None or calendar.concluded is None:
        raise NotYet(f"the end of the group for message {queued.id}")
    return {"last": calendar.concluded}


async def _about_meeting(work: Work, queued: Message, recipient: Recipient, _: str) -> Shown:
    """The meeting as it stands now, in local time. No reason is told: it may be about somebody."""
    if recipient.seat_in(queued.reference) is None:
        raise Refused("not-queued", f"Message {queued.id} is not to be sent.")
    await _consents(work, queued, Purpose.CONTACT)
    calendar = await work.peek(GroupCalendar, queued.reference)
    meeting = calendar.meeting(queued.number or 0) if calendar is not None else None
    if calendar is None or meeting is None:
        raise NotYet(f"the meeting for message {queued.id}")
    ended = calendar.concluded is not None and meeting.day > calendar.concluded
    called_off = queued.about == About.MEETING_CANCELLED
    if meeting.starts <= work.now or ended or meeting.off != called_off:
        raise Refused("past", f"What message {queued.id} tells is past, or not so any more.")
    coming = calendar.first_from(work.rules.day_of(work.now)) if called_off else meeting
    if coming is None:
        return {"starts": meeting.starts, "coming": None}
    venue = await work.peek(Venue, coming.place)
    if venue is None:
        raise NotYet(f"the place for message {queued.id}")
    return {"starts": meeting.starts, "coming": coming.starts, "title": venue.title, "address": venue.address}


async def _about_survey(work: Work, queued: Message, recipient: Recipient, base: str) -> Shown:
    if all(each.message != queued.id for each in recipient.links):
        raise Refused("not-queued", f"Message {queued.id} is not to be sent.")
    await _consents(work, queued, Purpose.CONTACT, Purpose.RESEARCH)
    if queued.day < work.rules.day_of(work.now):
        raise Refused("past", f"The survey of message {queued.id} is closed.")
    return {"until": queued.day, "link": f"{base}/questionario/{await _token(work, queued)}"}


async def _personal(work: Work, queued: Message, _: Recipient, base: str) -> Shown:
    """A link that somebody waits for: a refusal of contact is told to whoever looks, and unknown consent waits until the link ends."""
    if queued.expires is None or queued.expires <= work.now:
        raise Refused("past", f"The link of message {queued.id} opens nothing any more.")
    # Whoever asks for the form on the public page has no record yet, and asks for this one message.
    if queued.about != About.SELF_REFERRAL:
        await _wants_contact(work, queued)
    link = f"{base}/{PATHS[About(queued.about)]}/{await _token(work, queued)}"
    return {"link": link, "expires": queued.expires.astimezone(work.rules.zone)}


async def _wants_contact(work: Work, queued: Message) -> None:
    consents = (await work.peek_consents(queued.worker)).allow(Purpose.CONTACT)
    if consents is None:
        raise NotYet(f"the consent for message {queued.id}")
    if not consents:
        raise Refused("contact-refused", f"The person of message {queued.id} does not consent to contact.")


async def _about_opening(work: Work, queued: Message, _: Recipient, __: str) -> Shown:
    """The day on which an administrator opened the record, and why."""
    if queued.day < work.rules.day_of(work.now):
        raise Refused("past", f"The opening that message {queued.id} tells of is long past.")
    consents = (await work.peek_consents(queued.worker)).allow(Purpose.CONTACT)
    if consents is None:
        raise NotYet(f"the consent for message {queued.id}")
    if not consents:
        raise Refused("contact-refused", f"The person of message {queued.id} does not consent to contact.")
    return {"opened": queued.day - TOLD_WITHIN, "reason": queued.reference}


async def _for_receiver(work: Work, queued: Message, _: Recipient, base: str) -> Shown:
    """A request to an organisation: the service, the link and its end. Nothing tells of whom it is. While the person takes part."""
    if queued.expires is None or queued.expires <= work.now:
        raise Refused("past", f"The link of message {queued.id} opens nothing any more.")
    consents = (await work.peek_consents(queued.worker)).allow(Purpose.PARTICIPATION)
    if consents is None:
        raise NotYet(f"the consent for message {queued.id}")
    if not consents:
        raise Refused("contact-refused", f"The person of message {queued.id} does not take part any more.")
    told = orjson.loads(await _token(work, queued))
    return {
        "service": told["service_name"],
        "organization": told["organization_name"],
        "email": told["email"],
        "link": f"{base}/risposta/{told['token']}",
        "expires": queued.expires.astimezone(work.rules.zone),
        "programme": work.rules.title,
    }


async def _complaint_answered(work: Work, queued: Message, _: Recipient, base: str) -> Shown:
    """Tell that there is an answer, and where: a refusal of contact is told to whoever looks."""
    consents = (await work.peek_consents(queued.worker)).allow(Purpose.CONTACT)
    if consents is None:
        raise NotYet(f"the consent for message {queued.id}")
    if not consents:
        raise Refused("contact-refused", f"The person of message {queued.id} does not consent to contact.")
    return {"link": f"{base}/me/reclamo"}


KINDS: dict[About, Callable[[Work, Message, Recipient, str], Awaitable[Shown]]] = {
    About.SEAT: _about_seat,
    About.GROUP_ENDED: _about_end,
    About.GROUP_COMPLETED: _about_end,
    **dict.fromkeys((About.MEETING_MOVED, About.MEETING_ADDED, About.MEETING_CANCELLED), _about_meeting),
    About.SURVEY: _about_survey,
    About.INTERVIEW: _about_interview,
    About.PERSONAL_LINK: _personal,
    About.CONFIRM_LEAVE: _personal,
    About.CONFIRM_ERASE: _personal,
    About.SELF_REFERRAL: _personal,
    About.RECORD_OPENED: _about_opening,
    About.SERVICE_REQUEST: _for_receiver,
    About.COMPLAINT_ANSWERED: _complaint_answered,
}


async def _consents(work: Work, queued: Message, *purposes: Purpose) -> None:
    consents = await work.peek_consents(queued.worker)
    if not all(consents.allow(each) for each in purposes):
        raise Refused("no-consent", f"The person of message {queued.id} does not consent to contact.")


async def _token(work: Work, queued: Message) -> str:
    if queued.sealed is None:
        raise Refused("not-queued", f"Message {queued.id} has no link.")
    return await work.unseal(queued.worker, sealed_as(queued.id), queued.sealed, told=False)


def _office(rules: Programme) -> str | None:
    """The office for questions on one line, with its telephone number and address as far as they are known."""
    office = rules.office
    return ", ".join(filter(None, (office.name, office.phone, office.email))) if office is not None else None


def _is_past(queued: Message, first: PlannedMeeting | None, work: Work, calendar: GroupCalendar | None) -> bool:
    """The day for which the message was queued counts while no meeting is known. A group that was concluded has none to come."""
    if first is None and calendar is not None and calendar.concluded is not None:
        return True
    return first.starts <= work.now if first is not None else queued.day < work.rules.day_of(work.now)
