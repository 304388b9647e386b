"""Reactions, and handlers of the gate, that queue and drop messages to people."""

import asyncio
from typing import Any

from notifications.commands import (
    announce,
    announce_interview,
    drop,
    drop_about_meetings,
    drop_interview,
    drop_links,
    find_or_add,
    keep_endings,
    keep_links,
    revoke_personal_link,
    send_failed_again,
    send_invitation,
    send_personal_link,
    send_request,
    take_survey_link,
    tell_of_end,
    tell_of_meeting,
    tell_of_opening,
    tell_of_reply,
)
from notifications.domain import About, BookedInterview, GroupCalendar, Message, PlannedMeeting, Recipient, Venue
from notifications.kept_mail import KeptMail
from notifications.reactions.aggregates import member
from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    InterviewBooked,
    InterviewHeld,
    PersonalLinkIssued,
    PersonalLinkRevoked,
    Purpose,
    SelfReferralOpened,
    WorkerAdmitted,
    WorkerCorrected,
    WorkerDeclined,
    WorkerErased,
    WorkerMerged,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import GroupConcluded, MemberJoined, MemberLeft, PlaceRegistered
from services.contracts.paths import ComplaintReplied, RequestLinked
from services.contracts.rights import RecordOpened
from services.contracts.sessions import SessionCancelled, SessionMoved, SessionScheduled, SurveyLinked, SurveySubmitted
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work

messages, message_gate, mail_gate = Reactions(), Gate(), Gate()


def the_recipient(event: Event[Any]) -> list[tuple[Any, str]]:
    """The recipient who is the subject."""
    return [(Recipient, event.subject)]


def the_one_written_to(worker: str) -> list[tuple[Any, str]]:
    """The recipient, by the person's id."""
    return [(Recipient, worker)]


def the_member_and_the_calendar(event: Event[Any]) -> list[tuple[Any, str]]:
    """The group's calendar, and the person who has or had a seat in the group."""
    return [(GroupCalendar, event.subject), (Recipient, member(event))]


def the_calendar(event: Event[Any]) -> list[tuple[Any, str]]:
    """The calendar of the group that meets, before the payload is read."""
    return [(GroupCalendar, str(event.data.get("group", "")))] if isinstance(event.data, dict) else []


@messages.on(PlaceRegistered)
async def when_a_place_is_registered_messages_can_name_it(event: Event[PlaceRegistered], work: Work) -> None:
    """Keep title and address; the latest registration counts."""
    venue = await work.find(Venue, event.subject)
    if venue is None:
        work.add(Venue(id=event.subject, title=event.data.title, address=event.data.address))
    else:
        venue.correct(event.data.title, event.data.address)


@messages.on(SessionScheduled, needs=the_calendar)
async def when_a_meeting_is_scheduled_messages_can_name_it(event: Event[SessionScheduled], work: Work) -> None:
    """Keep its date and place, and queue the messages that waited for it. One that an operator added later is told to the members."""
    calendar = await find_or_add(GroupCalendar, event.data.group, work)
    meeting = PlannedMeeting(number=event.data.number, starts=event.data.starts, place=event.data.place)
    for worker in calendar.schedule(meeting):
        recipient = await work.find(Recipient, worker)
        if recipient is not None:
            await announce(recipient, work)
    if event.causationid is None:  # of a command: those of a new group come of its forming
        about = (event.data.group, event.data.number)
        await tell_of_meeting(event.id, *about, About.MEETING_ADDED, meeting.day, work)


@messages.on(SessionMoved, needs=the_calendar)
async def when_a_meeting_is_moved_its_members_are_told(event: Event[SessionMoved], work: Work) -> None:
    """Keep the new date and place, and tell those who have a seat; a message that is queued already names the new date as well."""
    calendar, moved = await find_or_add(GroupCalendar, event.data.group, work), event.data
    meeting = PlannedMeeting(number=moved.number, starts=moved.starts, place=moved.place)
    calendar.schedule(meeting)
    await tell_of_meeting(event.id, moved.group, moved.number, About.MEETING_MOVED, meeting.day, work)


