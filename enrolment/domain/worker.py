"""A worker on the way into a group. Nobody is admitted without consent to take part; nobody is asked for a diagnosis.

Invariants: an event changes the state in one method, marked with `applies`, both live and on replay. The card, the sealed profile and the
trace are in no event: commands set them. No step is dated before the one that it needs (`in_order`). A decision on a consent needs no
referral: forms are signed at the partner's desk before it.
"""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from pydantic import BaseModel

from enrolment.domain.twins import Twin
from enrolment.domain.way import Status
from services.contracts.enrolment import (
    ConsentChanged,
    How,
    Leaving,
    LinkPurpose,
    Origin,
    PersonalLinkIssued,
    PersonalLinkRevoked,
    Purpose,
    Step,
    WorkerCorrected,
    WorkerErased,
    WorkerMerged,
    WorkerProfiled,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.kernel import Refused, applies, in_order

LASTS = {
    LinkPurpose.ME: timedelta(days=30),
    LinkPurpose.LEAVE: timedelta(minutes=30),
    LinkPurpose.ERASE: timedelta(minutes=30),
}  # how long a personal link opens something
ADDRESSES = ("email", "phone")  # fields of the card to which messages go
WHY = "why"  # the name under which the reason of a correction is sealed
MOST_ACTS = 200  # of one person that are kept: the latest
AGAIN = timedelta(minutes=2)  # between two links that confirm the same: one who presses twice gets one message


class Consent(BaseModel):
    """The last decision on one purpose, after reading one version of the notice (ISO/IEC TS 27560 terms). `how`: None, not known.
    `recorded_by` is the role of who wrote it down, `recorder` their account; the latter is in no event."""

    given: bool
    notice: str
    language: str
    at: datetime
    how: How | None = None
    recorded_by: str | None = None
    recorder: str | None = None


class Recorder(NamedTuple):
    """The writer of a decision: the role with which they signed in, and their account."""

    role: str
    account: str


class Link(BaseModel):
    """A personal link that still opens something. `digest`: of its token, which nobody keeps."""

    purpose: LinkPurpose
    digest: str
    expires: datetime


def digest_of(token: str) -> str:
    """The SHA-256 of a link's token. No salt: the token is 256 random bits, which nobody guesses."""
    return hashlib.sha256(token.encode()).hexdigest()


class Act(BaseModel):
    """The author of the steps that were recorded at one moment: the role and the subject of their token, and the name that it
    gave. `why`: the reason that they wrote, sealed."""

    recorded: datetime
    role: str
    who: str
    name: str | None = None
    why: str | None = None


class Worker(Twin):
    """One worker's status and consents. `card` and `profile` are sealed under the person's key; no other field identifies the person.
    `filled`: when the card was last written down or emptied, by which the search finds what has changed; None: before that was kept.
    `listed`: the keyed digest of the person on the list of a partner. `links`: at most one of each purpose."""

    noun: ClassVar[str] = "worker"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("filled",),
        ("links.digest",),
        ("fiscal",),
        ("hints",),
        ("alike",),
        ("merging.due",),
        ("listed",),
        ("receipt",),
    )
    consents: dict[Purpose, Consent] = {}
    card: dict[str, str] = {}
    filled: datetime | None = None
    listed: str | None = None
    profile: str | None = None
    sketch: str | None = None  # what a referrer knew of the profile, sealed, until there is one
    links: tuple[Link, ...] = ()
    acts: tuple[Act, ...] = ()  # who took each step, the latest last
    receipt: str | None = None  # of the erasure, and when that was
    erased: datetime | None = None
    trace: str | None = None  # the traceparent of the referral

    @classmethod
    def refer(
        cls, id: str, partner: str, at: datetime, trace: str | None = None, origin: Origin | None = None
    ) -> "Worker":
        """A new worker. `partner` referred them, or took their own request, which `origin` tells."""
        worker = cls(id=id, partner=partner, trace=trace)
        worker.says(WorkerReferred(partner=partner, origin=origin), at)
        return worker

    def consent(  # the fields of one record
        self,
        purpose: Purpose,
        given: bool,
        notice: str,
        language: str,
        at: datetime,
        how: How | None = None,
        by: Recorder | None = None,
    ) -> None:
        """Give or withdraw one consent. An admitted worker who withdraws consent to take part leaves the programme. Refused:
        out-of-order, when a later decision counts."""
        self.refuse_if_final()
        counts = self.consents.get(purpose)
        at = in_order(f"The decision on {purpose}", at, "the decision that counts", counts.at if counts else None)
        role = by.role if by is not None else None
        told = ConsentChanged(purpose=purpose, given=given, notice=notice, language=language, how=how, recorded_by=role)
        self.says(told, at)
        if by is not None:
            self.consents[purpose].recorder = by.account
        if purpose is Purpose.PARTICIPATION and not given and self.status is Status.ADMITTED:
            # The form may have been signed before the admission; the worker leaves what they were admitted to.
            self.withdraw(Leaving.CONSENT_WITHDRAWN, max(at, self.admitted or at))

    def refuse(self, purpose: Purpose, at: datetime) -> bool:
        """Take up a refusal that a restore has lost, on the notice of the consent that it ends. False when it ends none: a later decision
        counts instead."""
        counts = self.consents.get(purpose)
        if counts is None or not counts.given or counts.at > at:
            return False
        self.consent(purpose, False, counts.notice, counts.language, at)
        return True

    @applies(ConsentChanged, timed=True)
    def _consented(self, event: ConsentChanged, at: datetime | None) -> None:
        assert at is not None  # `consent` gives it, and every stored event has it
        consent = Consent(at=at, **event.model_dump(exclude={"purpose"}))
        self.consents = {**self.consents, event.purpose: consent}

    def redate(self, step: Step, at: datetime) -> None:
        """Correct the date of a step, between its neighbours; an admission not before the consent to take part that counts. Refused:
        no-such-step, out-of-order."""
        consent = self.consents.get(Purpose.PARTICIPATION)
        if step is Step.ADMITTED and consent is not None and consent.given:
            in_order(f"The step {step}", at, "the consent to take part", consent.at)
        super().redate(step, at)

    def consents_to(self, purpose: Purpose) -> bool:
        """Tell whether the last decision on this purpose is consent."""
        consent = self.consents.get(purpose)
        return consent is not None and consent.given

    def fill_in(self, card: dict[str, str], now: datetime | None = None) -> None:
        """Keep identity and contact, each field sealed. No event tells them; only the card's own record does. `now`: when it is written
        down."""
        self.refuse_if_final()
        self.card, self.filled = card, now

    def correct(self, card: dict[str, str], now: datetime) -> None:
        """Replace the whole card, each field sealed, and tell that it was. Refused: erased."""
        self.fill_in(card, now)
        self.says(WorkerCorrected())

    def outline(self, sealed: str) -> None:
        """Keep what a referrer knew of the profile, sealed. No event tells it: it is too little to match on."""
        self.refuse_if_final()
        self.sketch = sealed

    def describe(self, profile: WorkerProfiled, sealed: str) -> None:
        """Replace the whole profile. `sealed` is the same profile, encrypted, as it is stored."""
        self.refuse_if_final()
        self.profile, self.sketch = sealed, None
        self.says(profile)

    def admit(self, at: datetime) -> None:
        """Admit after the welcome interview. Refused: not-referred, no-consent, out-of-order."""
        self._refuse_unless_open()
        if not self.consents_to(Purpose.PARTICIPATION):
            raise Refused("no-consent", f"Worker {self.id} has not consented to take part.")
        at, consented = self._begun("The admission", at), self.consents[Purpose.PARTICIPATION].at
        self._admit(in_order("The admission", at, "the consent to take part", consented))

    @applies(WorkerWithdrawn, timed=True)
    def _withdrawn(self, event: WorkerWithdrawn, at: datetime | None) -> None:
        super()._withdrawn(event, at)
        self._drop_link(LinkPurpose.LEAVE)

    @applies(WorkerMerged)
    def _merged(self, event: WorkerMerged) -> None:
        super()._merged(event)
        self.links = ()

    def note(self, act: Act) -> None:
        """Keep who takes the step that is recorded at this moment, and why. It is told beside the history, and by no event."""
        self.acts = (*self.acts, act)[-MOST_ACTS:]

    def erase(self, now: datetime | None = None, receipt: str | None = None) -> None:
        """Empty the record of all that identifies the person. The id and the partner stay. `now`: when it is written down; `receipt`: the
        number that the person gets."""
        if self.status is Status.ERASED:
            self.refuse_if_final()
        self.says(WorkerErased(receipt=receipt))
        self.filled, self.erased = now, self.erased or now

    @applies(WorkerErased, timed=True)
    def _erased(self, event: WorkerErased, at: datetime | None) -> None:
        self.receipt, self.erased = self.receipt or event.receipt, self.erased or at
        self.status, self.card, self.profile, self.consents, self.links = Status.ERASED, {}, None, {}, ()
        self.referred = self.contacted = self.interview = self.interviewed = self.admitted = self.ended = None
        self.returned = self.filled = self.sketch = self.fiscal = self.merging = self.told = None
        self.listed = None
        self.acts, self.seats, self.distinct, self.expects = (), (), (), ()
        self.hints, self.alike = (), ()

    @property
    def is_erased(self) -> bool:
        """True when nothing is left that identifies the person."""
        return self.status is Status.ERASED

    @property
    def unreachable(self) -> str | None:
        """Why no message can be sent: the code of the refusal; None when one can."""
        if self.card.keys().isdisjoint(ADDRESSES):
            return "no-address"
        if not all(map(self.consents_to, (Purpose.PARTICIPATION, Purpose.CONTACT))):
            return "no-contact"
        return None

    def link(self, purpose: LinkPurpose, token: str, now: datetime) -> datetime:
        """Issue a personal link in place of the one of the same purpose, and give the moment until which it opens something. Refused:
        erased; not-enrolled, to confirm a step that cannot be taken; no-address and no-contact, since it would reach nobody; link-sent,
        when one to confirm the same was issued just before."""
        self.refuse_if_final()
        if purpose is LinkPurpose.LEAVE:
            self._refuse_unless_enrolled()
        if (code := self.unreachable) is not None:
            raise Refused(code, f"No message can be sent to worker {self.id}.")
        expires = now + LASTS[purpose]
        before = self.link_of(purpose)
        if purpose is not LinkPurpose.ME and before is not None and expires - before.expires < AGAIN:
            raise Refused("link-sent", f"A link was sent to worker {self.id} a moment ago.")
        self.says(PersonalLinkIssued(worker=self.id, purpose=purpose, token=token, expires=expires), now)
        return expires

    def unlink(self, purpose: LinkPurpose) -> None:
        """Let the link of this purpose open nothing any more. Without one, nothing changes."""
        if self.link_of(purpose) is not None:
            self.says(PersonalLinkRevoked(purpose=purpose))

    def link_of(self, purpose: LinkPurpose) -> Link | None:
        """The link of this purpose, expired or not."""
        return next((each for each in self.links if each.purpose is purpose), None)

    def opened_by(self, token: str, now: datetime) -> LinkPurpose | None:
        """Give what this token opens at that moment; None when it opens nothing of this worker."""
        digest = digest_of(token)
        return next((each.purpose for each in self.links if each.digest == digest and now < each.expires), None)

    @applies(PersonalLinkIssued)
    def _linked(self, event: PersonalLinkIssued) -> None:
        self._drop_link(event.purpose)
        made = Link(purpose=event.purpose, digest=digest_of(event.token), expires=event.expires)
        self.links = (*self.links, made)

    @applies(PersonalLinkRevoked)
    def _unlinked(self, event: PersonalLinkRevoked) -> None:
        self._drop_link(event.purpose)

    def _drop_link(self, purpose: LinkPurpose) -> None:
        self.links = tuple(each for each in self.links if each.purpose is not purpose)
