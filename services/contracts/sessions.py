"""Events of sessions: the calendar, attendance, and the survey waves."""

from datetime import timedelta
from enum import StrEnum

from services.contracts.base import Day, EventData, Field, Id, Moment, Restricted, Slug, Wave

NOTICE = timedelta(days=14)  # from the invitation to a survey to its due date


class SessionScheduled(EventData):
    """Meeting `number` (1, 2, …) of the group has a date; `starts` carries the local offset."""

    type = "it.amalavoro.sessions.session.scheduled.v1"
    topic = "ama.sessions"
    group: Id
    number: int
    starts: Moment
    place: Slug


class SessionMoved(EventData):
    """Meeting `number` of the group has another date or another place; it keeps its number. `starts` carries the local offset."""

    type = "it.amalavoro.sessions.session.moved.v1"
    topic = "ama.sessions"
    group: Id
    number: int
    starts: Moment
    place: Slug


class Cancelling(StrEnum):
    """Reasons for which an operator cancels a meeting. None of them tells of a member."""

    NO_FACILITATOR = "no-facilitator"
    NO_PLACE = "no-place"
    HOLIDAY = "holiday"
    AGREED = "agreed"
    OTHER = "other"


class SessionCancelled(EventData):
    """Meeting `number` of the group does not take place, for a reason; without one, because the group meets no more."""

    type = "it.amalavoro.sessions.session.cancelled.v1"
    topic = "ama.sessions"
    group: Id
    number: int
    # Added after the first events, which all came of a group's end.
    reason: Cancelling | None = None


class SessionHeld(EventData):
    """The meeting took place: so many of the members on that date were present, so many were not."""

    type = "it.amalavoro.sessions.session.held.v1"
    topic = "ama.sessions"
    group: Id
    number: int
    on: Day
    present: int
    absent: int


class SurveyInvited(EventData):
    """The worker is asked to fill in an instrument for a wave, by the due date."""

    type = "it.amalavoro.sessions.survey.invited.v1"
    topic = "ama.sessions"
    person = "worker"
    worker: Id
    instrument: Slug
    wave: Wave
    due: Day


class SurveySubmitted(EventData):
    """The worker answered; the answers are not in it."""

    type = "it.amalavoro.sessions.survey.submitted.v1"
    topic = "ama.sessions"
    person = "worker"
    worker: Id
    instrument: Slug
    wave: Wave


class AttendanceRecorded(Restricted):
    """A member (the subject) was present at a meeting, or was not. A later one corrects it. `member` is false when the person was no
    member on that day after all: then an earlier one does not count any more."""

    type = "it.amalavoro.sessions.attendance.recorded.v1"
    topic = "ama.sessions.restricted"
    readers = ("sessions", "enrolment", "analytics")
    person = "subject"
    session: Id
    group: Id
    number: int
    on: Day
    present: bool
    # Added after the first events, which are all about members.
    member: bool = True


class SurveyLinked(Restricted):
    """The worker gets a personal link to a survey that they are invited to, in place of an earlier one. Sessions keeps only a digest of
    `token` (256 random bits, base64url): whoever has the token answers as the worker. `until`: the last day on which the link opens."""

    type = "it.amalavoro.sessions.survey.linked.v1"
    topic = "ama.sessions.restricted"
    readers = ("sessions", "notifications")
    person = "worker"
    worker: Id
    instrument: Slug
    wave: Wave
    due: Day
    until: Day
    token: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", examples=["Qm7rT0xWb4Ls9ZcV2kHn6Pd1Yg8Ea3Ju5Fi-Ro_NtXw"], repr=False
    )


class SurveyScored(Restricted):
    """The scores of a submitted survey, by scale, in the instrument's own units."""

    type = "it.amalavoro.sessions.survey.scored.v1"
    topic = "ama.sessions.restricted"
    readers = ("sessions", "analytics")
    person = "worker"
    worker: Id
    instrument: Slug
    wave: Wave
    scores: dict[str, float]
