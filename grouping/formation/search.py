"""The search: open tables where most could come, seat who is left by chains of moves, mend, and let go what cannot be mended.

Invariant: the answer breaks no hard rule, also when that leaves people unplaced. The same problem and seed give the same answer.
"""

import random

from grouping.formation import mending, moving, opening
from grouping.formation.model import Answer, Group, Problem, Unplaced
from grouping.formation.reasons import why
from grouping.formation.scoring import score
from grouping.formation.seating import Seating

STARTS = 4  # other orders that are tried while somebody could still be placed
ROUNDS = 3  # of opening, seating and mending in each


def solve(problem: Problem, seed: int = 0) -> Answer:
    """As many as possible are placed, those who wait longest first; not the most diverse groups there could be."""
    chance = random.Random(seed)  # noqa: S311  # ties, not secrets
    best: Seating | None = None
    for _ in range(STARTS):
        seating = _filled(Seating(problem, chance))
        if best is None or _better(seating, best):
            best = seating
        if not best.waiting or best.full():
            break
    return _answer(best or Seating(problem, chance), seed)


def _filled(seating: Seating) -> Seating:
    for _ in range(ROUNDS):
        opening.open_tables(seating)
        _seat_all(seating, strict=False)
        while seating.waiting and opening.open_by_pulling(seating):
            _seat_all(seating, strict=False)
        mending.mend(seating)
        mending.clear(seating)
        _seat_all(seating, strict=True)
        if not seating.waiting or seating.full():
            break
    mending.clear(seating)
    _longest_waiting_first(seating)
    return seating


def _seat_all(seating: Seating, *, strict: bool) -> None:
    for person in sorted(seating.waiting.values(), key=lambda each: -each.waiting_days):
        moving.seat(seating, person, strict=strict)


def _longest_waiting_first(seating: Seating) -> None:
    """Exchange who waits for who waited less. A displaced person waited less than who displaced them, so it ends."""
    waiting = sorted(seating.waiting.values(), key=lambda each: -each.waiting_days)
    while waiting:
        if moving.displace(seating, waiting.pop(0)):
            waiting = sorted(seating.waiting.values(), key=lambda each: -each.waiting_days)


def _better(one: Seating, other: Seating) -> bool:
    """Fewer who wait; of as many, those who waited less."""
    return _left(one) < _left(other)


def _left(seating: Seating) -> tuple[int, list[int]]:
    return len(seating.waiting), sorted((each.waiting_days for each in seating.waiting.values()), reverse=True)


def _answer(seating: Seating, seed: int) -> Answer:
    taken = {table.id for table in seating.tables}
    names = (
        name
        for name in (f"new-{number}" for number in range(1, len(taken) + len(seating.tables) + 2))
        if name not in taken
    )
    groups = tuple(
        Group(
            id=table.id or next(names),
            slot=table.slot,
            place=table.place.id,
            facilitator=table.leader.id,
            members=tuple(sorted(table.members)),
        )
        for table in seating.tables
    )
    later = [Unplaced(id=id, reasons=("not_before",)) for id in sorted(seating.later)]
    waiting = [Unplaced(id=id, reasons=(why(seating, person),)) for id, person in sorted(seating.waiting.items())]
    return Answer(groups=groups, unplaced=(*later, *waiting), score=score(seating.problem, groups), seed=seed)
