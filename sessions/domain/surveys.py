"""Who is asked what, and when. A wave is due so many days after admission, also for people who only wait for a seat.

Unknown consent waits, withdrawn consent stops: what was not answered is dropped, and planned again if consent is given again.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

from services.contracts.sessions import AttendanceRecorded, SurveyInvited, SurveyScored, SurveySubmitted
from services.kernel import Aggregate, Refused

NOTICE = timedelta(days=14)  # people are asked so long before the due date


class Participant(Aggregate):
    """Somebody who was admitted or decided about research. `groups` are those they have or had a seat in."""

    noun: ClassVar[str] = "participant"
    admitted: date | None = None
    research: bool | None = None
    gone: bool = False
    groups: list[str] = []
    surveys: list[str] = []

    @property
    def is_asked(self) -> bool:
        """Whether surveys concern them: admitted, here, and consenting to research."""
        return self.admitted is not None and self.research is True and not self.gone

    def sit(self, group: str) -> None:
        """They have a seat there."""
        if group not in self.groups:
            self.groups.append(group)

    def attended(self, recorded: AttendanceRecorded, at: datetime) -> None:
        """Whether they were at a meeting."""
        self.says(recorded, at)


class Status(StrEnum):
    """Where a survey is."""

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
    answers: str | None = None

    @classmethod
    def of(cls, worker: str, instrument: str, wave: str, admitted: date, due_days: int) -> "Survey":
        """Due so many days after admission."""
        due = admitted + timedelta(days=due_days)
        return cls(id=survey_id(worker, instrument, wave), worker=worker, instrument=instrument, wave=wave, due=due)

    def plan(self) -> None:
        """Dropped once, asked for again."""
        if self.status is Status.DROPPED:
            self.status = Status.PLANNED

    @property
    def opens(self) -> date:
        """From this day on they are asked."""
        return self.due - NOTICE

    def invite(self, today: date, at: datetime) -> None:
        """They are asked, if it is time and they were not."""
        if self.status is Status.PLANNED and self.opens <= today:
            self.status = Status.INVITED
            self.says(SurveyInvited(worker=self.worker, instrument=self.instrument, wave=self.wave, due=self.due), at)

    def drop(self) -> None:
        """Not asked any more."""
        if self.status is not Status.SUBMITTED:
            self.status = Status.DROPPED

    def submit(self, sealed: str, scores: dict[str, float]) -> None:
        """They answered: which answers, only the scores tell, and only to who may read them."""
        if self.status is Status.SUBMITTED:
            raise Refused("submitted-already", f"{self.instrument} of wave {self.wave} was submitted already.")
        if self.status is not Status.INVITED:
            raise Refused("not-open", f"{self.instrument} of wave {self.wave} is not open.")
        self.status, self.answers = Status.SUBMITTED, sealed
        self.says(SurveySubmitted(worker=self.worker, instrument=self.instrument, wave=self.wave))
        self.says(SurveyScored(worker=self.worker, instrument=self.instrument, wave=self.wave, scores=scores))


def survey_id(worker: str, instrument: str, wave: str) -> str:
    """The same for the same survey, whoever plans it."""
    return str(uuid5(NAMESPACE_URL, f"urn:amalavoro:survey:{worker}:{instrument}:{wave}"))
