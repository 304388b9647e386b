"""The rule by which a mean of scores may be shown: pure functions, on digests of people and values.

Invariants: a mean of fewer than `least` people is never shown. No linear combination of all that was ever shown of a block, of both sides,
concerns fewer than `least` people (`telling`): so no sums and differences tell the score of fewer. None lies near an end of the scale
(`extremes`), where it would tell the scores of many. A side that cannot be brought up to date by this rule, or has changed OFTEN times,
keeps the value that was shown last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analytics.extremes import RANGES, ROUNDING, near_an_end
from analytics.telling import Contributors, tells

LEAST = 10  # people behind a mean, and people whom a combination of means concerns
LEAST_OF_ANSWERS = 20  # the same for a scale of one item, whose scores are the answers themselves
OFTEN = 3  # values of one side that are ever shown: with four the search over combinations takes half a second at worst
SEATED, WAITING = "seated", "waiting"
SIDES = (SEATED, WAITING)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one scale. `least`: people; `low`, `high`: the least and the greatest score."""

    least: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A mean that was shown, and the people behind it."""

    people: Contributors
    mean: float


@dataclass(frozen=True, slots=True)
class Block:
    """The cells of one instrument, wave and scale: all that was ever shown by side, and the place of what is shown `now`.

    `refused`: the people of a side whose mean was near an end when it was looked at last. That nothing is shown tells something of their
    sum, so a side is not judged by its scores again before `least` people have changed.
    """

    shown: Mapping[str, Sequence[Shown]]
    now: Mapping[str, int | None]
    refused: Mapping[str, Contributors] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Block":
        """A block of which nothing was shown."""
        return cls(dict.fromkeys(SIDES, ()), dict.fromkeys(SIDES))

    def value(self, side: str) -> Shown | None:
        """Return what is shown now; None for a side that is not shown."""
        place = self.now[side]
        return None if place is None else self.shown[side][place]


def looked_at(block: Block, cells: Mapping[str, Shown], limits: Limits) -> Block:
    """Return the block after one more look: as many sides as may be are brought up to date. The same block when none is."""
    stale = [side for side in SIDES if differ(_people(block.value(side)), _people(cells.get(side))) > 0]
    refused = dict(block.refused)
    # Both together first: people who moved from one side to the other change both.
    for sides in ([stale] if len(stale) > 1 else []) + [[side] for side in stale]:
        new = _brought_up(block, cells, sides, limits)
        if new is not None and new.shown != block.shown and _near_an_end(new, limits):
            refused |= {side: _people(cells.get(side)) for side in sides}
        elif new is not None:
            new = replace(new, refused=refused)
            return new if len(sides) > 1 or len(stale) == 1 else looked_at(new, cells, limits)
    return block if refused == block.refused else replace(block, refused=refused)


def _brought_up(block: Block, cells: Mapping[str, Shown], sides: Sequence[str], limits: Limits) -> Block | None:
    """Return the block with these sides up to date; None when that would tell of too few people. No score decides here."""
    large = {side: cells[side] for side in sides if side in cells and len(cells[side].people) >= limits.least}
    for side in sides:
        # Also the step to nothing is a change that is not seen before so many people have changed.
        before = _people(block.value(side))
        if before and differ(before, _people(cells.get(side))) < limits.least:
            return None
        if not before and side not in large:
            return None
    added = {side: each for side, each in large.items() if _place(block, side, each) is None}
    if any(_was_refused(block, side, each, limits) for side, each in added.items()):
        return None
    new = replace(block, shown={side: (*block.shown[side], *_one(added.get(side))) for side in SIDES})
    if added and not _concerns_many(new, limits):
        return None
    now = {side: _place(new, side, large[side]) if side in large else None for side in sides}
    return replace(new, now={**block.now, **now})


def may_stand(number: int, mean: float, limits: Limits) -> bool:
    """Tell whether a mean of so many people may be shown, taken alone. One of before a rule was made may not."""
    room = min(mean - limits.low, limits.high - mean) / (limits.high - limits.low)
    return number >= limits.least and room * number >= RANGES - ROUNDING


def _was_refused(block: Block, side: str, cell: Shown, limits: Limits) -> bool:
    return side in block.refused and differ(block.refused[side], cell.people) < limits.least


def _concerns_many(block: Block, limits: Limits) -> bool:
    if any(len(some) > OFTEN for some in block.shown.values()):
        return False
    return not tells([each.people for some in block.shown.values() for each in some], limits.least)


def _near_an_end(block: Block, limits: Limits) -> bool:
    totals = [(each.people, each.mean * len(each.people)) for some in block.shown.values() for each in some]
    return near_an_end(totals, limits.low, limits.high)


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
