"""Rooms and facilitators for a few new groups: checks that there are enough for these parties, and assigns them.

Invariant: in a slot no more groups meet at a place than it has rooms. A facilitator leads one group at a time, no more than they may, where
and when they can. The result depends only on the shapes of the parties, which are the slots and places to which all of a party could come.
Results are remembered by shape.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, inner
from grouping.formation.parties import Parties
from grouping.formation.pool import Pool, in_one_order
from grouping.formation.tables import Tables

WAYS = 20_000  # tries at most to give rooms to a few parties
REMEMBERED = 1 << 16
NO, YES = range(1, 3)

Cell = tuple[int, int, int]  # slot, place, facilitator


class Rooms(NamedTuple):
    """Free rooms and facilitators. c cells: pairs of a slot and a place where somebody could lead."""

    cell: Any  # [c, 2]
    free: Any  # [slots, places] rooms
    able: Any  # [facilitators, slots] could lead one more
    goes: Any  # [facilitators, places]
    left: Any  # [facilitators] groups that they may still lead
    shape: Any  # [p] shape of a new party
    there: Any  # [shapes, c] the shape can meet in the cell
    word: Any  # [shapes] random: a combination of shapes is identified by the sum of their words
    known: Any  # [REMEMBERED] such sums, as a hash table
    said: Any  # [REMEMBERED] YES or NO: rooms are found
    unsure: Any  # [1] number of searches that reached the limit


def cells(pool: Pool, made: Tables) -> Any:
    """Pairs of a slot and a place with a free room and a facilitator who could lead one more group."""
    able = (pool.leads == 1) & (made.busy == 0) & (made.led < pool.load)[:, None]
    led = able.T.astype(int) @ pool.goes.astype(int) > 0
    return np.argwhere(led & (made.used < pool.rooms[None, :]))


def rooms(pool: Pool, made: Tables, found: Parties, cell: Any) -> Rooms:
    """The rooms and facilitators that the groups that meet leave free."""
    packed, shape = np.unique(np.packbits(found.there, axis=1), axis=0, return_inverse=True)
    return in_one_order(
        Rooms(
            cell=cell,
            free=pool.rooms[None, :] - made.used,
            able=((pool.leads == 1) & (made.busy == 0)).astype(np.int64),
            goes=pool.goes,
            left=np.maximum(0, pool.load - made.led),
            shape=shape.reshape(-1),
            there=np.unpackbits(packed, axis=1, count=len(cell)),
            word=np.random.default_rng(0).integers(1, 2**63, len(packed), np.uint64),
            known=np.zeros(REMEMBERED, np.uint64),
            said=np.zeros(REMEMBERED, np.uint8),
            unsure=np.zeros(1, np.int64),
        )
    )


@compiled
def enough(rooms: Rooms, shapes: Any, number: int) -> bool:
    """True when parties of the first `number` shapes can all meet."""
    total = np.uint64(0)
    for at in range(number):
        total += rooms.word[shapes[at]]
    row = np.int64(total & np.uint64(REMEMBERED - 1))
    if rooms.known[row] != total or rooms.said[row] == 0:
        rooms.known[row], rooms.said[row] = total, YES if _tried(rooms, shapes, number) else NO
    return bool(rooms.said[row] == YES)


@inner
def _tried(rooms: Rooms, shapes: Any, number: int) -> bool:
    """Backtracking search: a party that finds no room makes the one before it take its next choice."""
    way, at, tries = np.full(number + 1, -1), 0, 0
    while 0 <= at < number and tries < WAYS:
        if way[at] >= 0:
            _give(rooms, way[at], 1)
        way[at] = _next(rooms, shapes[at], way[at] + 1)
        if way[at] >= 0:
            _give(rooms, way[at], -1)
        at += 1 if way[at] >= 0 else -1
        tries += 1
    for back in range(number):
        if way[back] >= 0:
            _give(rooms, way[back], 1)
    rooms.unsure[0] += 0 <= at < number
    return bool(at == number)


@inner
def _next(rooms: Rooms, shape: int, first: int) -> int:
    """The next choice for a party, a facilitator at a slot and place, or -1."""
    for way in range(first, len(rooms.cell) * len(rooms.left)):
        if rooms.there[shape, way // len(rooms.left)] and _free(rooms, way):
            return way
    return -1


@compiled
def _free(rooms: Rooms, way: int) -> bool:
    leader = way % len(rooms.left)
    slot, place = rooms.cell[way // len(rooms.left)]
    led = rooms.left[leader] > 0 and rooms.able[leader, slot] > 0 and rooms.goes[leader, place]
    return bool(led and rooms.free[slot, place] > 0)


@compiled
def _give(rooms: Rooms, way: int, number: int) -> None:
    """Give a room and a facilitator back (`number` 1), or take them (-1)."""
    leader = way % len(rooms.left)
    slot, place = rooms.cell[way // len(rooms.left)]
    rooms.free[slot, place] += number
    rooms.able[leader, slot] += number
    rooms.left[leader] += number


def given(rooms: Rooms, shapes: Sequence[int], km: Any) -> list[Cell]:
    """Cells for parties of these shapes, in their order, with as few kilometres as possible. `km`: their ways to each cell."""
    far = np.where(rooms.there[list(shapes)] == 1, km, np.inf)
    found = _nearest(rooms, far, np.inf, itertools.count())
    return [_cell(rooms, way) for way in (found[1] if found else [])]


def _cell(rooms: Rooms, way: int) -> Cell:
    cell, leader = divmod(way, len(rooms.left))
    return int(rooms.cell[cell, 0]), int(rooms.cell[cell, 1]), leader


def _nearest(rooms: Rooms, far: Any, below: float, tries: Iterator[int]) -> tuple[float, list[int]] | None:
    """Kilometres and choices for these parties, if they need fewer kilometres than `below`."""
    if not len(far):
        return 0.0, []
    best, rest = None, far[1:].min(1).sum()
    for cell in np.argsort(far[0], kind="stable"):
        for way in range(cell * len(rooms.left), (cell + 1) * len(rooms.left)):
            if far[0, cell] + rest >= below or (best and next(tries) > WAYS):
                return best
            if _free(rooms, way):
                _give(rooms, way, -1)
                found = _nearest(rooms, far[1:], below - far[0, cell], tries)
                _give(rooms, way, 1)
                if found:
                    below = far[0, cell] + found[0]
                    best = (below, [way, *found[1]])
    return best
