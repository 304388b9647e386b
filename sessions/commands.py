"""Commands about meetings and surveys, each beside its one handler."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import orjson

from services.contracts.base import Id, Slug
from services.contracts.enrolment import Purpose
from services.contracts.sessions import AttendanceRecorded
from services.kernel import Command, NotYet, Refusal, Refused, in_order
from services.programmes.instruments import load_all as instruments
from services.store.work import Work
from sessions.domain import Meeting, Participant, Roster, Survey, led_by, survey_id


class RollCall(Command):
    """Record who was present at a meeting. `facilitator` is the caller's id, None for an operator; `seen` the version of the meeting that
    the caller had before their eyes."""

    session: Id
    present: frozenset[Id]
    facilitator: str | None = None
    seen: int | None = None


async def roll_call(command: RollCall, work: Work) -> None:
    """Record the roll. Without `at`, it was called when the meeting was to start. Refused("not-yet-held"), ("changed-meanwhile") when
    another roll than this one was recorded since it was `seen`, or as `Meeting.call_roll`."""
    meeting = await work.find(Meeting, command.session)
    roster = await work.find(Roster, meeting.group) if meeting is not None else None
    meeting, roster = led_by(command.facilitator, command.session, meeting, roster, work.rules.day_of(work.now))
    if work.now < meeting.starts:
        raise Refused("not-yet-held", f"Session {meeting.id} starts at {meeting.starts.isoformat()}.")
    at = work.at if command.at else meeting.starts
    members = roster.members_on(meeting.day)
    # The same form sent twice is no conflict: the second one finds what the first one wrote.
    if command.seen not in {None, work.version(meeting)} and not meeting.shows(members, command.present):
        raise Refused("changed-meanwhile", f"The roll of session {meeting.id} was changed meanwhile.", Refusal.STALE)
    changed = meeting.call_roll(members, command.present, at, roster.concluded)
    await _publish(meeting, changed, at, work)


async def correct_rolls(roster: Roster, work: Work) -> None:
    """Bring the rolls that were called in line with the roster, which has changed for days that are past."""
    # Not guarded: who calls a roll meanwhile guards the roster, which changes here.
    for meeting in await work.browse(Meeting, group=roster.id):
        at = max(work.at, meeting.starts)
        await _publish(meeting, meeting.recount(roster.members_on(meeting.day), at), at, work)


async def _publish(meeting: Meeting, changed: Mapping[str, bool | None], at: datetime, work: Work) -> None:
    """Publish the attendance of those for whom it has changed; None: they were no members on that day."""
    about = {"session": meeting.id, "group": meeting.group, "number": meeting.number, "on": meeting.day}
    for worker, here in changed.items():
        told = {"present": here is True, "member": here is not None}
        recorded = AttendanceRecorded.model_validate({**about, **told})
        (await participant_of(worker, work)).attended(recorded, at)


class SubmitSurvey(Command):
    """Submit the answers to an instrument for a wave: a number for each item."""

    worker: Id
    instrument: Slug
    wave: str
    answers: dict[str, float]


async def submit_survey(command: SubmitSurvey, work: Work) -> None:
    """Score the answers, then seal them under the person's key. Refused("bad-answer"), ("out-of-order") for a day before the invitation's,
    or as `_asked` and `Survey.submit`."""
    survey = await _asked(command.worker, command.instrument, command.wave, work)
    scores = instruments()[command.instrument].score(command.answers)
    sealed = await work.seal(
        command.worker, f"{survey.instrument}/{survey.wave}", orjson.dumps(command.answers).decode()
    )
    if (
        survey.invited is not None
    ):  # by day: a form on paper is filled in at the welcome interview, before the admission is typed in
        in_order("The answer", work.rules.day_of(work.at), "the invitation", work.rules.day_of(survey.invited))
    survey.submit(sealed, scores)


async def _asked(worker: str, instrument: str, wave: str, work: Work) -> Survey:
    """The survey that this person is asked to answer. Refused("no-such-survey"), ("no-consent")."""
    participant = await work.find(Participant, worker)
    asked = any((each.instrument, each.wave) == (instrument, wave) for each in work.rules.surveys)
    if participant is None or participant.admitted is None or not asked:
        raise Refused("no-such-survey", f"There is no {instrument} of wave {wave} for them.", Refusal.NOT_FOUND)
    if not await work.consents_to(worker, Purpose.RESEARCH):
        raise Refused("no-consent", f"Worker {worker} has not consented to research.")
    return await work.get(Survey, survey_id(worker, instrument, wave))


class LinkSurveys(Command):
    """Give these surveys the personal link that their invitation waits for."""

    surveys: tuple[str, ...]


async def link_surveys(command: LinkSurveys, work: Work) -> None:
    """Link those whose person consents, and whose key has arrived, without which no token may leave; skip the others."""
    for each in command.surveys:
        survey = await work.find(Survey, each)
        if survey is None or not survey.unlinked or not await work.consents_to(survey.worker, Purpose.RESEARCH):
            continue
        try:
            await work.key(survey.worker)
        except NotYet:
            continue  # the next look finds it again
        survey.connect(secrets.token_urlsafe(32), work.rules.day_of(work.now))


class RenewLink(Command):
    """Send the person a new link to a survey, in place of the earlier one."""

    worker: Id
    instrument: Slug
    wave: str


async def renew_link(command: RenewLink, work: Work) -> None:
    """Refused as `_asked`, or as `Survey.connect`."""
    survey = await _asked(command.worker, command.instrument, command.wave, work)
    survey.connect(secrets.token_urlsafe(32), work.rules.day_of(work.now))


class InviteDue(Command):
    """Invite the people of these surveys, which have opened."""

    surveys: tuple[str, ...]


async def invite_due(command: InviteDue, work: Work) -> None:
    """Invite those that are still planned and whose person consents; skip the others."""
    for each in command.surveys:
        survey = await work.find(Survey, each)
        if survey is not None and await work.consents_to(survey.worker, Purpose.RESEARCH):
            _invite(survey, work)


def _invite(survey: Survey, work: Work) -> None:
    """Date the invitation on the day the survey opened at the earliest, however old its cause is."""
    survey.invite(work.rules.day_of(work.now), max(work.at, datetime.combine(survey.opens, time(), work.rules.zone)))


async def participant_of(worker: str, work: Work) -> Participant:
    """The participant of that id, added when it is the first mention."""
    participant = await work.find(Participant, worker)
    if participant is None:
        participant = Participant(id=worker)
        work.add(participant)
    return participant


async def keep_surveys(participant: Participant, work: Work) -> None:
    """Plan every wave and invite to the open ones; for a person who is not asked or does not consent (any more), drop what was not
    answered."""
    planned = [await work.get(Survey, each) for each in participant.surveys]
    consents = await work.consents_to(participant.id, Purpose.RESEARCH)
    if not (consents and participant.is_asked) or participant.admitted is None:
        for survey in planned:
            survey.drop()
        return
    days = {(each.instrument, each.wave): each.due_days for each in work.rules.surveys}
    for survey in [*planned, *await _missing(participant, participant.admitted, work)]:
        survey.plan()
        if (number := days.get((survey.instrument, survey.wave))) is not None:
            survey.move(participant.admitted + timedelta(days=number))
        _invite(survey, work)


class PlanWaves(Command):
    """Plan for these participants the waves that were added since their surveys were planned."""

    participants: tuple[Id, ...]


async def plan_waves(command: PlanWaves, work: Work) -> None:
    """Plan what they lack, and invite to what is open; skip whoever is not asked any more."""
    for each in command.participants:
        participant = await work.find(Participant, each)
        if participant is not None and participant.is_asked:
            await keep_surveys(participant, work)


async def _missing(participant: Participant, admitted: date, work: Work) -> list[Survey]:
    """Add a survey for each wave of the programme that the participant lacks, and return the new ones. A wave that was added later asks
    nobody whose due date was past by then. After a restore a survey may be there before, with the link that was sent."""
    missing = []
    for wave in work.rules.active.surveys:
        id = survey_id(participant.id, wave.instrument, wave.wave)
        if id not in participant.surveys and wave.asks(admitted):
            survey = await work.find(Survey, id) if work.was_restored else None
            if survey is None:
                survey = Survey.of(participant.id, wave.instrument, wave.wave, admitted, wave.due_days)
                work.add(survey)
            participant.surveys.append(id)
            missing.append(survey)
    return missing
