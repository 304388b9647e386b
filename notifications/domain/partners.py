"""What to tell a partner: what became of its own referrals, and nothing without the person's consent.

Invariants: unknown consent waits and refused consent drops; a withdrawal of consent, or an erasure, is told only of somebody of
whom something was told; places in a ledger are numbered 1, 2, 3 … by the `Feed` alone; an entry carries nothing by which it could
be found in another topic: its id is random (a UUIDv7 would tell the millisecond), its days are days.
"""

from collections.abc import Collection
from datetime import date
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.enrolment import Purpose
from services.contracts.feed import ConsentWithdrawn, Erased, Seated
from services.kernel import Aggregate

CLOSING = frozenset({ConsentWithdrawn.type, Erased.type})


class Fact(BaseModel):
    """Something that became of somebody: a type of the feed, the day, and what else that type carries."""

    type: str
    on: date
    reason: str | None = None


class Known(Aggregate):
    """What is known of a person here: who referred them, what they consent to, and what waits to be told."""

    noun: ClassVar[str] = "known"
    partner: str | None = None
    feedback: bool | None = None
    participation: bool | None = None
    admitted: bool = False
    gone: bool = False
    pending: tuple[Fact, ...] = ()
    places: tuple[int, ...] = ()  # in the partner's ledger, which tell of them

    @property
    def consents(self) -> bool | None:
        """Whether the partner may be told. Who no longer takes part is no longer told of, whatever they said of feedback."""
        return False if self.participation is False else self.feedback

    def note(self, fact: Fact) -> None:
        """Something happened. It waits for what is not known yet; where consent was refused it is not even kept."""
        if self.consents is not False and not (self.gone and fact.type == Seated.type):
            self.pending = (*self.pending, fact)

    def admit(self, fact: Fact) -> None:
        """They were admitted: told before a seat, even if that was heard of first."""
        seats = [each for each in self.pending if each.type == Seated.type]
        self.pending = tuple(each for each in self.pending if each not in seats)
        self.admitted = True
        for each in [fact, *seats]:
            self.note(each)

    def leave(self, fact: Fact) -> None:
        """They left: no seat is told of any more."""
        self.note(fact)
        self.gone = True

    def decide(self, purpose: Purpose, given: bool, on: date) -> tuple[int, ...]:
        """They gave or withdrew a consent. Returns the places in the ledger that may not tell of them any more."""
        if purpose is Purpose.PARTNER_FEEDBACK:
            self.feedback = given
        elif purpose is Purpose.PARTICIPATION:
            self.participation = given
        return self._close(ConsentWithdrawn.type, on) if self.consents is False else ()

    def erase(self, on: date) -> tuple[int, ...]:
        """Nothing more is ever told, but that. Returns as `decide` does."""
        self.feedback = False
        return self._close(Erased.type, on)

    def _close(self, type: str, on: date) -> tuple[int, ...]:
        closed, self.places = self.places, ()
        self.pending = (Fact(type=type, on=on),) if closed else ()
        return closed

    def release(self, agreed: Collection[str]) -> list[Fact]:
        """What is told now, in order. What the partner has not agreed on is let go; a seat is told after the admission, which comes
        by another topic."""
        if self.partner is None or self.consents is None:
            return []
        ready = [each for each in self.pending if each.type != Seated.type or self.admitted]
        self.pending = tuple(each for each in self.pending if each not in ready)
        return [each for each in ready if each.type in agreed or each.type in CLOSING]

    def told(self, entry: "Entry") -> None:
        """It is in the ledger."""
        if not entry.closes:
            self.places = (*self.places, entry.sequence)


class Entry(Aggregate):
    """A place in a partner's ledger. `worker` is kept so that consent can be asked again at delivery; what closes needs none."""

    noun: ClassVar[str] = "entry"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("partner", "sequence"), ("partner", "subject"))
    partner: str
    sequence: int
    event: str
    subject: str
    fact: Fact
    written: date
    worker: str | None = None
    recalled: bool = False  # read back from the topic after a restore, and not told again yet

    @property
    def closes(self) -> bool:
        """Whether it goes out whatever the person consents to."""
        return self.fact.type in CLOSING

    def recognise(self, worker: str) -> None:
        """It is told again, and this is where it was told."""
        self.recalled, self.worker = False, None if self.closes else worker

    def detach(self) -> None:
        """The place stays, and says nothing any more."""
        self.subject, self.worker = "-", None


class Feed(Aggregate):
    """A partner's ledger, which is to say its one numberer."""

    noun: ClassVar[str] = "feed"
    last: int = 0
    recalled: bool = False  # whether it has places that were read back

    def append(self, fact: Fact, worker: str, subject: str, event: str, today: date) -> Entry:
        """The next place. `subject` is the person's pseudonym with this partner, `event` a new random id."""
        self.last += 1
        return Entry(
            id=f"{self.id}.{self.last}",
            partner=self.id,
            sequence=self.last,
            event=event,
            subject=subject,
            fact=fact,
            written=today,
            worker=None if fact.type in CLOSING else worker,
        )