@messages.on(SessionCancelled, needs=the_calendar)
async def when_a_meeting_is_cancelled_its_members_are_told(event: Event[SessionCancelled], work: Work) -> None:
    """Tell those who have a seat. Without a reason it is off because the group ended, which is told as such."""
    calendar, off = await find_or_add(GroupCalendar, event.data.group, work), event.data
    meeting = calendar.meeting(off.number)
    if off.reason is None or meeting is None:
        return
    calendar.cancel(off.number)
    await tell_of_meeting(event.id, off.group, off.number, About.MEETING_CANCELLED, meeting.day, work)


@messages.on(GroupConcluded, needs=lambda event: [(GroupCalendar, event.subject)])
async def when_a_group_is_concluded_nobody_is_called_to_it(event: Event[GroupConcluded], work: Work) -> None:
    """End its calendar: no message names a meeting that is off. One that is queued fails as past, since no meeting is to come. Tell
    everybody who had a seat to the end."""
    (await find_or_add(GroupCalendar, event.subject, work)).conclude(event.data.on)
    await tell_of_end(event.id, event.subject, event.data, work)


@messages.on(MemberJoined, needs=the_member_and_the_calendar)
async def when_somebody_has_a_seat_it_is_announced(event: Event[MemberJoined], work: Work) -> None:
    """Queue the message now, or as soon as they consent to contact and the first meeting is known."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    recipient.take_seat(event.subject, event.data.since)
    await announce(recipient, work)


@messages.on(MemberLeft, needs=the_member_and_the_calendar)
async def when_a_seat_is_given_up_nobody_is_called_to_it(event: Event[MemberLeft], work: Work) -> None:
    """Drop the message that is still queued."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    await drop(recipient.id, recipient.leave({event.subject}), work)
    recipient.note_left(event.subject, event.data.since)
    await drop_about_meetings(recipient, event.subject, work)


