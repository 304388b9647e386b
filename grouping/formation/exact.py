"""The best answer to a tiny problem, found by trying every company of people that could sit together.

Invariant: what is found is no worse than any other answer in people placed, waiting days, diversity and pairs together. A branch is left
as soon as too few people remain in it to come up to the best that was found.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from operator import and_
from typing import Any

import numpy as np

from grouping.formation.bound import of_one_company
from grouping.formation.model import Person, Problem
from grouping.formation.pool import COLLEAGUES, Pool
from grouping.formation.scoring import mean_distances
from grouping.formation.seating import Seating, Table
from grouping.formation.tables import NOBODY, Tables, open_group, sit

PEOPLE = 12  # so many may stand at most
BRANCHES = 300_000  # are looked at; a problem that has more is left to the search

Cell = tuple[int, int, int]  # slot, place, facilitator
Rank = tuple[int, int, float, int, int]


@dataclass(frozen=True)
class Party:
    """People (bits) at a frozen group or at one of these cells. `worth`: their mean distances, summed, with those who sit there."""

    people: int
    group: int
    cells: tuple[Cell, ...]
    mixed: int
    worth: float
    together: int
    size: int


@dataclass
class Exact:
    """The search through everything."""

    problem: Problem
    pool: Pool
    made: Tables
    people: list[int]  # who stands and wants a seat
    days: list[int] = field(default_factory=list)
    best: Rank = (-1, 0, 0.0, 0, 0)
    chosen: list[Party] = field(default_factory=list)
    branches: int = 0

    def run(self) -> bool:
        """Seat everybody as well as can be; False when there are too many branches."""
        ranks = sorted({int(self.pool.waited[each]) for each in self.people})
        self.days = [(len(self.people) + 1) ** ranks.index(int(self.pool.waited[each])) for each in self.people]
        frozen, fresh = self._parties()
        self.fresh: list[list[Party]] = [[] for _ in self.people]
        for party in sorted(fresh, key=lambda each: -each.worth / each.size):
            self.fresh[(party.people & -party.people).bit_length() - 1].append(party)
        try:
            self._join(frozen, (1 << len(self.people)) - 1, [])
        except OverflowError:
            return False
        fresh = [party for party in self.chosen if party.group == NOBODY]
        cells = self._cells(fresh) or []
        closed = np.flatnonzero(self.made.slot < 0)
        for at, (party, cell) in enumerate(zip(fresh, cells, strict=True)):
            members = self._numbers(party.people)
            insists = any(self.pool.wish[each] == COLLEAGUES for each in members)
            kind = int(self.pool.company[members[0]]) if insists else NOBODY
            open_group(self.made, int(closed[at]), *cell, kind)
            self._seat(members, int(closed[at]))
        for party in self.chosen:
            if party.group != NOBODY:
                self._seat(self._numbers(party.people), party.group)
        return True

    def _join(self, frozen: Sequence[list[Party]], left: int, chosen: list[Party]) -> None:
        """First who joins the groups that meet, then who sits in new ones."""
        if not frozen:
            self._place(left, left, chosen)
            return
        for party in frozen[0]:
            if party.people & ~left == 0:
                self._join(frozen[1:], left & ~party.people, [*chosen, party])

    def _place(self, left: int, open_: int, chosen: list[Party]) -> None:
        """`left`: without a seat. `open_`: of these, whose turn has not come."""
        self.branches += 1
        if self.branches > BRANCHES:
            raise OverflowError
        if self._most(left & ~open_) < self.best[:2]:
            return
        if not open_:
            self._consider(left, chosen)
            return
        first = open_ & -open_
        for party in self.fresh[first.bit_length() - 1]:
            if party.people & ~open_ == 0:
                more = [*chosen, party]
                if self._cells(more) is not None:
                    self._place(left & ~party.people, open_ & ~party.people, more)
        self._place(left, open_ & ~first, chosen)

    def _most(self, standing: int) -> tuple[int, int]:
        seated = [day for at, day in enumerate(self.days) if not standing >> at & 1]
        return len(seated), sum(seated)

    def _consider(self, standing: int, chosen: list[Party]) -> None:
        mixed = sum(party.mixed for party in chosen)
        diversity = round(sum(party.worth for party in chosen) / mixed, 9) if mixed else 0.0
        together = sum(party.together for party in chosen)
        rank = (*self._most(standing), diversity, together, -sum(party.size**2 for party in chosen))
        if rank > self.best:
            self.best, self.chosen = rank, list(chosen)

    def _cells(self, parties: Sequence[Party]) -> list[Cell] | None:
        """A cell for each new party, so that rooms and facilitators are enough."""
        fresh = [party for party in parties if party.group == NOBODY]
        if len(fresh) + int((self.made.held == 1).sum()) > len(self.made.slot):
            return None
        return next(self._ways(fresh, []), None)

    def _ways(self, parties: Sequence[Party], taken: list[Cell]) -> Iterator[list[Cell]]:
        if not parties:
            yield taken
            return
        for slot, place, leader in parties[0].cells:
            rooms = self.made.used[slot, place] + sum(each[:2] == (slot, place) for each in taken)
            led = self.made.led[leader] + sum(each[2] == leader for each in taken)
            busy = self.made.busy[leader, slot] or any((each[0], each[2]) == (slot, leader) for each in taken)
            if rooms < self.pool.rooms[place] and led < self.pool.load[leader] and not busy:
                yield from self._ways(parties[1:], [*taken, (slot, place, leader)])

    def _seat(self, members: Iterable[int], group: int) -> None:
        for person in members:
            sit(self.made, person, group)

    def _numbers(self, bits: int) -> list[int]:
        return [each for at, each in enumerate(self.people) if bits >> at & 1]

    def _parties(self) -> tuple[list[list[Party]], list[Party]]:
        """Who could join each group that meets (nobody is one way), and who could make a new one."""
        seating = Seating(self.problem, random.Random(0))  # noqa: S311  # nothing is drawn
        frozen = [list(self._joined(seating, at, table)) for at, table in enumerate(seating.tables)]
        shape = np.nonzero(self._leads())
        cells = list(zip(*(axis.tolist() for axis in shape), strict=True))
        could = [self._bits(self.pool.free[each][shape[0]] & self.pool.reach[each][shape[1]]) for each in self.people]
        fresh = []
        for size in range(self.pool.least, min(self.pool.most, len(self.people)) + 1):
            for numbers in combinations(range(len(self.people)), size):
                common = reduce(and_, (could[each] for each in numbers))
                members = [self.problem.people[self.people[each]] for each in numbers]
                if common and not seating.faults(members):
                    own = tuple(cell for at, cell in enumerate(cells) if common >> at & 1)
                    fresh.append(self._party(members, numbers, NOBODY, own))
        return frozen, fresh

    def _leads(self) -> Any:
        """[slots, places, facilitators]: a room is there and they could lead."""
        led = (self.pool.leads * (self.pool.load > 0)[:, None]).T[:, None, :] * self.pool.goes.T[None, :, :]
        return led * (self.pool.rooms > 0)[None, :, None]

    def _bits(self, marks: Any) -> int:
        return sum(1 << at for at, mark in enumerate(marks.tolist()) if mark)

    def _joined(self, seating: Seating, group: int, table: Table) -> Iterator[Party]:
        slot, place = self.made.slot[group], self.made.place[group]
        can = [at for at, one in enumerate(self.people) if self.pool.free[one, slot] and self.pool.reach[one, place]]
        sitting = list(table.members.values())
        for more in range(max(0, self.pool.most - len(sitting)) + 1):
            for numbers in combinations(can, more):
                members = [*sitting, *(self.problem.people[self.people[each]] for each in numbers)]
                if not seating.wrong(table, members):
                    yield self._party(members, numbers, group, ())

    def _party(self, members: Sequence[Person], numbers: Sequence[int], group: int, cells: tuple[Cell, ...]) -> Party:
        mixed = 0 if of_one_company(members) else len(members)
        ids = {each.id for each in members}
        together = sum(one in ids and other in ids for one, other in self.problem.together)
        worth = mean_distances(self.problem, members) if mixed else 0.0
        return Party(sum(1 << each for each in numbers), group, cells, mixed, worth, together, len(members))
