"""The last repair of what the loops left: faults are mended one by one, and a person who stays a fault goes back to waiting.

Invariant: afterwards no group breaks a rule that it did not inherit, and none is too small that did not begin so.
"""

import random

import numpy as np

from grouping.formation import mending, moving
from grouping.formation.budget import Budget
from grouping.formation.model import Problem
from grouping.formation.pool import OTHERS, Pool
from grouping.formation.seating import Seating, Table
from grouping.formation.tables import NOBODY, Tables, close_group, rise, sit

PATIENCE = 30_000  # people times groups, up to which chains are searched person by person


def needed(pool: Pool, made: Tables, faults: int) -> bool:
    """True when there is a fault, or when a standing person might be seated by a chain that keeps every rule."""
    standing = bool(((made.seat < 0) & (pool.waits == 1)).any())
    return bool(faults) or bool((pool.wish == OTHERS).any()) or (standing and _small(made))


def _small(made: Tables) -> bool:
    return len(made.seat) * len(made.slot) <= PATIENCE


def mended(problem: Problem, pool: Pool, made: Tables, seed: int, limit: Budget) -> None:
    """Mend the faults, clear those that remain, and seat standing people with regard to every rule."""
    seating, groups = _seating(problem, pool, made, seed)
    small = _small(made)
    for _ in range(2 if small else 1):
        mending.mend(seating, lambda: not small and limit.part() >= 1)
        mending.clear(seating)
        if small:
            for person in sorted(seating.waiting.values(), key=lambda each: -each.waiting_days):
                moving.seat(seating, person)
            _longest_waiting_first(seating)
    _write_back(problem, made, seating, groups)


def _longest_waiting_first(seating: Seating) -> None:
    """Let those who wait displace people who waited less. A displaced person waited less than the one who displaced them, so it ends."""
    waiting = sorted(seating.waiting.values(), key=lambda each: -each.waiting_days)
    while waiting:
        if moving.displace(seating, waiting.pop(0)):
            waiting = sorted(seating.waiting.values(), key=lambda each: -each.waiting_days)


def _seating(problem: Problem, pool: Pool, made: Tables, seed: int) -> tuple[Seating, dict[int, Table]]:
    seating = Seating(problem, random.Random(seed))  # noqa: S311  # ties, not secrets
    groups = dict(enumerate(seating.tables))
    companies = {int(number): problem.people[at].company for at, number in enumerate(pool.company)}
    for at in map(int, np.flatnonzero(made.slot >= 0)):
        if at not in groups:
            place, leader = problem.places[made.place[at]], problem.facilitators[made.leader[at]]
            company = companies[int(made.kind[at])] if made.kind[at] != NOBODY else None
            groups[at] = Table(problem.slots[made.slot[at]], place, leader, company)
            seating.tables.append(groups[at])
        for one in made.members[at, : made.size[at]]:
            person = problem.people[one]
            groups[at].members[person.id] = person
            seating.waiting.pop(person.id, None)
    return seating, groups


def _write_back(problem: Problem, made: Tables, seating: Seating, groups: dict[int, Table]) -> None:
    number = {each.id: at for at, each in enumerate(problem.people)}
    kept = {id(table) for table in seating.tables}
    for at, table in groups.items():
        for one in list(made.members[at, : made.size[at]]):
            rise(made, int(one))
        if id(table) not in kept:
            close_group(made, at)
    for at, table in groups.items():
        if id(table) in kept:
            for name in table.members:
                sit(made, number[name], at)