@messages.on(SurveyLinked)
async def when_a_survey_has_a_link_the_link_is_sent(event: Event[SurveyLinked], work: Work) -> None:
    """Queue the message now, or as soon as they consent to contact."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    await take_survey_link(recipient, event.id, event.data, event.subject, work)


@messages.on(SurveySubmitted, needs=lambda event: [(Recipient, member(event))])
async def when_a_survey_is_answered_nobody_is_asked_for_it(event: Event[SurveySubmitted], work: Work) -> None:
    """Drop the message that is still queued; a link that arrives later is not sent."""
    recipient = await find_or_add(Recipient, event.data.worker, work)
    await drop_links(recipient.answer(event.subject), work)


@messages.on(PersonalLinkIssued)
async def when_a_personal_link_is_issued_it_is_sent(event: Event[PersonalLinkIssued], work: Work) -> None:
    """Queue the message at once: the person, or an operator beside them, waits for it."""
    await send_personal_link(event.id, event.data, work)


@messages.on(SelfReferralOpened)
async def when_somebody_asks_to_take_part_the_link_to_the_form_is_sent(
    event: Event[SelfReferralOpened], work: Work
) -> None:
    """Queue the message at once. It needs no consent: it is the answer to this one request."""
    await send_invitation(event.id, event.subject, event.data, work)


@messages.on(RecordOpened)
async def when_a_record_is_opened_the_person_is_told(event: Event[RecordOpened], work: Work) -> None:
    """Queue the message, with the reason."""
    await tell_of_opening(event.id, event.subject, event.data.reason, work)


@messages.on(RequestLinked)
async def when_a_service_is_asked_it_gets_its_link(event: Event[RequestLinked], work: Work) -> None:
    """Queue the message to the organisation at once."""
    await send_request(event.id, event.subject, event.data, work)


@messages.on(ComplaintReplied)
async def when_a_complaint_is_answered_its_worker_is_told(event: Event[ComplaintReplied], work: Work) -> None:
    """Queue the message that there is an answer, never the answer itself."""
    await tell_of_reply(event.id, event.subject, event.data.worker, work)


@messages.on(PersonalLinkRevoked)
async def when_a_personal_link_is_revoked_it_is_not_sent(event: Event[PersonalLinkRevoked], work: Work) -> None:
    """Drop the message that is still queued."""
    await revoke_personal_link(event.subject, event.data.purpose, work)


@message_gate.on(ConsentChanged, needs=the_one_written_to)
async def when_contact_is_decided_messages_are_queued_or_dropped(worker: str, work: Work) -> None:
    """Queue the messages that waited for consent, or drop the queued ones."""
    recipient = await work.find(Recipient, worker)
    if recipient is None:
        return
    if await work.consents_to(worker, Purpose.CONTACT):
        await announce(recipient, work)
        await announce_interview(recipient, work)
    else:
        await drop(recipient.id, recipient.seats, work)
        await drop_interview(recipient, work, forget=False)
    await keep_links(recipient, work)
    await keep_endings(recipient, work)


@messages.on(InterviewBooked, needs=the_recipient)
async def when_an_interview_is_booked_it_is_told(event: Event[InterviewBooked], work: Work) -> None:
    """Queue the message now, or as soon as they consent to contact; one about an earlier time is dropped."""
    recipient = await find_or_add(Recipient, event.subject, work)
    await drop_interview(recipient, work)
    recipient.interview = BookedInterview(when=event.data.when, place=event.data.place, event=event.id)
    await announce_interview(recipient, work)


@messages.on(InterviewHeld, needs=the_recipient)
@messages.on(WorkerAdmitted, needs=the_recipient)
@messages.on(WorkerDeclined, needs=the_recipient)
async def when_the_interview_is_over_nobody_is_called_to_it(event: Event[Any], work: Work) -> None:
    """Drop the message that is still queued."""
    recipient = await work.find(Recipient, event.subject)
    if recipient is not None:
        await drop_interview(recipient, work)


@messages.on(WorkerReturned, needs=the_recipient)
async def when_somebody_comes_back_they_are_asked_again(event: Event[WorkerReturned], work: Work) -> None:
    """Let surveys be asked again."""
    (await find_or_add(Recipient, event.subject, work)).come_back()


@messages.on(WorkerCorrected, needs=the_recipient)
async def when_an_address_is_corrected_what_failed_goes_out(event: Event[WorkerCorrected], work: Work) -> None:
    """Queue again what failed for the address, as far as it still means something."""
    recipient = await work.find(Recipient, event.subject)
    if recipient is not None:
        await send_failed_again(recipient, work)


@messages.on(WorkerWithdrawn, needs=the_recipient)
@messages.on(WorkerMerged, needs=the_recipient)
async def when_somebody_withdraws_they_are_called_and_asked_no_more(event: Event[Any], work: Work) -> None:
    """Drop every message about an interview, a seat or a survey that is still queued; so for a record that ended in another one."""
    recipient = await find_or_add(Recipient, event.subject, work)
    await drop_interview(recipient, work)
    await drop(recipient.id, recipient.leave(), work)
    await drop_links(recipient.withdraw(), work)
    await keep_endings(recipient, work)


@mail_gate.on(WorkerErased, needs=the_one_written_to)
async def when_somebody_is_erased_no_mail_of_theirs_is_kept(worker: str, work: Work, kept: KeptMail) -> None:
    """Remove the mails that a mail server for trials keeps. Before the messages, which name them."""
    recipient = await work.find(Recipient, worker)
    if recipient is not None:
        await asyncio.to_thread(kept.forget, recipient.messages)


@message_gate.on(WorkerErased, needs=the_one_written_to)
async def when_somebody_is_erased_no_message_of_theirs_stays(worker: str, work: Work) -> None:
    """Remove the queued messages and the sent ones."""
    recipient = await work.find(Recipient, worker)
    if recipient is None:
        return
    await drop(recipient.id, recipient.leave(), work)
    for each in recipient.messages:
        if (message := await work.find(Message, each)) is not None:
            work.remove(message)
    work.remove(recipient)
