"""Requests to other services, and sign-posting to them.

Invariants: a request goes requested → accepted, refused or needs assessment; after an assessment to accepted or refused; an accepted one is
completed or abandoned, and one without a last answer can be abandoned. The worker says once if the need was met. A link answers once, and
not after its end. Nothing here names the person but their id.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from services.contracts.enrolment import How
from services.contracts.paths import (
    Answer,
    Ending,
    NeedMet,
    RefusalReason,
    RequestLinked,
    ServiceAnswered,
    ServiceCompleted,
    ServiceRequested,
    WorkerSignposted,
)
from services.kernel import Aggregate, Refusal, Refused, applies, in_order

LINK_LASTS = timedelta(days=30)  # the link behind which a receiver answers
LATE = timedelta(days=14)  # without an answer for so long, somebody has to ask


class RequestStatus(StrEnum):
    """The step that a request has reached."""

    REQUESTED = "requested"
    NEEDS_ASSESSMENT = "needs-assessment"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


WAITING = frozenset({RequestStatus.REQUESTED, RequestStatus.NEEDS_ASSESSMENT})  # for an answer
UNFINISHED = WAITING | {RequestStatus.ACCEPTED}


class ServiceRequest(Aggregate):
    """One request for one worker to one service. `told`: the receiver may have name and contact of the person, who said so in the way
    `how`. `digest`: of the token behind which the receiver answers; `used`: the link has done so."""

    noun: ClassVar[str] = "request"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("worker",), ("digest",))
    worker: str
    service: str
    receiver: str
    status: RequestStatus = RequestStatus.REQUESTED
    told: bool = False
    how: How | None = None
    requested: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    answer: Answer | None = None
    reason: RefusalReason | None = None
    need_met: NeedMet | None = None
    digest: str | None = None
    expires: datetime | None = None
    used: bool = False

    @classmethod
    def make(
        cls, id: str, worker: str, service: str, receiver: str, at: datetime, told: bool = False, how: How | None = None
    ) -> "ServiceRequest":
        """A new request. Refused: no-how, when it is not said how the person consented."""
        if told and how is None:
            raise Refused("no-how", "Say how the person consented to be named.", Refusal.INVALID)
        request = cls(id=id, worker=worker, service=service, receiver=receiver)
        event = ServiceRequested(
            worker=worker, service=service, receiver=receiver, told=told, how=how if told else None
        )
        request.says(event, at)
        return request

    @applies(ServiceRequested, timed=True)
    def _requested(self, event: ServiceRequested, at: datetime | None) -> None:
        self.told, self.how, self.requested = event.told, event.how, at

    def link(self, linked: RequestLinked, at: datetime) -> None:
        """Issue the link behind which the receiver answers, in place of an earlier one. Refused: answered-already."""
        self._refuse_unless_waiting()
        self.says(linked, at)

    @applies(RequestLinked)
    def _linked(self, event: RequestLinked) -> None:
        self.digest, self.expires, self.used = digest_of(event.token), event.expires, False

    def opens(self, token: str, now: datetime) -> bool:
        """Tell whether this token opens the request at that moment, answered or not."""
        return self.digest == digest_of(token) and self.expires is not None and now < self.expires

    def take_answer(self, answer: Answer, reason: RefusalReason | None, at: datetime, *, by_link: bool = False) -> None:
        """Take the receiver's answer. Refused: answered-already; no-reason, for a refusal without one; out-of-order; link-used, when this
        link has answered before."""
        if by_link and self.used:
            raise Refused("link-used", f"Request {self.id} was answered by this link.")
        self._refuse_unless_waiting(answer)
        if answer is Answer.REFUSED and reason is None:
            raise Refused("no-reason", "A refusal needs its reason.", Refusal.INVALID)
        at = in_order("The answer", at, "the request", self.answered or self.requested)
        kept = reason if answer is Answer.REFUSED else None
        self.says(ServiceAnswered(**self._whose, answer=answer, reason=kept), at)
        self.used = self.used or by_link

    @applies(ServiceAnswered, timed=True)
    def _answered(self, event: ServiceAnswered, at: datetime | None) -> None:
        self.status, self.answer = RequestStatus(event.answer), event.answer
        self.reason, self.answered = event.reason, at

    def end(self, ending: Ending, at: datetime) -> None:
        """Record the end. Refused: not-accepted, to complete what was not accepted; ended-already; out-of-order."""
        if self.status not in UNFINISHED:
            raise Refused("ended-already", f"Request {self.id} is {self.status}: nothing is left to end.")
        if ending is Ending.COMPLETED and self.status is not RequestStatus.ACCEPTED:
            raise Refused("not-accepted", f"Request {self.id} is {self.status}, not accepted.")
        at = in_order("The end", at, "the request", self.answered or self.requested)
        self.says(ServiceCompleted(**self._whose, ending=ending), at)

    def tell_need(self, met: NeedMet, at: datetime) -> None:
        """The worker says if the need was met; of an accepted request that is the end. Refused: not-asked, told-already."""
        if self.need_met is not None:
            raise Refused("told-already", f"The worker of request {self.id} has said so before.")
        if not self.asks_need:
            raise Refused("not-asked", f"Request {self.id} is {self.status}: nothing is asked of it.")
        self.says(ServiceCompleted(**self._whose, ending=Ending.COMPLETED, need_met=met), at)

    @property
    def asks_need(self) -> bool:
        """True while the worker can say if the need was met: the service was accepted, and they have not said so."""
        was_given = self.status in {RequestStatus.ACCEPTED, RequestStatus.COMPLETED}
        return self.need_met is None and was_given

    @applies(ServiceCompleted, timed=True)
    def _completed(self, event: ServiceCompleted, at: datetime | None) -> None:
        self.status = RequestStatus(event.ending)
        self.ended = self.ended or at
        self.need_met = event.need_met or self.need_met

    @property
    def _whose(self) -> dict[str, Any]:
        return {"worker": self.worker, "service": self.service, "receiver": self.receiver}

    def _refuse_unless_waiting(self, answer: Answer | None = None) -> None:
        again = self.status is RequestStatus.NEEDS_ASSESSMENT and answer is Answer.NEEDS_ASSESSMENT
        if self.status not in WAITING or again:
            raise Refused("answered-already", f"Request {self.id} is {self.status}.")


class Signposting(Aggregate):
    """A service of which the worker was told at a step of their way, beside it."""

    noun: ClassVar[str] = "signposting"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("worker",),)
    worker: str
    service: str
    at: datetime | None = None

    @classmethod
    def make(cls, id: str, worker: str, service: str, at: datetime) -> "Signposting":
        """The worker was told of this service."""
        made = cls(id=id, worker=worker, service=service)
        made.says(WorkerSignposted(worker=worker, service=service), at)
        return made

    @applies(WorkerSignposted, timed=True)
    def _told(self, _: WorkerSignposted, at: datetime | None) -> None:
        self.at = at


def digest_of(token: str) -> str:
    """The SHA-256 of a link's token. No salt: the token is 256 random bits, which nobody guesses."""
    return hashlib.sha256(token.encode()).hexdigest()
