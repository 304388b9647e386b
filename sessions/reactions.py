"""Reactions to events of enrolment and grouping, and handlers of the gate.

Order holds within a group and within a person, not between them.
"""

from typing import Any

from services.contracts import Event
from services.contracts.enrolment import (
    ConsentChanged,
    Step,
    StepRedated,
    WorkerAdmitted,
    WorkerErased,
    WorkerMerged,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.grouping import FacilitatorAssigned, GroupConcluded, GroupFormed, MemberJoined, MemberLeft
from services.events.delivery.declare import Gate, Reactions
from services.kernel import NotYet
from services.programmes import meeting_days
from services.store.work import Work
from sessions.commands import correct_rolls, keep_surveys, participant_of
from sessions.domain import Meeting, Participant, Roster, Survey, schedule

reactions, gate = Reactions(), Gate()


def the_group(event: Event[Any]) -> list[tuple[Any, str]]:
    """The roster of the group that is the subject."""
    return [(Roster, event.subject)]


def the_group_and_the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """The roster and the member, before the payload is read."""
    return [(Roster, event.subject), (Participant, str(event.data["worker"]))]


def the_person(event: Event[Any]) -> list[tuple[Any, str]]:
    """The participant who is the subject."""
    return [(Participant, event.subject)]


def the_participant(worker: str) -> list[tuple[Any, str]]:
    """The participant, by the person's id."""
    return [(Participant, worker)]


async def _roster(group: str, work: Work) -> Roster:
    roster = await work.find(Roster, group)
    if roster is None:
        raise NotYet(f"the group {group}")
    return roster


@reactions.on(GroupFormed, needs=the_group)
async def when_a_group_is_formed_its_meetings_are_scheduled(event: Event[GroupFormed], work: Work) -> None:
    """Schedule all meetings in the group's slot, on the days that were fixed when it was formed."""
    if await work.find(Roster, event.subject) is not None:
        return
    group, rules = event.data, work.rules
    slot = rules.slot(group.slot)
    if slot is None:
        raise NotYet(f"the slot {group.slot} of {rules.id}")
    roster = Roster(id=event.subject, slot=group.slot, place=group.place, facilitator=group.facilitator)
    work.add(roster)
    for meeting in schedule(roster, group.days or meeting_days(rules, group.first), slot.at, rules.zone):
        # After a restore a meeting may be there before its group, with the date that was told last.
        if not (work.was_restored and await work.find(Meeting, meeting.id)):
            work.add(meeting)


@reactions.on(FacilitatorAssigned, needs=the_group)
async def when_a_facilitator_is_assigned_the_group_is_theirs(event: Event[FacilitatorAssigned], work: Work) -> None:
    """Give them its meetings from that day on, at once, so that they can prepare; whoever led it keeps it until then."""
    (await _roster(event.subject, work)).assign(event.data.facilitator, event.data.since)


@reactions.on(MemberJoined, needs=the_group_and_the_member)
async def when_a_member_joins_they_are_on_the_roster(event: Event[MemberJoined], work: Work) -> None:
    """Begin the membership on its day, whenever the event arrives."""
    (await _roster(event.subject, work)).seat(event.data.worker, event.data.since)
    (await participant_of(event.data.worker, work)).join(event.subject)


@reactions.on(MemberLeft, needs=the_group)
async def when_a_member_leaves_they_are_not_called_any_more(event: Event[MemberLeft], work: Work) -> None:
    """End the membership on its day: earlier meetings keep the member, and rolls of later ones that were called lose the mark."""
    roster = await _roster(event.subject, work)
    roster.release(event.data.worker, event.data.since)
    await correct_rolls(roster, work)


@reactions.on(GroupConcluded, needs=the_group)
async def when_a_group_is_concluded_it_meets_no_more(event: Event[GroupConcluded], work: Work) -> None:
    """Keep its last day: no roll is called of a later one, and the meetings after it are cancelled."""
    (await _roster(event.subject, work)).conclude(event.data.on)
    for meeting in await work.browse(Meeting, group=event.subject):
        if meeting.day > event.data.on:
            meeting.cancel()


@reactions.on(WorkerAdmitted, needs=the_person)
async def when_a_worker_is_admitted_their_waves_have_a_date(event: Event[WorkerAdmitted], work: Work) -> None:
    """Plan the waves, once they consent to research as well."""
    participant = await participant_of(event.subject, work)
    participant.admit(work.rules.day_of(event.time))
    await keep_surveys(participant, work)


@reactions.on(WorkerReturned, needs=the_person)
async def when_a_worker_comes_back_their_waves_wait_for_the_admission(event: Event[WorkerReturned], work: Work) -> None:
    """Ask nothing before they are admitted again."""
    participant = await participant_of(event.subject, work)
    participant.come_back()
    await keep_surveys(participant, work)


@reactions.on(StepRedated, needs=the_person)
async def when_the_admission_is_redated_the_waves_move(event: Event[StepRedated], work: Work) -> None:
    """Move the surveys to which nobody was invited yet; other steps mean nothing here."""
    participant = await participant_of(event.subject, work)
    if event.data.step is Step.ADMITTED and participant.admitted is not None:
        participant.admit(work.rules.day_of(event.time))
        await keep_surveys(participant, work)


@reactions.on(WorkerWithdrawn, needs=the_person)
@reactions.on(WorkerMerged, needs=the_person)
async def when_a_worker_withdraws_they_are_asked_no_more(
    event: Event[WorkerWithdrawn] | Event[WorkerMerged], work: Work
) -> None:
    """Also a record that ended in another one of the same person. Drop the surveys that were not answered; answers stay."""
    participant = await participant_of(event.subject, work)
    participant.withdraw()
    await keep_surveys(participant, work)


@gate.on(ConsentChanged, needs=the_participant)
async def when_research_is_decided_surveys_are_planned_or_dropped(worker: str, work: Work) -> None:
    """Plan or drop the surveys of a person who was admitted."""
    participant = await work.find(Participant, worker)
    if participant is not None:
        await keep_surveys(participant, work)


@gate.on(WorkerErased, needs=the_participant)
async def when_a_worker_is_erased_only_counts_stay(worker: str, work: Work) -> None:
    """Remove the person from surveys, rosters and rolls."""
    # By the person, since after a restore a survey may be there before its participant.
    for survey in await work.where(Survey, worker=worker):
        work.remove(survey)
    participant = await work.find(Participant, worker)
    if participant is None:
        return
    for group in participant.groups:
        roster = await work.find(Roster, group)
        if roster is not None:
            roster.forget(participant.id)
        for meeting in await work.browse(Meeting, group=group):
            meeting.forget(participant.id)
    work.remove(participant)
