"""Reads that answer a route, and the content of a mail as it stands when the mail is sent. They change no aggregate."""

from collections.abc import Mapping

import orjson

from notifications.composing import MailContent
from notifications.domain import Feed, Message, Recipient, ReferredPerson, SeatedGroup, Status, Venue
from notifications.mail_queue import attempts_of
from services import vault
from services.kernel import NotYet, Refused
from services.programmes import Uses, counted_uses
from services.store.mongo import Document, Store
from services.store.work import Work


async def mail_content(work: Work, message: str, card: bytes | None) -> MailContent:
    """The content of the mail for a message; `card` is the person's encrypted contact card. Read immediately before sending, so that
    a change since the message was queued counts.

    Refused("past"), ("no-address"), or ("not-queued") when there is nothing to send any more; NotYet while card, key or place have
    not arrived."""
    queued = await work.peek(Message, message)
    recipient = await work.peek(Recipient, queued.worker) if queued is not None else None
    if queued is None or queued.status is not Status.QUEUED or recipient is None or not recipient.contact:
        raise Refused("not-queued", f"Message {message} is not to be sent.")
    if queued.day < work.rules.day_of(work.now):
        raise Refused("past", f"The meeting that message {message} announces is past.")
    group = await work.peek(SeatedGroup, queued.reference)
    venue = await work.peek(Venue, group.place) if group is not None else None
    if group is None or venue is None or card is None:
        raise NotYet(f"the {'contact card' if card is None else 'place'} for message {message}")
    contact = orjson.loads(vault.decrypt_payload(await work.key(queued.worker), card.decode()))
    if not contact.get("email"):
        raise Refused("no-address", f"Message {message} has no address to go to.")
    slot = work.rules.slot(group.slot)
    if slot is None:
        raise NotYet(f"the slot {group.slot} for message {message}")
    return MailContent(message, contact, slot.isoweekday, slot.at, venue.title, venue.address, queued.day)


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
    """Count the queued messages that name each slot, and the people that each partner hears of."""
    groups = {each.id: each for each in await work.browse(SeatedGroup)}
    queued = [each for each in await work.browse(Message, status=Status.QUEUED.value) if each.reference in groups]
    queued_in = [("slots", groups[each.reference].slot, "messages") for each in queued]
    people = await work.browse(ReferredPerson)
    return counted_uses([*queued_in, *(("partners", each.partner, "people") for each in people if each.partner)])
