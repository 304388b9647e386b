"""The best answer for few standing people: a search over all ways to divide them into parties that could sit together (branch and bound).

Invariant: a proven result is no worse than any other answer in people placed, waiting days, diversity, pairs together and sizes. A branch
is left only when its result plus the promise for those without a seat is no better than the best result that was found.

People among colleagues alone do not count for diversity, so diversity is a ratio. The search maximises its sum less the best ratio so far
for everybody who counts, until nothing better is found (Dinkelbach 1967).
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, inner
from grouping.formation.parties import Parties, few, parties
from grouping.formation.pool import COLLEAGUES, Pool
from grouping.formation.promise import DAYS, EQUAL, MINOR, WORTH, Layers, better, layers, promised, steps
from grouping.formation.rooms import Rooms, cells, enough, given, rooms
from grouping.formation.tables import NOBODY, Tables, open_group, sit

PEOPLE = 20  # standing people at most
SETS = 2_000_000  # at most: sets of people, and rows of the table of promises
MARKS = 50_000_000  # at most: pairs of a party and a cell
STEPS = 150_000_000  # at most, for the table of promises
ENOUGH = 5.0  # seconds for which these limits are meant; with fewer they shrink in proportion
BRANCHES = 3_000_000  # at most; a search that reaches it proves nothing
NO_MORE = -2  # no branch is left
MIXED = 3  # index of a sum, beside days, worth and minor


class Path(NamedTuple):
    """The decisions of the current branch, one row a step; and for each layer that was passed, the party that sits there."""

    layer: Any
    open: Any  # set of the people not decided yet
    sum: Any  # [4] days, worth, minor, and the number of people for whom the worth counts
    next: Any  # the next branch
    turn: Any  # 0: branches that reach the promise; 1: the others
    taken: Any  # [layers] party
    shape: Any  # of the new parties


def exact(pool: Pool, made: Tables, seconds: float | None = None) -> bool | None:
    """Seat the people as well as possible; True when that is proven. None, and nobody is seated, when the problem is too large."""
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
    """The parties of the best answer, those of groups that meet first; True when it is proven to be the best."""
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
    """The diversity that these sums give."""
    return float(sums[WORTH] / sums[MIXED]) if sums[MIXED] else 0.0


@compiled
def _branched(
    found: Parties, plan: Layers, promise: Any, left: Rooms, path: Path, best: Any, chosen: Any, most: int
) -> bool:
    """Look at all branches that promise more than the best; write it to `best` and `chosen`. False when the limit was reached."""
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


@inner
def _branch(found: Parties, plan: Layers, promise: Any, left: Rooms, path: Path, depth: int, best: Any) -> int:
    """The next party to seat that promises more than the best. NOBODY: the lowest person waits on. NO_MORE: none is left."""
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


@inner
def _finds_rooms(found: Parties, plan: Layers, left: Rooms, path: Path, layer: int, party: int) -> bool:
    """True when the party finds a room beside the new parties before it."""
    path.shape[layer - plan.held] = left.shape[party - found.first[plan.held]]
    return enough(left, path.shape, layer - plan.held + 1)


@inner
def _step(found: Parties, plan: Layers, path: Path, depth: int, party: int) -> None:
    """Append the decision for this party to the path."""
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


@inner
def _consider(path: Path, depth: int, best: Any, chosen: Any) -> None:
    """Keep a complete path if it is the best so far."""
    sums = path.sum[depth]
    if better(sums[DAYS], _ratio(sums), sums[MINOR], best[DAYS], _ratio(best), best[MINOR]):
        best[:], chosen[:] = sums, NOBODY
        for layer in range(path.layer[depth]):
            chosen[layer] = path.taken[layer]


def _seat(pool: Pool, made: Tables, people: Any, found: Parties, chosen: Any, left: Rooms) -> None:
    """Seat the chosen parties, and open the new groups where there is room for all of them."""
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
