"""Reads that answer a route, and the content of a mail as it stands when the mail is sent. They change no aggregate."""

from collections.abc import Mapping

import orjson

from notifications.composing import MailContent
from notifications.domain import Feed, GroupCalendar, Message, PlannedMeeting, Recipient, ReferredPerson, Status, Venue
from notifications.mail_queue import attempts_of
from services import vault
from services.contracts.enrolment import Purpose
from services.kernel import NotYet, Refused
from services.programmes import Programme, Uses, counted_uses
from services.store.mongo import Document, Store
from services.store.work import Work


async def mail_content(work: Work, message: str, card: bytes | None) -> MailContent:
    """The content of the mail for a message; `card` is the person's encrypted contact card. Read immediately before sending, so that
    a change since the message was queued counts.

    Refused("past"), ("no-address"), ("no-consent"), or ("not-queued") when there is nothing to send any more; NotYet while card, key,
    meeting or place have not arrived."""
    queued = await work.peek(Message, message)
    recipient = await work.peek(Recipient, queued.worker) if queued is not None else None
    seat = recipient.seat_in(queued.reference) if queued is not None and recipient is not None else None
    if queued is None or queued.status is not Status.QUEUED or seat is None:
        raise Refused("not-queued", f"Message {message} is not to be sent.")
    if not (await work.peek_consents(queued.worker)).allow(Purpose.CONTACT):
        raise Refused("no-consent", f"The person of message {message} does not consent to contact.")
    calendar = await work.peek(GroupCalendar, queued.reference)
    first = calendar.first_from(seat.since) if calendar is not None else None
    if _is_past(queued, first, work, calendar):
        raise Refused("past", f"The meeting that message {message} announces is past.")
    venue = await work.peek(Venue, first.place) if first is not None else None
    if first is None or venue is None or card is None:
        missing = "contact card" if card is None else "meeting" if first is None else "place"
        raise NotYet(f"the {missing} for message {message}")
    contact = orjson.loads(vault.decrypt_payload(await work.key(queued.worker), card.decode()))
    if not contact.get("email"):
        raise Refused("no-address", f"Message {message} has no address to go to.")
    rules = work.rules
    plan = {"every": rules.cadence_days, "meetings": rules.meetings, "minutes": rules.session_minutes}
    return MailContent(message, contact, first.starts, venue.title, venue.address, ask=_office(rules), **plan)


def _office(rules: Programme) -> str | None:
    """The office for questions on one line, with its telephone number and address as far as they are known."""
    office = rules.office
    return ", ".join(filter(None, (office.name, office.phone, office.email))) if office is not None else None


def _is_past(queued: Message, first: PlannedMeeting | None, work: Work, calendar: GroupCalendar | None) -> bool:
    """The day for which the message was queued counts while no meeting is known. A group that was concluded has none to come."""
    if first is None and calendar is not None and calendar.concluded is not None:
        return True
    return first.starts <= work.now if first is not None else queued.day < work.rules.day_of(work.now)


async def messages(
    store: Store, programme: str, fields: Mapping[str, str], after: str | None, limit: int
) -> list[tuple[Message, int]]:
    """Messages with these field values, by id, each with the number of attempts so far."""
    where: Document = {"programme": programme, **{f"state.{name}": value for name, value in fields.items()}}
    if after is not None:
        where["_id"] = {"$gt": f"{programme}/{after}"}
    found = store[Message.noun].find(where).sort("_id", 1).limit(limit)
    read = [(Message.model_validate(each["state"]), attempts_of(each).tries) async for each in found]
    return [(message, max(message.tries, tries)) for message, tries in read]


async def ledgers(store: Store, programme: str) -> dict[str, int]:
    """The last sequence of each ledger, by partner."""
    found = store[Feed.noun].find({"programme": programme})
    return {each["state"]["id"]: each["state"]["last"] async for each in found}


async def uses(work: Work) -> Uses:
    """Count the people that each partner hears of."""
    people = await work.browse(ReferredPerson)
    return counted_uses(("partners", each.partner, "people") for each in people if each.partner)
