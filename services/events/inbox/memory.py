"""The memory of a consumer: what it knows from its last transactions, so that it need not read it again.

Invariant: the offset documents are the version of the memory. Whatever changes something remembered changes `next` or `fence` of the
offset document that stands for it, in the same transaction:

- A transaction that takes records moves `next` of their partitions. All records of a subject are in one partition, because the subject is
  their key. So marks and parked events of a subject change together with the offset of its partition.
- A transaction that takes parked events alone, an operator's decision, an erasure, a refill and a restore give a new `fence`.

A transaction that uses the memory writes an offset only where `next` and `fence` are as remembered. So it commits if all that it used was
true in its snapshot and still is, and conflicts otherwise. No entry expires, and no write of a mark needs a condition of its own.

A missing mark is not remembered but expected: the first event of a subject is taken to be new, and the write of its mark is a duplicate if
it is not.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from services.events.delivery.state import BatchResult, Mark, Partition
from services.store.register import Everybody

LARGEST = 5_000  # marks that a consumer remembers; those that it used last


@dataclass(frozen=True, slots=True)
class Version:
    """The fields of an offset document that change with what is remembered. `next` None: there is no document."""

    next: int | None
    fence: str | None = None


@dataclass(slots=True)
class Remembered:
    """Knowledge of one consumer. None: not known, so that it is read when it is needed."""

    versions: dict[Partition, Version] = field(default_factory=dict)
    marks: OrderedDict[str, tuple[int, str, str | None]] = field(default_factory=OrderedDict)
    any_parked: bool | None = None
    any_dismissed: bool | None = None
    erased: Everybody | None = None
    # A first event is taken for the first one without a look, because the batch before had no repeats.
    expects_new: bool = False

    def clear(self) -> None:
        """Forget all of it, because one part of it was found to be out of date."""
        self.versions.clear()
        self.marks.clear()
        self.any_parked = self.any_dismissed = self.erased = None
        self.expects_new = False

    def mark(self, key: str) -> Mark | None:
        """A mark of its own for each caller: a transaction changes marks, and may be aborted."""
        known = self.marks.get(key)
        return None if known is None else Mark(*known)

    def note(self, result: BatchResult, stored: set[str]) -> None:
        """Note what a batch that is committed has changed. `stored`: the keys of marks that were there before."""
        for key, mark in result.marks.items():
            if mark.dirty or key in stored:
                self.marks[key] = (mark.sequence, mark.id, mark.stopped)
                self.marks.move_to_end(key)
        while len(self.marks) > LARGEST:
            self.marks.popitem(last=False)
        self.expects_new = "repeated" not in result.tally.counts
        if result.unparked:
            self.any_parked = None  # it may have been the last one
        if result.fresh:
            self.any_parked = True


class Memory:
    """Lends what is remembered to one transaction at a time. A transaction that is not committed takes it along, so that the next attempt
    reads everything."""

    def __init__(self) -> None:
        self._kept, self._lent = Remembered(), Remembered()

    def lend(self) -> Remembered:
        """Give out everything. Nothing is left."""
        self._lent, self._kept = self._kept, Remembered()
        return self._lent

    def keep(self, remembered: Remembered) -> None:
        """Take back, after the commit, what was lent last; nothing, if all was to be forgotten meanwhile."""
        if remembered is self._lent:
            self._kept = remembered

    def forget(self) -> None:
        """Read everything again from now on: partitions were assigned or refilled."""
        self._kept = self._lent = Remembered()
