"""The best answer where few people stand: every way to put them into parties that could sit together, but for those of too little promise.

Invariant: what is proven is no worse than any other answer in people placed, waiting days, diversity, pairs together and sizes; a branch is
left only when what it has and what is promised to those without a seat is no better than the best that was found.

People among colleagues alone do not count for diversity, so it is a ratio: its sum is compared less the best ratio so far for everybody who
counts, until nothing better is found (Dinkelbach 1967).
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled
from grouping.formation.parties import Parties, few, parties
from grouping.formation.pool import COLLEAGUES, Pool
from grouping.formation.promise import DAYS, EQUAL, MINOR, WORTH, Layers, better, layers, promised, steps
from grouping.formation.rooms import Rooms, cells, enough, given, rooms
from grouping.formation.tables import NOBODY, Tables, open_group, sit

PEOPLE = 20  # so many may stand at most
SETS = 2_000_000  # of people looked at, and rows of the table of promises
MARKS = 50_000_000  # where parties could meet
STEPS = 150_000_000  # to the table of promises
ENOUGH = 5.0  # seconds in which that is done; with fewer, less is looked at
BRANCHES = 3_000_000  # are looked at; what was found by then is not proven
NO_MORE = -2  # branches
MIXED = 3  # beside days, worth and minor


class Path(NamedTuple):
    """What was decided, step by step, one row each; and of each layer that was passed, who sits there."""

    layer: Any
    open: Any  # set of those whose turn has not come
    sum: Any  # [4] days, worth, minor, and for how many the worth counts
    next: Any  # which branch is looked at next
    turn: Any  # 0: branches that keep what was promised; 1: the others
    taken: Any  # party of the layer
    shape: Any  # of the new ones


def exact(pool: Pool, made: Tables, seconds: float | None = None) -> bool | None:
    """Seat everybody as well as can be: whether that is proven. None, and nobody is seated, where there is too much to look at."""
    part = min(1.0, seconds / ENOUGH) if seconds else 1.0
    people, meet = np.flatnonzero(pool.waits == 1), cells(pool, made)
    among = few(pool, made, people, meet) if len(people) <= PEOPLE else None
    if among is None or sum(2 ** int(each).bit_count() for each in among.can) > SETS:
        return None
    found = parties(among)
    plan = layers(pool, made, people, found)
    if found.there.size > MARKS or plan.all << len(people) > SETS or steps(found, plan, len(people)) > part * STEPS:
        return None
    left = rooms(pool, made, found, meet)
    chosen, proven = _best(found, plan, left, int(part * BRANCHES))
    _seat(pool, made, people, found, chosen, left)
    return proven


def _best(found: Parties, plan: Layers, left: Rooms, most: int) -> tuple[Any, bool]:
    """The parties of the best answer, those of groups that meet first; and whether it is known to be the best."""
    best, chosen = np.array([-1.0, 0.0, 0.0, 0.0]), np.full(plan.all, NOBODY, np.int64)
    path = _path(plan)
    ratios = bool((found.mixed == 0).any())
    while True:
        before = _ratio(best)
        whole = bool(_branched(found, plan, promised(found, plan), left, path, best, chosen, most))
        if not ratios or not whole or _ratio(best) <= before + EQUAL:
            return chosen[chosen != NOBODY], whole and not left.unsure[0]
        plan = plan._replace(taken=float(_ratio(best)))


def _path(plan: Layers) -> Path:
    steps = plan.all + len(plan.start) + 1
    rows = [np.zeros(shape, np.int64) for shape in (steps, steps, steps, steps, plan.all, plan.all + 1)]
    return Path(rows[0], rows[1], np.zeros((steps, 4)), *rows[2:])


@compiled
def _ratio(sums: Any) -> float:
    """The diversity that these sums come to."""
    return float(sums[WORTH] / sums[MIXED]) if sums[MIXED] else 0.0


@compiled
def _branched(
    found: Parties, plan: Layers, promise: Any, left: Rooms, path: Path, best: Any, chosen: Any, most: int
) -> bool:
    """Whether all branches were looked at that promise more than the best, which `best` and `chosen` tell in the end."""
    depth, branches = 0, 0
    path.layer[0], path.open[0], path.next[0], path.turn[0] = 0, len(plan.days) - 1, 0, 0
    while depth >= 0 and branches < most:
        branches += 1
        if path.layer[depth] == plan.all or (path.open[depth] == 0 and path.layer[depth] >= plan.held):
            _consider(path, depth, best, chosen)
            depth -= 1
            continue
        party = _branch(found, plan, promise, left, path, depth, best)
        if party != NO_MORE:
            _step(found, plan, path, depth, party)
        depth += 1 if party != NO_MORE else -1
    return depth < 0


@compiled
def _branch(found: Parties, plan: Layers, promise: Any, left: Rooms, path: Path, depth: int, best: Any) -> int:
    """The next party to be seated, or that the lowest person waits on, of all that promise more than the best."""
    layer, open_, sums = path.layer[depth], path.open[depth], path.sum[depth]
    new, lowest, person = layer >= plan.held, open_ & -open_, 0
    while new and lowest >> person > 1:
        person += 1
    begin, end = (plan.start[person], plan.start[person + 1]) if new else (found.first[layer], found.first[layer + 1])
    had, whole = sums[WORTH] - plan.taken * sums[MIXED], promise[layer, open_]
    bar = best[WORTH] - plan.taken * best[MIXED]
    while path.turn[depth] < 2:
        at = begin + path.next[depth]
        path.next[depth] += 1
        if at >= end + new:
            path.turn[depth], path.next[depth] = path.turn[depth] + 1, 0
            continue
        waits = at == end
        people = lowest if waits else found.people[at]
        if people & ~open_:
            continue
        then = promise[layer + (not waits), open_ & ~people]
        days, worth, minor = sums[DAYS] + then[DAYS], had + then[WORTH], sums[MINOR] + then[MINOR]
        if not waits:
            days, minor = days + plan.days[people], minor + found.minor[at]
            worth += found.worth[at] - plan.taken * found.mixed[at]
        kept = not better(sums[DAYS] + whole[DAYS], had + whole[WORTH], sums[MINOR] + whole[MINOR], days, worth, minor)
        if kept != (path.turn[depth] == 0) or not better(days, worth, minor, best[DAYS], bar, best[MINOR]):
            continue
        if waits:
            return NOBODY
        if not new or _finds_rooms(found, plan, left, path, layer, at):
            return int(at)
    return NO_MORE


@compiled
def _finds_rooms(found: Parties, plan: Layers, left: Rooms, path: Path, layer: int, party: int) -> bool:
    """Beside the new parties before it."""
    path.shape[layer - plan.held] = left.shape[party - found.first[plan.held]]
    return enough(left, path.shape, layer - plan.held + 1)


@compiled
def _step(found: Parties, plan: Layers, path: Path, depth: int, party: int) -> None:
    """One row more."""
    layer, open_, then = path.layer[depth], path.open[depth], depth + 1
    path.sum[then], path.next[then], path.turn[then] = path.sum[depth], 0, 0
    if party == NOBODY:
        path.layer[then], path.open[then] = layer, open_ & (open_ - 1)
        return
    people = found.people[party]
    path.layer[then], path.open[then], path.taken[layer] = layer + 1, open_ & ~people, party
    path.sum[then, DAYS] += plan.days[people]
    path.sum[then, WORTH] += found.worth[party]
    path.sum[then, MINOR] += found.minor[party]
    path.sum[then, MIXED] += found.mixed[party]


@compiled
def _consider(path: Path, depth: int, best: Any, chosen: Any) -> None:
    """Everybody has had their turn: keep it if it is the best."""
    sums = path.sum[depth]
    if better(sums[DAYS], _ratio(sums), sums[MINOR], best[DAYS], _ratio(best), best[MINOR]):
        best[:], chosen[:] = sums, NOBODY
        for layer in range(path.layer[depth]):
            chosen[layer] = path.taken[layer]


def _seat(pool: Pool, made: Tables, people: Any, found: Parties, chosen: Any, left: Rooms) -> None:
    """As was chosen; new groups where there is room for all of them."""
    held, new = np.flatnonzero(made.held == 1), chosen[chosen >= found.first[-2]]
    teams = [people[[bool(int(found.people[each]) >> at & 1) for at in range(len(people))]] for each in chosen]
    fresh = teams[len(teams) - len(new) :]
    shapes = left.shape[new - found.first[-2]]
    km = np.array([pool.km[team][:, left.cell[:, 1]].sum(0) for team in fresh]).reshape(len(new), len(left.cell))
    closed = np.flatnonzero(made.slot < 0)[: len(new)]
    for group, cell, team in zip(closed, given(left, shapes, km), fresh, strict=True):
        insists = (pool.wish[team] == COLLEAGUES).any()
        open_group(made, int(group), *cell, int(pool.company[team[0]]) if insists else NOBODY)
    for group, team in zip([*held, *closed], teams, strict=True):
        for person in team:
            sit(made, int(person), int(group))
