"""Complaints of workers and partners.

Invariants: a complaint goes received → answered, or received → escalated → answered, and once; its texts are sealed; who complained is
in no open event, and no page but the complainant's own shows a worker as the one who did.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from services.contracts.paths import (
    Complainant,
    ComplaintAnswered,
    ComplaintEscalated,
    ComplaintReceived,
    ComplaintReplied,
)
from services.kernel import Aggregate, Refused, applies


class ComplaintStatus(StrEnum):
    """The step that a complaint has reached."""

    RECEIVED = "received"
    ESCALATED = "escalated"
    ANSWERED = "answered"


OPEN = frozenset({ComplaintStatus.RECEIVED, ComplaintStatus.ESCALATED})


class Complaint(Aggregate):
    """One complaint. `worker` or `partner` is who complained; `about` and `reply` are sealed. `due`: the last day for the answer."""

    noun: ClassVar[str] = "complaint"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("worker",), ("partner",))
    by: Complainant
    due: date
    worker: str | None = None
    partner: str | None = None
    status: ComplaintStatus = ComplaintStatus.RECEIVED
    received: datetime | None = None
    escalated: datetime | None = None
    answered: datetime | None = None
    about: str | None = None
    reply: str | None = None

    @classmethod
    def receive(  # the facts of one complaint
        cls, id: str, by: Complainant, due: date, at: datetime, *, worker: str | None = None, partner: str | None = None
    ) -> "Complaint":
        """A new complaint, without its text, which `keep` adds once it is sealed."""
        complaint = cls(id=id, by=by, due=due, worker=worker, partner=partner)
        complaint.says(ComplaintReceived(by=by, due=due), at)
        return complaint

    @applies(ComplaintReceived, timed=True)
    def _received(self, _: ComplaintReceived, at: datetime | None) -> None:
        self.received = at

    def keep(self, about: str) -> None:
        """Keep the sealed text."""
        self.about = about

    def escalate(self, at: datetime) -> None:
        """Hand it to those who are responsible for the programme. Refused: complaint-answered, escalated-already."""
        self._refuse_answered()
        if self.status is ComplaintStatus.ESCALATED:
            raise Refused("escalated-already", f"Complaint {self.id} is escalated already.")
        self.says(ComplaintEscalated(), at)

    @applies(ComplaintEscalated, timed=True)
    def _escalated(self, _: ComplaintEscalated, at: datetime | None) -> None:
        self.status, self.escalated = ComplaintStatus.ESCALATED, at

    def take_reply(self, reply: str, at: datetime) -> None:
        """Answer with a sealed text. A worker is told that there is an answer. Refused: complaint-answered."""
        self._refuse_answered()
        self.reply = reply
        self.says(ComplaintAnswered(), at)
        if self.worker is not None:
            self.says(ComplaintReplied(worker=self.worker), at)

    @applies(ComplaintAnswered, timed=True)
    def _replied(self, _: ComplaintAnswered, at: datetime | None) -> None:
        self.status, self.answered = ComplaintStatus.ANSWERED, at

    def forget(self) -> None:
        """Empty it of the person who complained, who is erased: that there was a complaint stays."""
        self.worker = self.about = self.reply = None

    def _refuse_answered(self) -> None:
        if self.status is ComplaintStatus.ANSWERED:
            raise Refused("complaint-answered", f"Complaint {self.id} is answered already.")
