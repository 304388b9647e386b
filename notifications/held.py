"""Data that notifications holds of a person, as it is told to them: messages to them, and what their partner was told."""

from notifications.domain import Feed, GroupCalendar, LedgerEntry, Message, Recipient, ReferredPerson, Venue
from services.store.held import Held, Told
from services.store.work import Work

held = Held(nobody=[Venue, Feed])


@held.of(Recipient)
async def tell_recipient(person: str, work: Work) -> Told:
    """The seats and questionnaires about which they are written to."""
    found = await work.peek(Recipient, person)
    return [found.model_dump(mode="json", exclude={"id"})] if found is not None else []


@held.of(GroupCalendar)
async def tell_waiting(person: str, work: Work) -> Told:
    """The groups whose first meeting is not known yet, so that a message waits."""
    recipient = await work.peek(Recipient, person)
    groups = [each.group for each in recipient.seats] if recipient is not None else []
    return [{"group": each.id} for each in await work.peek_all(GroupCalendar, groups) if person in each.waiting]


@held.of(Message)
async def tell_messages(person: str, work: Work) -> Told:
    """Each message and what became of it. Without the token of a link, by which anybody could act as the person."""
    found = await work.browse(Message, worker=person)
    return [each.model_dump(mode="json", exclude={"worker", "sealed", "correlation"}) for each in found]


@held.of(ReferredPerson)
async def tell_referral(person: str, work: Work) -> Told:
    """The partner who referred them, and what that partner may be told later."""
    found = await work.peek(ReferredPerson, person)
    return [found.model_dump(mode="json", exclude={"id"})] if found is not None else []


@held.of(LedgerEntry)
async def tell_entries(person: str, work: Work) -> Told:
    """Entries of the ledger of their partner about them. Without the name by which the partner knows them: it is the partner's own."""
    found = await work.peek(ReferredPerson, person)
    ids = [f"{found.partner}.{each}" for each in found.entries] if found is not None else []
    entries = await work.peek_all(LedgerEntry, ids)
    return [each.model_dump(mode="json", include={"partner", "sequence", "fact", "written"}) for each in entries]
