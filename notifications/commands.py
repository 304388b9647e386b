"""Commands and steps of reactions. Nothing here talks to a mail server or to the bus."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from notifications.domain import (
    TOLD_WITHIN,
    About,
    Fact,
    Feed,
    GroupCalendar,
    LedgerEntry,
    Message,
    Recipient,
    ReferredPerson,
    Seat,
    Status,
    SurveyLink,
    sealed_as,
)
from services.contracts.base import Id
from services.contracts.enrolment import LinkPurpose, PersonalLinkIssued, Purpose, SelfReferralOpened
from services.contracts.grouping import Ending, GroupConcluded
from services.contracts.paths import RequestLinked
from services.contracts.rights import Opening
from services.contracts.sessions import SurveyLinked
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
    messages = await work.where(Message, worker=recipient.id, reference=seat.group, about=About.SEAT.value)
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


ABOUT = {
    LinkPurpose.ME: (About.PERSONAL_LINK, "me"),
    LinkPurpose.LEAVE: (About.CONFIRM_LEAVE, "leave"),
    LinkPurpose.ERASE: (About.CONFIRM_ERASE, "erase"),
}  # the kind of message for each purpose of a personal link, and its reference


def message_of_event(event: str) -> str:
    """The id of the message that an event causes: the same when the event is taken again after a restore."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:amalavoro:message:{event}"))


async def take_survey_link(recipient: Recipient, event: str, linked: SurveyLinked, survey: str, work: Work) -> None:
    """Hold a message with this link, in place of an earlier link to the same survey, until the person consents."""
    id = message_of_event(event)
    if not recipient.is_asked(survey) or linked.until < work.rules.day_of(work.now):
        return
    if await work.find(Message, id) is None:  # it is there after a restore, when it was sent before
        sealed = await work.seal(recipient.id, sealed_as(id), linked.token)
        work.add(Message.about_survey(id, recipient.id, survey, linked.until, sealed, work.cause.correlation))
    replaced = recipient.take_link(SurveyLink(survey=survey, message=id))
    if replaced is not None and replaced.message != id:
        await drop_links([replaced], work)
    await keep_links(recipient, work)


async def keep_links(recipient: Recipient, work: Work) -> None:
    """Queue the messages with links to surveys that are held, once the person consents to contact and to research; hold those that are
    queued while they do not. One whose link opens nothing any more is dropped."""
    consents = [await work.consents_to(recipient.id, each) for each in (Purpose.CONTACT, Purpose.RESEARCH)]
    for link in recipient.links:
        message = await work.find(Message, link.message)
        if message is None:
            continue
        if not all(consents):
            message.hold()
        elif message.day < work.rules.day_of(work.now):
            message.drop()
        else:
            message.release()


async def announce_interview(recipient: Recipient, work: Work) -> None:
    """Queue the message about the interview that is booked, if it is still to come and the person consents to contact."""
    booked = recipient.interview
    if booked is None or booked.message is not None or booked.when <= work.now:
        return
    if await work.consents_to(recipient.id, Purpose.CONTACT):
        id = message_of_event(booked.event)
        booked.message = id
        recipient.remember(id)
        day = work.rules.day_of(booked.when)
        if (told := await work.find(Message, id)) is None:
            work.add(Message.about_interview(id, recipient.id, day, work.cause.correlation))
        elif told.status is Status.DROPPED:
            told.queue_again()


async def drop_interview(recipient: Recipient, work: Work, *, forget: bool = True) -> None:
    """Drop the message about the interview, if it was not sent. Not to `forget` it lets it be announced again."""
    booked = recipient.interview
    if booked is None:
        return
    message = await work.find(Message, booked.message) if booked.message else None
    if message is not None and message.drop():
        booked.message = None
    if forget:
        recipient.interview = None


MENDABLE = ("no-address", "address-not-ascii", "not-composable", "refused", "undeliverable", "no-channel", "no-mobile")


