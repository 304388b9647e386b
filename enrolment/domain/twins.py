"""Two records of one person: the judgement of an operator, the day in which it can be taken back, and the end of one record.

Invariants: of two people with a seat none is merged. A record ends in one that goes on, and no record ends that another is about to end
in, so that there is no chain. What was judged is told to nobody outside of enrolment before the day is over.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import BaseModel

from enrolment.domain.way import Status, Way
from services.contracts.enrolment import DuplicateJudged, Judgement, WorkerMerged
from services.kernel import Refusal, Refused, applies

WAITS = timedelta(days=1)  # before a merge is said; until then it can be undone


class Merging(BaseModel):
    """The record in which this one ends, and when."""

    into: str
    due: datetime


class Twin(Way):
    """Other records of the same person, as far as they are known. `fiscal`: the keyed hash of the fiscal code. `seats`: groups in which
    they have a seat. `merging`: the merge that waits. `into`: the record in which this one has ended. `absorbed`: the records that have
    ended in this one. `expects`: those that are about to. `distinct`: records that look alike, and are of other people. `hints`: keyed
    digests by which records that look alike are found. `alike`: those that were there when this one was written down, and that nobody
    has judged."""

    fiscal: str | None = None
    seats: tuple[str, ...] = ()
    merging: Merging | None = None
    into: str | None = None
    absorbed: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    distinct: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()

    @property
    def is_open_to_judgement(self) -> bool:
        """True unless the record has ended."""
        return self.status not in {Status.MERGED, Status.ERASED}

    def names(self, other: str) -> bool:
        """True while this record names the other one as alike, or as judged and not said."""
        return other in {*self.alike, *self.distinct, *self.expects, *([self.merging.into] if self.merging else [])}

    def sit(self, group: str) -> None:
        """Note a seat that grouping gave."""
        self.seats = tuple(sorted({*self.seats, group}))

    def rise(self, group: str) -> None:
        """Note that the seat ended."""
        self.seats = tuple(each for each in self.seats if each != group)

    def merge(self, into: "Twin", now: datetime) -> datetime:
        """Let this record end in the other one a day from now, and give that moment. Refused: same-record, merged, erased, two-seats,
        seat-ends (the one with the seat stays), merging-already."""
        refuse_merge(self, into)
        due = now + WAITS
        into.says(DuplicateJudged(other=self.id, judgement=Judgement.SAME), now)
        self.says(DuplicateJudged(other=into.id, judgement=Judgement.SAME, due=due), now)
        return due

    def part(self, other: "Twin", now: datetime) -> None:
        """Say that they are two people, so that nobody is asked again. Refused: same-record, merged, erased, merging-already."""
        _refuse_pair(self, other)
        for one, two in ((self, other), (other, self)):
            one.says(DuplicateJudged(other=two.id, judgement=Judgement.DIFFERENT), now)

    def undo(self, other: "Twin", now: datetime) -> None:
        """Take a judgement on two records back: a merge that was not said yet, or that they are two people. Refused: merged, erased,
        not-judged."""
        self.refuse_if_final()
        if not (self.merging and self.merging.into == other.id) and other.id not in self.distinct:
            raise Refused("not-judged", f"Nothing was decided about {self.id} and {other.id}.")
        for one, two in ((self, other), (other, self)):
            if one.status is not Status.ERASED:
                one.says(DuplicateJudged(other=two.id, judgement=Judgement.OPEN), now)
        # Judged anew, on the record that came later.
        later, earlier = max(self, other, key=_id), min(self, other, key=_id)
        if later.is_open_to_judgement and earlier.is_open_to_judgement:
            later.alike = tuple(sorted({*later.alike, earlier.id}))

    @applies(DuplicateJudged)
    def _judged(self, event: DuplicateJudged) -> None:
        other = event.other
        self.expects = tuple(each for each in self.expects if each != other)
        self.distinct = tuple(each for each in self.distinct if each != other)
        self.alike = tuple(each for each in self.alike if each != other)
        if self.merging is not None and self.merging.into == other:
            self.merging = None
        if event.judgement is Judgement.DIFFERENT:
            self.distinct = (*self.distinct, other)
        elif event.judgement is Judgement.SAME and event.due is not None:
            self.merging = Merging(into=other, due=event.due)
        elif event.judgement is Judgement.SAME:
            self.expects = (*self.expects, other)

    def end_in(self, into: "Twin") -> None:
        """Say the merge, and let this record end. The other one remembers it, and waits for it no more."""
        self.says(WorkerMerged(into=into.id))
        into.says(DuplicateJudged(other=self.id, judgement=Judgement.OPEN))
        into.absorb(self.id)

    @applies(WorkerMerged)
    def _merged(self, event: WorkerMerged) -> None:
        self.status, self.into, self.merging, self.interview = Status.MERGED, event.into, None, None
        self.hints, self.alike = (), ()

    def absorb(self, ended: str) -> None:
        """Remember a record that has ended in this one. The event of that record tells it."""
        self.expects = tuple(each for each in self.expects if each != ended)
        self.absorbed = tuple(dict.fromkeys((*self.absorbed, ended)))


def _id(record: Twin) -> str:
    return record.id


def refuse_merge(ends: Twin, into: Twin) -> None:
    """Refuse a merge that cannot be: of one record, of records that have ended, of the record with the seat into the one without."""
    _refuse_pair(ends, into)
    if ends.seats and into.seats:
        raise Refused("two-seats", "Both have a seat in a group. End one of the two seats first.")
    if ends.seats:
        raise Refused("seat-ends", f"{ends.id} has a seat in a group, so the record with the seat has to stay.")


def _refuse_pair(one: Twin, other: Twin) -> None:
    if one.id == other.id:
        raise Refused("same-record", "It is the same record.", Refusal.INVALID)
    for each in (one, other):
        each.refuse_if_final()
    if one.merging or other.merging or _awaits(one.expects) or _awaits(other.expects):
        raise Refused("merging-already", "One of the two is about to be merged already.")


def _awaits(expects: Collection[str]) -> bool:
    return bool(expects)
