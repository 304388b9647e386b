"""Survey waves of admitted people. A wave is due a number of days after admission, also for people who only wait for a seat.

Invariant: nobody is invited without consent to research, which the gate keeps. Unknown consent waits; withdrawn consent drops each
unanswered survey, and consent given again plans it again.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

from services.contracts.sessions import NOTICE, AttendanceRecorded, SurveyInvited, SurveyScored, SurveySubmitted
from services.kernel import Aggregate, Refused, applies


class Participant(Aggregate):
    """A person who was admitted, or has a seat. `groups` are those in which they have or had a seat."""

    noun: ClassVar[str] = "participant"
    admitted: date | None = None
    withdrawn: bool = False
    groups: list[str] = []
    surveys: list[str] = []

    @property
    def is_asked(self) -> bool:
        """True for a person who was admitted and did not withdraw. Consent is asked for beside it."""
        return self.admitted is not None and not self.withdrawn

    def admit(self, on: date) -> None:
        """Start the waves on that day."""
        self.admitted = on

    def withdraw(self) -> None:
        """End their part in the programme."""
        self.withdrawn = True

    def join(self, group: str) -> None:
        """Remember a group in which they have a seat."""
        if group not in self.groups:
            self.groups.append(group)

    def attended(self, recorded: AttendanceRecorded, at: datetime) -> None:
        """Publish their attendance of a meeting. The state stays: the meeting's roll holds it."""
        self.says(recorded, at)


class Status(StrEnum):
    """The state of a survey."""

    PLANNED = "planned"
    INVITED = "invited"
    SUBMITTED = "submitted"
    DROPPED = "dropped"


class Survey(Aggregate):
    """One person, one instrument, one wave. `answers` are sealed under the person's key."""

    noun: ClassVar[str] = "survey"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("worker",), ("status", "due"))
    worker: str
    instrument: str
    wave: str
    due: date
    status: Status = Status.PLANNED
    invited: datetime | None = None
    answers: str | None = None

    @classmethod
    def of(cls, worker: str, instrument: str, wave: str, admitted: date, due_days: int) -> "Survey":
        """A planned survey, due so many days after admission."""
        due = admitted + timedelta(days=due_days)
        return cls(id=survey_id(worker, instrument, wave), worker=worker, instrument=instrument, wave=wave, due=due)

    @property
    def opens(self) -> date:
        """The first day on which the person is invited."""
        return self.due - NOTICE

    def plan(self) -> None:
        """Plan a dropped survey again."""
        if self.status is Status.DROPPED:
            self.status = Status.PLANNED

    def drop(self) -> None:
        """Invite no more, unless it was answered already."""
        if self.status is not Status.SUBMITTED:
            self.status = Status.DROPPED

    def invite(self, today: date, at: datetime) -> None:
        """Invite the person, if the survey is open and they were not invited before."""
        if self.status is Status.PLANNED and self.opens <= today:
            self.says(SurveyInvited(worker=self.worker, instrument=self.instrument, wave=self.wave, due=self.due), at)

    @applies(SurveyInvited, timed=True)
    def _invited(self, _: SurveyInvited, at: datetime | None) -> None:
        self.status, self.invited = Status.INVITED, at

    def submit(self, sealed: str, scores: dict[str, float]) -> None:
        """Take the sealed answers and publish their scores to the services that may read them.
        Refused("submitted-already"), or ("not-open") without an invitation."""
        if self.status is Status.SUBMITTED:
            raise Refused("submitted-already", f"{self.instrument} of wave {self.wave} was submitted already.")
        if self.status is not Status.INVITED:
            raise Refused("not-open", f"{self.instrument} of wave {self.wave} is not open.")
        self.answers = sealed  # no event carries answers
        self.says(SurveySubmitted(worker=self.worker, instrument=self.instrument, wave=self.wave))
        self.says(SurveyScored(worker=self.worker, instrument=self.instrument, wave=self.wave, scores=scores))

    @applies(SurveySubmitted)
    def _submitted(self, _: SurveySubmitted) -> None:
        self.status = Status.SUBMITTED


def survey_id(worker: str, instrument: str, wave: str) -> str:
    """The id of a survey, derived from what it is about, so that planning again makes no second one."""
    return str(uuid5(NAMESPACE_URL, f"urn:amalavoro:survey:{worker}:{instrument}:{wave}"))
