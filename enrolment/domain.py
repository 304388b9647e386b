"""Who is on the way into a group. Nobody is admitted without a consent to take part; nobody is asked for a diagnosis."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.enrolment import (
    ConsentChanged,
    Leaving,
    Purpose,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerErased,
    WorkerProfiled,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.kernel import Aggregate, Refusal, Refused


class Status(StrEnum):
    """Where somebody is on the way."""

    REFERRED = "referred"
    ADMITTED = "admitted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class Consent(BaseModel):
    """The record of one purpose (ISO/IEC TS 27560 terms): what was decided, having read which notice, when."""

    given: bool
    notice: str
    language: str
    at: datetime


class Worker(Aggregate):
    """One person's way. `card` and `profile` are sealed under the person's key; nothing else here tells who it is."""

    noun: ClassVar[str] = "worker"
    partner: str
    status: Status = Status.REFERRED
    consents: dict[Purpose, Consent] = {}
    card: dict[str, str] = {}
    profile: str | None = None
    trace: str | None = None  # in which they were referred

    @classmethod
    def refer(cls, id: str, partner: str, trace: str | None = None) -> "Worker":
        """A partner sends somebody, or they came by themselves and the partner took the request."""
        worker = cls(id=id, partner=partner, trace=trace)
        worker.says(WorkerReferred(partner=partner))
        return worker

    def consent(self, purpose: Purpose, given: bool, notice: str, language: str, at: datetime) -> None:
        """Give or withdraw one consent. Who withdraws from taking part leaves the programme."""
        self._is_here()
        self.consents = {**self.consents, purpose: Consent(given=given, notice=notice, language=language, at=at)}
        self.says(ConsentChanged(purpose=purpose, given=given, notice=notice, language=language))
        if purpose is Purpose.PARTICIPATION and not given and self.status is Status.ADMITTED:
            self.withdraw(Leaving.CONSENT_WITHDRAWN)

    def consents_to(self, purpose: Purpose) -> bool:
        """Whether the consent was given and not withdrawn."""
        consent = self.consents.get(purpose)
        return consent is not None and consent.given

    def fill_in(self, card: dict[str, str]) -> None:
        """Identity and contact, each field sealed. Said by nothing but the card's own record."""
        self._is_here()
        self.card = card

    def describe(self, profile: WorkerProfiled, sealed: str) -> None:
        """What grouping matches on; the latest counts whole."""
        self._is_here()
        self.profile = sealed
        self.says(profile)

    def admit(self) -> None:
        """The welcome interview ended well."""
        if self.status is not Status.REFERRED:
            raise Refused("not-referred", f"Worker {self.id} is {self.status}, not referred.")
        if not self.consents_to(Purpose.PARTICIPATION):
            raise Refused("no-consent", f"Worker {self.id} has not consented to take part.")
        self.status = Status.ADMITTED
        self.says(WorkerAdmitted(partner=self.partner))

    def decline(self) -> None:
        """Not admitted, or did not want to be."""
        if self.status is not Status.REFERRED:
            raise Refused("not-referred", f"Worker {self.id} is {self.status}, not referred.")
        self.status = Status.DECLINED
        self.says(WorkerDeclined(partner=self.partner))

    def withdraw(self, reason: Leaving) -> None:
        """Leaves the programme."""
        if self.status not in {Status.REFERRED, Status.ADMITTED}:
            raise Refused("not-enrolled", f"Worker {self.id} is {self.status} and cannot withdraw.")
        self.status = Status.WITHDRAWN
        self.says(WorkerWithdrawn(reason=reason))

    def erase(self) -> None:
        """Everything that told who it was goes; that there was somebody stays."""
        self._is_here()
        self.forget()
        self.says(WorkerErased())

    def forget(self) -> None:
        """As `erase`, when it was said already."""
        self.status, self.card, self.profile, self.consents = Status.ERASED, {}, None, {}

    def _is_here(self) -> None:
        if self.status is Status.ERASED:
            raise Refused("erased", f"Person {self.id} was erased.", Refusal.GONE)