async def send_failed_again(recipient: Recipient, work: Work) -> None:
    """Queue those messages again that failed for the address, as far as they still mean something: it was corrected. A link whose token
    is gone is not sent; whoever has lost one asks for another."""
    for id in recipient.messages:
        message = await work.find(Message, id)
        if message is None or message.status is not Status.FAILED or message.reason not in MENDABLE:
            continue
        if message.about in {About.SEAT, About.INTERVIEW} and message.day >= work.rules.day_of(work.now):
            message.queue_again()


MEANS = timedelta(days=14)  # after its last day, for which a message that a group meets no more means something


async def tell_of_end(event: str, group: str, concluded: GroupConcluded, work: Work) -> None:
    """Hold a message for everybody who had a seat in this group on its last day, until they consent to contact. A group that was over
    long ago, as one of a list that is entered late, is told to nobody."""
    until = concluded.on + MEANS
    if until < work.rules.day_of(work.now):
        return
    sitting = await work.where(Recipient, seats__group=group)
    gone = await work.where(Recipient, left__group=group)
    for recipient in {each.id: each for each in (*sitting, *gone)}.values():
        if not recipient.sat_at_the_end(group, concluded.on):
            continue
        id, early = message_of_event(f"{event}/{recipient.id}"), concluded.reason is not Ending.COMPLETED
        if await work.find(Message, id) is None:  # it is there after a restore, when it was sent before
            work.add(Message.about_end(id, recipient.id, group, until, early, work.cause.correlation))
        recipient.told_of_end(id)
        await keep_endings(recipient, work)


async def tell_of_meeting(event: str, group: str, number: int, about: About, until: date, work: Work) -> None:
    """Hold a message for everybody with a seat in this group by that day, until they consent to contact. A day that is past is told to
    nobody. One message about a meeting is enough: those that wait are dropped for the newest."""
    if until < work.rules.day_of(work.now):
        return
    for recipient in await work.where(Recipient, seats__group=group):
        seat = recipient.seat_in(group)
        if recipient.withdrawn or seat is None or seat.since > until:
            continue
        await drop_about_meetings(recipient, group, work, number)
        id = message_of_event(f"{event}/{recipient.id}")
        if await work.find(Message, id) is None:  # it is there after a restore, when it was sent before
            work.add(Message.about_meeting(id, recipient.id, about, (group, number), until, work.cause.correlation))
        recipient.told_of_end(id)
        await keep_endings(recipient, work)


async def drop_about_meetings(recipient: Recipient, group: str, work: Work, number: int | None = None) -> None:
    """Drop what waits to be told of meetings of this group, or of one of them."""
    for each in recipient.endings:
        message = await work.find(Message, each)
        about = message is not None and message.number is not None and message.reference == group
        if message is not None and about and number in {None, message.number}:
            message.drop()


async def keep_endings(recipient: Recipient, work: Work) -> None:
    """Queue the messages about groups and meetings that are held, once the person consents to contact; hold those that are queued while
    they do not. One that is too old, or whose person has left, is dropped."""
    consents = await work.consents_to(recipient.id, Purpose.CONTACT)
    for each in recipient.endings:
        message = await work.find(Message, each)
        if message is None:
            continue
        if recipient.withdrawn or message.day < work.rules.day_of(work.now):
            message.drop()
        elif consents:
            message.release()
        else:
            message.hold()


async def revoke_personal_link(worker: str, purpose: LinkPurpose, work: Work) -> None:
    """Drop the messages with a personal link for this purpose that were not sent: the link opens nothing any more."""
    about, _ = ABOUT[purpose]
    for each in await work.where(Message, worker=worker, about=about.value, status=Status.QUEUED.value):
        each.drop()


async def drop_links(links: Sequence[SurveyLink], work: Work) -> None:
    """Drop the messages that carry these links, as far as they were not sent."""
    for link in links:
        message = await work.find(Message, link.message)
        if message is not None:
            message.drop()


async def send_personal_link(event: str, issued: PersonalLinkIssued, work: Work) -> None:
    """Queue the message with a personal link; an earlier one for the same purpose, which opens nothing any more, is dropped."""
    about, reference = ABOUT[issued.purpose]
    await _queue_link(event, issued.worker, about, reference, issued, work)


