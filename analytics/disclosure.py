"""The rule by which a mean of scores may be shown: pure functions, on digests of people and values.

Invariants: a mean of fewer than LEAST people is never shown. Two totals that were ever shown, or follow from what was shown by adding
the two sides of a block, are equal or differ in LEAST people or more (came, went, or another value): so no difference of two totals
tells the score of fewer. A cell whose people have changed less keeps the value that was shown last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

LEAST = 10  # people behind a mean, and people in whom two means differ
SEATED, WAITING = "seated", "waiting"
SIDES = (SEATED, WAITING)
Contributors = Mapping[bytes, bytes]  # the digest of each person, and that of their value


@dataclass(frozen=True, slots=True)
class Shown:
    """A mean that was shown, and the people behind it. `sd`: of the sample (n - 1)."""

    people: Contributors
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Block:
    """The cells of one instrument, wave and scale: all that was ever shown by side, and the place of what is shown `now`."""

    shown: Mapping[str, Sequence[Shown]]
    now: Mapping[str, int | None]

    @classmethod
    def empty(cls) -> "Block":
        """A block of which nothing was shown."""
        return cls(dict.fromkeys(SIDES, ()), dict.fromkeys(SIDES))

    def value(self, side: str) -> Shown | None:
        """Return what is shown now; None for fewer than LEAST."""
        place = self.now[side]
        return None if place is None else self.shown[side][place]


def looked_at(block: Block, cells: Mapping[str, Shown]) -> Block:
    """Return the block after one more look: as many sides as may be are brought up to date. The same block when none is."""
    stale = [side for side in SIDES if differ(_people(block.value(side)), _people(cells.get(side))) > 0]
    # Both together first: people who moved from one side to the other change both.
    for sides in ([stale] if len(stale) > 1 else []) + [[side] for side in stale]:
        new = _brought_up(block, cells, sides)
        if new is not None:
            return new if len(sides) > 1 or len(stale) == 1 else looked_at(new, cells)
    return block


def _brought_up(block: Block, cells: Mapping[str, Shown], sides: Sequence[str]) -> Block | None:
    """Return the block with these sides up to date; None when that would tell of fewer than LEAST people."""
    large = {side: cells[side] for side in sides if side in cells and len(cells[side].people) >= LEAST}
    for side in sides:
        # Also the step to "fewer than 10" is a change that is not seen before so many people have changed.
        before = _people(block.value(side))
        if before and differ(before, _people(cells.get(side))) < LEAST:
            return None
        if not before and side not in large:
            return None
    old = list(_totals(block.shown))
    added = {side: (large[side],) if side in large else () for side in SIDES}
    new = [*_totals(added), *_mixed(added, block.shown)]
    if any(0 < differ(one, other) < LEAST for one, other in product(new, old)):
        return None
    shown = {side: (*block.shown[side], *added[side]) for side in SIDES}
    now = {side: (len(shown[side]) - 1 if side in large else None) for side in sides}
    return replace(block, shown=shown, now={**block.now, **now})


def differ(one: Mapping[bytes, object], other: Mapping[bytes, object]) -> int:
    """Count the people who are in one of the two alone, or have another value there."""
    return len({person for person, _ in one.items() ^ other.items()})


def _people(shown: Shown | None) -> Contributors:
    return shown.people if shown is not None else {}


def _totals(shown: Mapping[str, Sequence[Shown]]) -> Iterator[Contributors]:
    """Give all that can be had from these: each alone, and each sum of one from each side."""
    for side in SIDES:
        yield from (each.people for each in shown[side])
    for one, other in product(shown[SEATED], shown[WAITING]):
        yield _sum(one.people, other.people)


def _mixed(added: Mapping[str, Sequence[Shown]], shown: Mapping[str, Sequence[Shown]]) -> Iterator[Contributors]:
    """Give the sums of a new one and an old one of the other side."""
    for side, another in (SIDES, SIDES[::-1]):
        for one, other in product(added[side], shown[another]):
            yield _sum(one.people, other.people)


def _sum(one: Contributors, other: Contributors) -> Contributors:
    # Somebody who has moved is in both, with both values: the sum then has them twice.
    twice = {person: b"".join(sorted((one[person], other[person]))) for person in one.keys() & other.keys()}
    return {**one, **other, **twice}
