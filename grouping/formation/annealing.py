"""Who sits with whom: exchanges and moves between groups, cooled down, on sums per group instead of distances per pair.

For each group and column `field` holds the sum of the members' distances to somebody in that column, so a person's distance to a whole
group is a sum over their attributes, whatever the size. Two who must be apart and one who is alone of their kind are penalised, more and
more; the search ends with a descent in which such a fault costs more than any distance. Invariant: `field`, `count` and `sum` tell what
the members' columns tell; nobody is seated where `fits` says no, nobody placed is sent away but for somebody who waited as long or longer.

Simulated annealing on exchanges: Kirkpatrick et al. 1983; for maximally diverse groups the neighbourhood is that of Gallego et al. 2013.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, draw
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool
from grouping.formation.tables import NOBODY, Tables, fits, rise, sit

PAIR = 1e-4  # what a wanted pair is worth: less than any exchange of different people changes, so ties alone are decided by it
EVEN = 1e-6  # what a square of a size costs
KM = 1e-9  # what a kilometre costs
STANDS = 8.0  # what a seat is worth, in largest distances: more than any company can be


class Company(NamedTuple):
    """What a group's members are to each other."""

    field: Any  # [g, c]
    count: Any  # [g, c]
    sum: Any  # [g] distances of all ordered pairs
    share: Any  # [most + 1] of the sum that counts at this size: 1 / (size - 1)
    first: Any  # [n + 1]
    groups: Any  # where each person fits, in compressed rows
    movers: Any  # whoever may move
    far: Any  # [1] the largest distance there could be
    dice: Any


def company(pool: Pool, tables: Tables, dice: Any) -> Company:
    """Counted anew from who sits where."""
    open_ = np.flatnonzero(tables.slot >= 0)
    slot, place, kind = tables.slot[open_], tables.place[open_], tables.kind[open_]
    can = (pool.free[:, slot] & pool.reach[:, place]).astype(bool)
    own = (pool.company[:, None] == kind[None, :]) & (pool.wish != OTHERS)[:, None]
    can &= np.where(kind[None, :] >= 0, own, (pool.wish != COLLEAGUES)[:, None])
    movers = np.flatnonzero((tables.stays == 0) & ((pool.waits == 1) | (tables.seat >= 0)) & can.any(1))
    first = np.zeros(len(can) + 1, np.int64)
    first[1:] = np.cumsum(can.sum(1))
    made = Company(
        field=np.zeros((len(tables.slot), pool.row.shape[1])),
        count=np.zeros((len(tables.slot), pool.row.shape[1]), np.int64),
        sum=np.zeros(len(tables.slot)),
        share=np.array(
            [0, 0, *(1 / n for n in range(1, tables.members.shape[1]))][: tables.members.shape[1] + 1], float
        ),
        first=first,
        groups=open_[np.nonzero(can)[1]],
        movers=movers,
        far=np.array([pool.row.max(axis=0, initial=0).sum() if len(pool.row) else 0.0]),
        dice=dice,
    )
    for group in open_:
        members = tables.members[group, : tables.size[group]]
        made.field[group] = pool.row[members].sum(0)
        np.add.at(made.count[group], pool.column[members].ravel(), 1)
        made.sum[group] = made.field[group][pool.column[members]].sum() - pool.own[members].sum()
    return made


@compiled
def _weight(tables: Tables, now: Company, group: int, size: int) -> float:
    return now.share[size] if tables.kind[group] < 0 else 0.0


@compiled
def _toward(pool: Pool, now: Company, person: int, group: int) -> float:
    """The person's distances to the members, summed; their own to themselves counts along when they are one."""
    total = 0.0
    for a in range(pool.column.shape[1]):
        total += now.field[group, pool.column[person, a]]
    return total


@compiled
def _between(pool: Pool, one: int, other: int) -> float:
    total = 0.0
    for a in range(pool.column.shape[1]):
        total += pool.row[one, pool.column[other, a]]
    return total


@compiled
def _pairs(first: Any, mates: Any, seat: Any, person: int, group: int, but: int) -> int:
    """How many of their mates sit in the group, not counting one."""
    count = 0
    for at in range(first[person], first[person + 1]):
        count += seat[mates[at]] == group and mates[at] != but
    return count


@compiled
def _alone(pool: Pool, now: Company, group: int, goes: int, comes: int) -> int:
    """How many more are alone of their kind when one goes and one comes (-1: nobody)."""
    change = 0
    for a in range(pool.column.shape[1]):
        off = pool.column[goes, a] if goes >= 0 else -1
        on = pool.column[comes, a] if comes >= 0 else -1
        if off == on:
            continue
        if off >= 0 and pool.lone[off]:
            number = now.count[group, off]
            change += (number == 2) - (number == 1)
        if on >= 0 and pool.lone[on]:
            number = now.count[group, on]
            change += (number == 0) - (number == 1)
    return change


@compiled
def _change(pool: Pool, now: Company, group: int, person: int, sign: int) -> None:
    """Count one in or out."""
    for column in range(pool.row.shape[1]):
        now.field[group, column] += sign * pool.row[person, column]
    for a in range(pool.column.shape[1]):
        now.count[group, pool.column[person, a]] += sign


@compiled
def _faults(pool: Pool, tables: Tables, now: Company, goes: int, comes: int, group: int) -> int:
    """How many more faults a group has when one goes and one comes (-1: nobody)."""
    change = _alone(pool, now, group, goes, comes)
    if comes >= 0:
        change += _pairs(pool.apart_first, pool.apart, tables.seat, comes, group, goes)
    if goes >= 0:
        change -= _pairs(pool.apart_first, pool.apart, tables.seat, goes, group, comes)
    return change