async def send_invitation(event: str, person: str, opened: SelfReferralOpened, work: Work) -> None:
    """Queue the message with the link to the form of somebody who asked to take part."""
    await _queue_link(event, person, About.SELF_REFERRAL, "ask", opened, work)


async def _queue_link(
    event: str, worker: str, about: About, reference: str, link: PersonalLinkIssued | SelfReferralOpened, work: Work
) -> None:
    id = message_of_event(event)
    if link.expires <= work.now or await work.find(Message, id) is not None:
        return
    for earlier in await work.where(Message, worker=worker, about=about.value, status=Status.QUEUED.value):
        earlier.drop()
    message = Message(
        id=id,
        worker=worker,
        about=about,
        reference=reference,
        day=work.rules.day_of(link.expires),
        correlation=work.cause.correlation,
        sealed=await work.seal(worker, sealed_as(id), link.token),
        expires=link.expires,
    )
    work.add(message)
    (await find_or_add(Recipient, worker, work)).remember(id)


async def tell_of_opening(event: str, worker: str, reason: Opening, work: Work) -> None:
    """Queue the message that an administrator has opened the record. Whoever refuses messages reads it on their page alone."""
    id = message_of_event(event)
    if await work.find(Message, id) is not None or await work.consents_to(worker, Purpose.CONTACT) is False:
        return
    message = Message(
        id=id,
        worker=worker,
        about=About.RECORD_OPENED,
        reference=reason.value,
        day=work.rules.day_of(work.at) + TOLD_WITHIN,
        correlation=work.cause.correlation,
    )
    work.add(message)
    (await find_or_add(Recipient, worker, work)).remember(id)


async def send_request(event: str, request: str, linked: RequestLinked, work: Work) -> None:
    """Queue the message to the organisation that is asked, in place of an earlier one about the same request, whose link opens nothing any
    more. Everything in it is sealed under the key of the person whom the request is for."""
    id = message_of_event(event)
    if linked.expires <= work.now or await work.find(Message, id) is not None:
        return
    about = About.SERVICE_REQUEST
    for earlier in await work.where(Message, worker=linked.worker, about=about.value, status=Status.QUEUED.value):
        if earlier.reference == request:
            earlier.drop()
    told = linked.model_dump_json(include={"service_name", "organization_name", "email", "token"})
    message = Message(
        id=id,
        worker=linked.worker,
        about=about,
        reference=request,
        day=work.rules.day_of(linked.expires),
        correlation=work.cause.correlation,
        sealed=await work.seal(linked.worker, sealed_as(id), told),
        expires=linked.expires,
    )
    work.add(message)
    (await find_or_add(Recipient, linked.worker, work)).remember(id)


ANSWER_STANDS = timedelta(days=30)  # within which it makes sense to tell that there is an answer


async def tell_of_reply(event: str, complaint: str, worker: str, work: Work) -> None:
    """Queue the message that there is an answer to the person's complaint."""
    id = message_of_event(event)
    if await work.find(Message, id) is not None:
        return
    day = work.rules.day_of(work.at + ANSWER_STANDS)
    about, correlation = About.COMPLAINT_ANSWERED, work.cause.correlation
    work.add(Message(id=id, worker=worker, about=about, reference=complaint, day=day, correlation=correlation))
    (await find_or_add(Recipient, worker, work)).remember(id)


class MarkSent(Command):
    """Record that a message was taken for delivery by this channel, after so many attempts."""

    message: Id
    tries: int
    channel: str | None = None


async def mark_sent(command: MarkSent, work: Work) -> None:
    """Publish that it was sent. Refused("not-queued")."""
    (await work.get(Message, command.message)).sent(command.tries, command.channel, work.now)


class MarkFailed(Command):
    """Give a message up after so many attempts; `reason` is a stable code, `channel` the one by which it was tried."""

    message: Id
    reason: str
    tries: int
    channel: str | None = None


async def mark_failed(command: MarkFailed, work: Work) -> None:
    """Publish that it failed. Refused("not-queued")."""
    (await work.get(Message, command.message)).fail(command.reason, command.tries, command.channel, work.now)


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
