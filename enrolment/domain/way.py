"""The steps of a worker's way into a group, from the referral to the admission or to another end.

Invariants: contact, booking and interview are optional, since somebody may walk in and be admitted. A step moves the status forward only.
No step is dated before one that it needs (`in_order`). Whoever was declined or has withdrawn may come back, with the history kept.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from services.contracts.enrolment import (
    Contacting,
    ContactTried,
    DeclineExplained,
    Declining,
    InterviewBooked,
    InterviewHeld,
    Leaving,
    Origin,
    Step,
    StepRedated,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerContacted,
    WorkerDeclined,
    WorkerReferred,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.kernel import Aggregate, Refusal, Refused, applies, in_order, in_time


class Status(StrEnum):
    """The step that a worker has reached. Those of `OPEN` lead to a decision; `merged` and `erased` are final."""

    REFERRED = "referred"
    CONTACTED = "contacted"
    BOOKED = "interview-booked"
    INTERVIEWED = "interviewed"
    ADMITTED = "admitted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    ERASED = "erased"


OPEN = (Status.REFERRED, Status.CONTACTED, Status.BOOKED, Status.INTERVIEWED)  # nobody has decided yet
ENROLLED = (*OPEN, Status.ADMITTED)  # who can leave
ENDED = (Status.DECLINED, Status.WITHDRAWN)  # who can come back


class Booking(BaseModel):
    """The welcome interview that is booked. `place`: the partner at whose desk; None, at the office of the programme."""

    when: datetime
    place: str | None = None


class Way(Aggregate):
    """The status of a worker and the time of each step of the present round; None: not known, or not yet. `ended`: when they were declined
    or withdrew. `returned`: when the present round began, for whoever came back. `told`: what everybody may know of the withdrawal."""

    partner: str
    origin: Origin | None = None
    status: Status = Status.REFERRED
    referred: datetime | None = None
    contacted: datetime | None = None
    interview: Booking | None = None
    interviewed: datetime | None = None
    admitted: datetime | None = None
    ended: datetime | None = None
    returned: datetime | None = None
    told: Leaving | None = None

    @applies(WorkerReferred, timed=True)
    def _referred(self, event: WorkerReferred, at: datetime | None) -> None:
        self.referred, self.origin = at, event.origin

    def is_referral_of(self, partner: str) -> bool:
        """Tell whether this partner brought them. Whoever asked by themselves is nobody's referral, whoever took the request."""
        return self.partner == partner and self.origin is not Origin.SELF

    def try_contact(self, how: Contacting, reached: bool, at: datetime) -> None:
        """Record that somebody tried to reach them. The first answer makes a contact; a try in vain is none. Refused: not-referred,
        out-of-order."""
        self._refuse_unless_open()
        at = self._begun("The contact", at)
        if reached and self.status is Status.REFERRED:  # whoever has an interview was contacted
            self.says(WorkerContacted(), at)
        self.says(ContactTried(how=how, reached=reached), at)

    @applies(WorkerContacted, timed=True)
    def _contacted(self, _: WorkerContacted, at: datetime | None) -> None:
        self.status, self.contacted = Status.CONTACTED, at

    def book(self, when: datetime, place: str | None, at: datetime) -> None:
        """Book the welcome interview, or move it. `at`: when it was agreed. Refused: not-referred, out-of-order."""
        self._refuse_unless_open()
        at = self._begun("The booking", at)
        in_order("The interview", when, "its booking", at)
        self.says(InterviewBooked(when=when, place=place), at)

    @applies(InterviewBooked)
    def _booked(self, event: InterviewBooked) -> None:
        self.interview, self.status = Booking(when=event.when, place=event.place), Status.BOOKED

    def hold(self, at: datetime) -> None:
        """Record that the welcome interview took place. Refused: not-referred, out-of-order."""
        self._refuse_unless_open()
        at = self._begun("The interview", at)
        self.says(InterviewHeld(), in_order("The interview", at, "the first contact", self.contacted))

    @applies(InterviewHeld, timed=True)
    def _held(self, _: InterviewHeld, at: datetime | None) -> None:
        self.interviewed, self.interview, self.status = at, None, Status.INTERVIEWED

    def _admit(self, at: datetime) -> None:
        at = in_order("The admission", at, "the welcome interview", self.interviewed)
        self.says(WorkerAdmitted(partner=self.partner), at)

    @applies(WorkerAdmitted, timed=True)
    def _admitted(self, _: WorkerAdmitted, at: datetime | None) -> None:
        self.status, self.admitted, self.interview = Status.ADMITTED, at, None

    def decline(self, at: datetime, reason: Declining = Declining.OTHER) -> None:
        """End the way before admission: not admitted, or not willing. Refused: not-referred, out-of-order."""
        self._refuse_unless_open()
        at = self._begun("The refusal", at)
        at = in_order("The refusal", at, "the welcome interview", self.interviewed)
        self.says(WorkerDeclined(partner=self.partner), at)
        self.says(DeclineExplained(reason=reason), at)

    @applies(WorkerDeclined, timed=True)
    def _declined(self, _: WorkerDeclined, at: datetime | None) -> None:
        self.status, self.ended, self.interview = Status.DECLINED, at, None

    def withdraw(self, reason: Leaving, at: datetime) -> None:
        """Leave the programme. Refused: not-enrolled, out-of-order."""
        self._refuse_unless_enrolled()
        at = self._begun("The withdrawal", at)
        for needed, since in (("the welcome interview", self.interviewed), ("the admission", self.admitted)):
            at = in_order("The withdrawal", at, needed, since)
        self.says(WorkerWithdrawn(reason=reason.told), at)
        self.says(WithdrawalExplained(reason=reason), at)

    @applies(WorkerWithdrawn, timed=True)
    def _withdrawn(self, event: WorkerWithdrawn, at: datetime | None) -> None:
        self.status, self.ended, self.told, self.interview = Status.WITHDRAWN, at, event.reason.told, None

    def come_back(self, at: datetime) -> None:
        """Begin the way again: the steps of before stay in the history. Refused: not-ended, out-of-order."""
        self.refuse_if_final()
        if self.status not in ENDED:
            raise Refused("not-ended", f"Worker {self.id} is {self.status}, and has not left.")
        at = in_order("The return", at, "the end of the way before", self.ended)
        self.says(WorkerReturned(partner=self.partner), at)

    @applies(WorkerReturned, timed=True)
    def _returned(self, _: WorkerReturned, at: datetime | None) -> None:
        self.status, self.returned = Status.REFERRED, at
        self.contacted = self.interview = self.interviewed = self.admitted = self.ended = self.told = None

    @property
    def dated(self) -> dict[Step, datetime]:
        """The steps of the present round in their order, as far as their time is known: those whose date can be corrected."""
        end = {Status.DECLINED: Step.DECLINED, Status.WITHDRAWN: Step.WITHDRAWN}.get(self.status)
        known = {Step.CONTACTED: self.contacted, Step.INTERVIEWED: self.interviewed, Step.ADMITTED: self.admitted}
        if end is not None:
            known[end] = self.ended
        return {step: at for step, at in known.items() if at is not None}

    def redate(self, step: Step, at: datetime) -> None:
        """Correct the date of a step, between its neighbours. Refused: no-such-step, out-of-order."""
        self.refuse_if_final()
        dated = self.dated
        if step not in dated:
            raise Refused("no-such-step", f"Worker {self.id} has no date of {step}.", Refusal.CONFLICT)
        steps = list(dated)
        place = steps.index(step)
        at = self._begun(f"The step {step}", at)
        if place:
            at = in_order(f"The step {step}", at, f"the step {steps[place - 1]}", dated[steps[place - 1]])
        if place + 1 < len(steps):
            in_time(f"The step {step}", at, f"the step {steps[place + 1]}", dated[steps[place + 1]])
        self.says(StepRedated(step=step, reason=self.told if step is Step.WITHDRAWN else None), at)

    @applies(StepRedated, timed=True)
    def _redated(self, event: StepRedated, at: datetime | None) -> None:
        if event.step in {Step.DECLINED, Step.WITHDRAWN}:
            self.ended = at
        else:
            setattr(self, event.step.value, at)

    def _begun(self, step: str, at: datetime) -> datetime:
        """The time of a step, which is not before the referral, nor before the return of whoever came back."""
        at = in_order(step, at, "the referral", self.referred)
        return in_order(step, at, "the return", self.returned)

    def _refuse_unless_open(self) -> None:
        if self.status not in OPEN:
            back = " Record first that they come back." if self.status in ENDED else ""
            raise Refused("not-referred", f"Worker {self.id} is {self.status}, not on the way to an interview.{back}")

    def _refuse_unless_enrolled(self) -> None:
        if self.status not in ENROLLED:
            raise Refused("not-enrolled", f"Worker {self.id} is {self.status} and cannot withdraw.")

    def refuse_if_final(self) -> None:
        """Refuse what needs a record that goes on. Refused: erased, merged."""
        if self.status is Status.ERASED:
            raise Refused("erased", f"Person {self.id} was erased.", Refusal.GONE)
        if self.status is Status.MERGED:
            raise Refused("merged", f"The record {self.id} ended in another one of the same person.")
