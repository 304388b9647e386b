"""What others say, and what sessions does then. Order holds within a group and within a person, not between them."""

from typing import Any

from services.contracts import Event
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerAdmitted, WorkerErased, WorkerWithdrawn
from services.contracts.grouping import FacilitatorAssigned, GroupFormed, MemberJoined, MemberLeft
from services.events.delivery.declare import Reactions
from services.kernel import NotYet
from services.store.work import Work
from sessions.commands import keep_surveys, local_day, participant_of
from sessions.domain import Meeting, Participant, Roster, Survey, schedule

reactions = Reactions()


def the_group(event: Event[Any]) -> list[tuple[Any, str]]:
    """All of these concern one group."""
    return [(Roster, event.subject)]


def the_group_and_the_member(event: Event[Any]) -> list[tuple[Any, str]]:
    """Who has a seat, and where. The payload is not read yet."""
    return [(Roster, event.subject), (Participant, str(event.data["worker"]))]


def the_person(event: Event[Any]) -> list[tuple[Any, str]]:
    """All of these concern one person."""
    return [(Participant, event.subject)]


async def _roster(group: str, work: Work) -> Roster:
    roster = await work.find(Roster, group)
    if roster is None:
        raise NotYet(f"the group {group}")
    return roster


@reactions.on(GroupFormed, needs=the_group)
async def when_a_group_is_formed_its_meetings_are_scheduled(event: Event[GroupFormed], work: Work) -> None:
    """All of the programme's, in the group's slot."""
    if await work.find(Roster, event.subject) is not None:
        return
    told, rules = event.data, work.rules
    at = next((slot.at for slot in rules.slots if slot.id == told.slot), None)
    if at is None:
        raise NotYet(f"the slot {told.slot} of {rules.id}")
    roster = Roster(id=event.subject, slot=told.slot, place=told.place, facilitator=told.facilitator)
    work.add(roster)
    for meeting in schedule(roster, told.first, at, rules.zone, rules.meetings, rules.cadence_days):
        work.add(meeting)


@reactions.on(FacilitatorAssigned, needs=the_group)
async def when_a_facilitator_is_assigned_the_group_is_theirs(event: Event[FacilitatorAssigned], work: Work) -> None:
    """At once, so that they can prepare."""
    (await _roster(event.subject, work)).facilitator = event.data.facilitator


@reactions.on(MemberJoined, needs=the_group_and_the_member)
async def when_a_member_joins_they_are_on_the_roster(event: Event[MemberJoined], work: Work) -> None:
    """From that day on."""
    (await _roster(event.subject, work)).seat(event.data.worker, event.data.since)
    (await participant_of(event.data.worker, work)).sit(event.subject)


@reactions.on(MemberLeft, needs=the_group)
async def when_a_member_leaves_they_are_not_called_any_more(event: Event[MemberLeft], work: Work) -> None:
    """From that day on."""
    (await _roster(event.subject, work)).release(event.data.worker, event.data.since)


@reactions.on(WorkerAdmitted, needs=the_person)
async def when_a_worker_is_admitted_their_waves_have_a_date(event: Event[WorkerAdmitted], work: Work) -> None:
    """Once they consent to research as well, whichever comes first."""
    participant = await participant_of(event.subject, work)
    participant.admitted = local_day(event.time, work)
    await keep_surveys(participant, work)


@reactions.on(ConsentChanged, needs=the_person)
async def when_research_is_decided_surveys_are_planned_or_dropped(event: Event[ConsentChanged], work: Work) -> None:
    """Other purposes are none of ours."""
    if event.data.purpose is Purpose.RESEARCH:
        participant = await participant_of(event.subject, work)
        participant.research = event.data.given
        await keep_surveys(participant, work)


@reactions.on(WorkerWithdrawn, needs=the_person)
async def when_a_worker_withdraws_they_are_asked_no_more(event: Event[WorkerWithdrawn], work: Work) -> None:
    """What they answered stays."""
    participant = await participant_of(event.subject, work)
    participant.gone = True
    await keep_surveys(participant, work)


@reactions.on(WorkerErased, needs=the_person)
async def when_a_worker_is_erased_only_counts_stay(event: Event[WorkerErased], work: Work) -> None:
    """No survey, no place on a roster or in a roll-call knows them."""
    participant = await work.find(Participant, event.subject)
    if participant is None:
        return
    for survey in participant.surveys:
        work.remove(await work.get(Survey, survey))
    for group in participant.groups:
        (await _roster(group, work)).detach(participant.id)
        for meeting in await work.browse(Meeting, group=group):
            meeting.detach(participant.id)
    work.remove(participant)
