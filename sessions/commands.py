"""What can be done about meetings and surveys: each command beside its one handler."""

from datetime import date, datetime, time

import orjson

from services.contracts.base import Id, Slug
from services.contracts.sessions import AttendanceRecorded
from services.kernel import Command, Refusal, Refused
from services.programmes.instruments import load_all as instruments
from services.store.work import Work
from sessions.domain import Meeting, Participant, Roster, Survey, led_by, survey_id


class RollCall(Command):
    """Who was at a meeting. `facilitator` is who says so, unless an operator does."""

    session: Id
    present: frozenset[Id]
    facilitator: str | None = None


async def roll_call(command: RollCall, work: Work) -> None:
    """Without `at`, what happened happened when the meeting was to start."""
    meeting = await work.find(Meeting, command.session)
    roster = await work.find(Roster, meeting.group) if meeting is not None else None
    meeting, roster = led_by(command.facilitator, command.session, meeting, roster)
    at = command.at or min(meeting.starts, work.now)
    news = meeting.call_roll(roster.members_on(meeting.day), command.present, at)
    told = {"session": meeting.id, "group": meeting.group, "number": meeting.number, "on": meeting.day}
    for worker, here in news.items():
        (await participant_of(worker, work)).attended(AttendanceRecorded.model_validate({**told, "present": here}), at)


class SubmitSurvey(Command):
    """Somebody answered an instrument for a wave: a number for each item."""

    worker: Id
    instrument: Slug
    wave: str
    answers: dict[str, float]


async def submit_survey(command: SubmitSurvey, work: Work) -> None:
    """Scored, then sealed: what was answered is read by nobody again without the person's key."""
    participant = await work.find(Participant, command.worker)
    asked = any((each.instrument, each.wave) == (command.instrument, command.wave) for each in work.rules.surveys)
    if participant is None or participant.admitted is None or not asked:
        raise Refused(
            "no-such-survey", f"There is no {command.instrument} of wave {command.wave} for them.", Refusal.NOT_FOUND
        )
    if participant.research is not True:
        raise Refused("no-consent", f"Worker {command.worker} has not consented to research.")
    survey = await work.get(Survey, survey_id(command.worker, command.instrument, command.wave))
    scores = instruments()[command.instrument].score(command.answers)
    sealed = await work.seal(
        command.worker, f"{survey.instrument}/{survey.wave}", orjson.dumps(command.answers).decode()
    )
    survey.submit(sealed, scores)


class InviteDue(Command):
    """These surveys have become due to be asked for."""

    surveys: tuple[str, ...]


async def invite_due(command: InviteDue, work: Work) -> None:
    """Those that are gone or not planned any more are passed over."""
    for each in command.surveys:
        survey = await work.find(Survey, each)
        if survey is not None:
            _invite(survey, work)


def _invite(survey: Survey, work: Work) -> None:
    """Not said to have happened before the survey was open, however long ago its cause was."""
    survey.invite(local_day(work.now, work), max(work.at, datetime.combine(survey.opens, time(), work.rules.zone)))


async def participant_of(worker: str, work: Work) -> Participant:
    """Found, or known from now on."""
    participant = await work.find(Participant, worker)
    if participant is None:
        participant = Participant(id=worker)
        work.add(participant)
    return participant


async def keep_surveys(participant: Participant, work: Work) -> None:
    """Who is asked has every wave planned, and is invited to what is open; of who is not, what was not answered is dropped."""
    known = [await work.get(Survey, each) for each in participant.surveys]
    if not participant.is_asked or participant.admitted is None:
        for survey in known:
            survey.drop()
        return
    for survey in [*known, *_missing(participant, participant.admitted, work)]:
        survey.plan()
        _invite(survey, work)


def _missing(participant: Participant, admitted: date, work: Work) -> list[Survey]:
    """The waves of the programme that are not planned for them yet."""
    missing = []
    for wave in work.rules.surveys:
        id = survey_id(participant.id, wave.instrument, wave.wave)
        if id not in participant.surveys:
            survey = Survey.of(participant.id, wave.instrument, wave.wave, admitted, wave.due_days)
            participant.surveys.append(id)
            work.add(survey)
            missing.append(survey)
    return missing


def local_day(moment: datetime, work: Work) -> date:
    """The day it is then in the programme's time zone."""
    return moment.astimezone(work.rules.zone).date()
