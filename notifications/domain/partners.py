"""Ledgers of partners: the history of each partner's own referrals, and nothing without the person's consent.

Invariants: unknown consent waits and refused consent drops; the gate alone keeps consents, and each rule is given the answer; a withdrawal
of consent, or an erasure, is entered only for a person with earlier entries; the `Feed` alone numbers entries 1, 2, 3 …; nothing in an
entry is found in another topic: its event id is random (a UUIDv7 would reveal the millisecond), and its times are days.
"""

from collections.abc import Collection
from datetime import date
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.feed import ConsentWithdrawn, Erased, Seated
from services.kernel import Aggregate

CLOSING = frozenset({ConsentWithdrawn.type, Erased.type})


class Fact(BaseModel):
    """A step of a person's way: an event type of the feed, the local day, and the further field of that type."""

    type: str
    on: date
    reason: str | None = None


class ReferredPerson(Aggregate):
    """The referrer of a person, and the facts that wait for consent or for the referrer. `entries` are the sequences of the ledger
    entries about them. `consents`, wherever it is asked for: True, False, or None while it is unknown."""

    noun: ClassVar[str] = "known"
    partner: str | None = None
    admitted: bool = False
    withdrawn: bool = False
    pending: tuple[Fact, ...] = ()
    entries: tuple[int, ...] = ()

    def refer(self, partner: str, fact: Fact, consents: bool | None) -> None:
        """Take the partner who referred them. Earlier facts waited for it."""
        self.partner = partner
        self.note(fact, consents)

    def note(self, fact: Fact, consents: bool | None) -> None:
        """Keep a fact until it may be released. Refused consent drops it at once, and so does a withdrawal for a seat."""
        if consents is not False and not (self.withdrawn and fact.type == Seated.type):
            self.pending = (*self.pending, fact)

    def admit(self, fact: Fact, consents: bool | None) -> None:
        """Note the admission before the seats, since a partner reads in this order, and the two come by different topics."""
        seats = [each for each in self.pending if each.type == Seated.type]
        self.pending = tuple(each for each in self.pending if each not in seats)
        self.admitted = True
        for each in [fact, *seats]:
            self.note(each, consents)

    def withdraw(self, fact: Fact, consents: bool | None) -> None:
        """Note that they left. Seats that arrive later are dropped."""
        self.note(fact, consents)
        self.withdrawn = True

    def come_back(self) -> None:
        """Note that they began anew: seats are told again, after the next admission."""
        self.withdrawn = self.admitted = False

    def refuse(self, on: date) -> tuple[int, ...]:
        """Drop what waits, and close their entries with a withdrawal of consent. Returns the sequences of the entries to withhold."""
        return self._close(ConsentWithdrawn.type, on)

    def erase(self, on: date) -> tuple[int, ...]:
        """Close their entries with an erasure, the last fact about them. Returns the sequences as `refuse` does."""
        return self._close(Erased.type, on)

    def _close(self, type: str, on: date) -> tuple[int, ...]:
        closed, self.entries = self.entries, ()
        self.pending = (Fact(type=type, on=on),) if closed else ()
        return closed

    def release(self, known: Collection[str], consents: bool | None) -> list[Fact]:
        """Take the facts that may be entered now, in order. `known`: the types that the partner may know (`may_know`); others are dropped.
        Unknown consent holds all but a closing fact back; a seat waits for the admission."""
        if self.partner is None:
            return []
        ready = [each for each in self.pending if self._is_ready(each, consents)]
        self.pending = tuple(each for each in self.pending if each not in ready)
        return [each for each in ready if each.type in CLOSING or each.type in known]

    def _is_ready(self, fact: Fact, consents: bool | None) -> bool:
        if fact.type in CLOSING or not consents:
            return fact.type in CLOSING or consents is False
        return fact.type != Seated.type or self.admitted

    def entered(self, entry: "LedgerEntry") -> None:
        """Remember an entry about them, so that it can be withheld later."""
        if not entry.closes:
            self.entries = (*self.entries, entry.sequence)

    def recall(self, entry: "LedgerEntry") -> None:
        """Take an entry that the partner had read before a restore, the earlier one first; a closing entry ends what was before it."""
        entry.recognise(self.id)
        self.entries = () if entry.closes else (*self.entries, entry.sequence)


class LedgerEntry(Aggregate):
    """An entry of a partner's ledger. `worker` is kept so that consent is asked again at delivery; a closing entry needs none."""

    noun: ClassVar[str] = "entry"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("partner", "sequence"), ("partner", "subject"))
    partner: str
    sequence: int
    event: str
    subject: str
    fact: Fact
    written: date  # the local day; a restored entry has the day that the partner read
    worker: str | None = None
    restored: bool = False  # read back from the topic after a restore, and not matched with a person yet

    @property
    def closes(self) -> bool:
        """True for a withdrawal of consent or an erasure, which are delivered without consent."""
        return self.fact.type in CLOSING

    def recognise(self, worker: str) -> None:
        """Match a restored entry with its person, when the fact behind it arrives again."""
        self.restored, self.worker = False, None if self.closes else worker

    def withhold(self) -> None:
        """Keep the sequence, and say nothing of the person any more."""
        self.subject, self.worker = "-", None


class Feed(Aggregate):
    """A partner's ledger: it numbers the entries. The id is the partner's."""

    noun: ClassVar[str] = "feed"
    last: int = 0
    restored: bool = False  # has entries that were read back from the topic

    def append(self, fact: Fact, worker: str, subject: str, event: str, today: date) -> LedgerEntry:
        """The next entry. `subject` is the person's pseudonym with this partner, `event` a new random id."""
        self.last += 1
        return LedgerEntry(
            id=f"{self.id}.{self.last}",
            partner=self.id,
            sequence=self.last,
            event=event,
            subject=subject,
            fact=fact,
            written=today,
            worker=None if fact.type in CLOSING else worker,
        )
