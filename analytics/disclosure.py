"""The rule by which a mean of scores may be shown: pure functions, on digests of people and values.

Invariants: a mean of fewer than LEAST people is never shown. No linear combination of all that was ever shown of a block, of both sides,
concerns fewer than LEAST people (`telling`): so no sums and differences tell the score of fewer. A side that cannot be brought up to
date by this rule, or has changed OFTEN times, keeps the value that was shown last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analytics.telling import Contributors, tells

LEAST = 10  # people behind a mean, and people whom a combination of means concerns
OFTEN = 3  # values of one side that are ever shown: with four the search over combinations takes half a second at worst
SEATED, WAITING = "seated", "waiting"
SIDES = (SEATED, WAITING)


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
    added = {side: each for side, each in large.items() if _place(block, side, each) is None}
    new = replace(block, shown={side: (*block.shown[side], *_one(added.get(side))) for side in SIDES})
    if added and not _may_be_shown(new.shown):
        return None
    now = {side: _place(new, side, large[side]) if side in large else None for side in sides}
    return replace(new, now={**block.now, **now})


def _may_be_shown(shown: Mapping[str, Sequence[Shown]]) -> bool:
    if any(len(some) > OFTEN for some in shown.values()):
        return False
    return not tells([each.people for some in shown.values() for each in some], LEAST)


def _one(shown: Shown | None) -> tuple[Shown, ...]:
    return () if shown is None else (shown,)


def _place(block: Block, side: str, cell: Shown) -> int | None:
    """Return the place of a value of the same people and scores that was shown: to show it again tells nothing new."""
    return next((place for place, each in enumerate(block.shown[side]) if each.people == cell.people), None)


def differ(one: Mapping[bytes, object], other: Mapping[bytes, object]) -> int:
    """Count the people who are in one of the two alone, or have another value there."""
    return len({person for person, _ in one.items() ^ other.items()})


def _people(shown: Shown | None) -> Contributors:
    return shown.people if shown is not None else {}