@compiled
def _wishes(pool: Pool, tables: Tables, goes: int, comes: int, group: int) -> float:
    """How much more a group is worth by wanted pairs and kilometres."""
    worth = 0.0
    place = tables.place[group]
    if comes >= 0:
        worth += PAIR * _pairs(pool.together_first, pool.together, tables.seat, comes, group, goes)
        worth -= KM * pool.km[comes, place]
    if goes >= 0:
        worth -= PAIR * _pairs(pool.together_first, pool.together, tables.seat, goes, group, comes)
        worth += KM * pool.km[goes, place]
    return worth


@compiled
def _sum_after(pool: Pool, now: Company, goes: int, comes: int, group: int) -> float:
    """The distances of all ordered pairs of a group when one has gone and one has come (-1: nobody)."""
    half = 0.0
    if goes >= 0:
        half -= _toward(pool, now, goes, group) - pool.own[goes]
    if comes >= 0:
        half += _toward(pool, now, comes, group)
        if goes >= 0:
            half -= _between(pool, goes, comes)
    return float(now.sum[group] + 2 * half)


@compiled
def _gain(pool: Pool, tables: Tables, now: Company, goes: int, comes: int, group: int, after: float) -> float:
    """How much more a group is worth, without its faults."""
    size = tables.size[group]
    then = size + (comes >= 0) - (goes >= 0)
    worth = after * _weight(tables, now, group, then) - now.sum[group] * _weight(tables, now, group, size)
    return worth + EVEN * (size * size - then * then) + _wishes(pool, tables, goes, comes, group)


@compiled
def _put(pool: Pool, tables: Tables, now: Company, person: int, group: int, after: float) -> None:
    sit(tables, person, group)
    _change(pool, now, group, person, 1)
    now.sum[group] = after


@compiled
def _take(pool: Pool, tables: Tables, now: Company, person: int, after: float) -> None:
    group = tables.seat[person]
    rise(tables, person)
    _change(pool, now, group, person, -1)
    now.sum[group] = after


@compiled
def anneal(pool: Pool, tables: Tables, now: Company, steps: int, warmth: float, penalty: float) -> int:
    """So many steps at one temperature (0: only what is better or as good); how many were kept."""
    kept = 0
    if len(now.movers) == 0:
        return 0
    for _ in range(steps):
        one = now.movers[draw(now.dice, len(now.movers))]
        at = now.first[one]
        group = now.groups[at + draw(now.dice, now.first[one + 1] - at)]
        home = tables.seat[one]
        if group == home:
            continue
        spot = draw(now.dice, tables.high[group])
        other = tables.members[group, spot] if spot < tables.size[group] else NOBODY
        bar = 1e-12
        if warmth > 0.0:
            bar = -warmth * math.log((draw(now.dice, 1 << 30) + 1) / (1 << 30))
        if home < 0:
            kept += _seat(pool, tables, now, one, other, group, bar, penalty)
        elif other < 0:
            kept += tables.size[home] > tables.low[home] and _exchange(
                pool, tables, now, one, other, group, bar, penalty
            )
        elif not tables.stays[other] and fits(pool, tables, other, home):
            kept += _exchange(pool, tables, now, one, other, group, bar, penalty)
    return kept


@compiled
def _exchange(
    pool: Pool, tables: Tables, now: Company, one: int, other: int, group: int, bar: float, penalty: float
) -> bool:
    """One sits in the group, and the other, if any, where one sat; unless that is worse by more than the bar."""
    home = tables.seat[one]
    here, there = _sum_after(pool, now, one, other, home), _sum_after(pool, now, other, one, group)
    gain = _gain(pool, tables, now, one, other, home, here) + _gain(pool, tables, now, other, one, group, there)
    if gain < -bar - penalty * 4:
        return False
    faults = _faults(pool, tables, now, one, other, home) + _faults(pool, tables, now, other, one, group)
    if gain - penalty * faults < -bar:
        return False
    _take(pool, tables, now, one, here)
    if other >= 0:
        _take(pool, tables, now, other, there)
        _put(pool, tables, now, other, home, here)
    _put(pool, tables, now, one, group, there)
    return True


@compiled
def _seat(
    pool: Pool, tables: Tables, now: Company, one: int, other: int, group: int, bar: float, penalty: float
) -> bool:
    """Who stands sits down, in an empty seat or that of somebody who waited no longer; the latter stands then."""
    longer = 0.0
    if other < 0:
        longer = STANDS * now.far[0] + 1
    elif tables.stays[other] or pool.waited[other] > pool.waited[one]:
        return False
    elif pool.waited[other] < pool.waited[one]:
        longer = STANDS * now.far[0] + 1
    after = _sum_after(pool, now, other, one, group)
    gain = longer + _gain(pool, tables, now, other, one, group, after)
    if gain - penalty * _faults(pool, tables, now, other, one, group) < -bar:
        return False
    if other >= 0:
        _take(pool, tables, now, other, after)
    _put(pool, tables, now, one, group, after)
    return True


@compiled
def faults(pool: Pool, tables: Tables, now: Company) -> int:
    """Pairs that must be apart and are not, and those who are alone of their kind."""
    found = 0
    for person in range(len(tables.seat)):
        group = tables.seat[person]
        if group >= 0:
            found += _pairs(pool.apart_first, pool.apart, tables.seat, person, group, NOBODY)
    found //= 2
    for group in range(len(tables.slot)):
        for column in range(len(pool.lone)):
            found += pool.lone[column] and now.count[group, column] == 1
    return found


@compiled
def value(tables: Tables, now: Company) -> float:
    """The sum of the mean distances of all who sit in mixed groups."""
    total = 0.0
    for group in range(len(tables.slot)):
        if tables.slot[group] >= 0:
            total += now.sum[group] * _weight(tables, now, group, tables.size[group])
    return total
