"""Survey waves of admitted people. A wave is due a number of days after admission, also for people who only wait for a seat.

Invariants: nobody is invited without consent to research, which the gate keeps. Unknown consent waits; withdrawn consent drops each
unanswered survey, and consent given again plans it again. A personal link is known by the digest of its token alone; it opens an
invitation that was not answered, until its last day, and a newer link replaces it.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

from services.contracts.sessions import (
    NOTICE,
    AttendanceRecorded,
    SurveyInvited,
    SurveyLinked,
    SurveyScored,
    SurveySubmitted,
)
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

    def come_back(self) -> None:
        """Begin anew: the waves start with the next admission."""
        self.withdrawn, self.admitted = False, None

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
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("worker",),
        ("status", "due"),
        ("link",),
        ("unlinked", "instrument"),
    )
    worker: str
    instrument: str
    wave: str
    due: date
    status: Status = Status.PLANNED
    invited: datetime | None = None
    answers: str | None = None
    link: str | None = None  # the digest of the token of the personal link
    until: date | None = None  # the last day on which the link opens
    unlinked: bool = False  # they were invited, and no link was sent yet

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

    def move(self, due: date) -> None:
        """Move a survey that nobody was invited to: the admission has another day."""
        if self.status is Status.PLANNED:
            self.due = due

    def drop(self) -> None:
        """Invite no more, unless it was answered already."""
        if self.status is not Status.SUBMITTED:
            self.status = Status.DROPPED
            self.link, self.until, self.unlinked = None, None, False

    def invite(self, today: date, at: datetime) -> None:
        """Invite the person, if the survey is open and they were not invited before."""
        if self.status is Status.PLANNED and self.opens <= today:
            self.says(SurveyInvited(worker=self.worker, instrument=self.instrument, wave=self.wave, due=self.due), at)

    @applies(SurveyInvited, timed=True)
    def _invited(self, _: SurveyInvited, at: datetime | None) -> None:
        self.status, self.invited = Status.INVITED, at
        self.unlinked = self.link is None

    def connect(self, token: str, today: date) -> None:
        """Give a personal link to an invitation that was not answered, in place of an earlier one. It opens for as many days as an
        invitation comes before its due date, also when that is past. Refused as `submit`."""
        self._refuse_unless_open()
        told = {"worker": self.worker, "instrument": self.instrument, "wave": self.wave, "due": self.due}
        self.says(SurveyLinked.model_validate({**told, "until": max(self.due, today) + NOTICE, "token": token}))

    @applies(SurveyLinked)
    def _linked(self, event: SurveyLinked) -> None:
        self.link, self.until, self.unlinked = digest(event.token), event.until, False

    def opens_by_link(self, today: date) -> bool:
        """True while the personal link opens the questions."""
        return self.status is Status.INVITED and self.until is not None and today <= self.until

    def submit(self, sealed: str, scores: dict[str, float]) -> None:
        """Take the sealed answers and publish their scores to the services that may read them.
        Refused("submitted-already"), or ("not-open") without an invitation."""
        self._refuse_unless_open()
        self.answers = sealed  # no event carries answers
        self.says(SurveySubmitted(worker=self.worker, instrument=self.instrument, wave=self.wave))
        self.says(SurveyScored(worker=self.worker, instrument=self.instrument, wave=self.wave, scores=scores))

    def _refuse_unless_open(self) -> None:
        if self.status is Status.SUBMITTED:
            raise Refused("submitted-already", f"{self.instrument} of wave {self.wave} was submitted already.")
        if self.status is not Status.INVITED:
            raise Refused("not-open", f"{self.instrument} of wave {self.wave} is not open.")

    @applies(SurveySubmitted)
    def _submitted(self, _: SurveySubmitted) -> None:
        self.status, self.unlinked = Status.SUBMITTED, False


def digest(token: str) -> str:
    """The digest by which a token is known. A plain hash suffices: a token has 256 random bits, so nobody finds it by trying."""
    return sha256(token.encode()).hexdigest()


def survey_id(worker: str, instrument: str, wave: str) -> str:
    """The id of a survey, derived from what it is about, so that planning again makes no second one."""
    return str(uuid5(NAMESPACE_URL, f"urn:amalavoro:survey:{worker}:{instrument}:{wave}"))
