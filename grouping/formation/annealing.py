"""Who sits with whom: exchanges and moves between groups, cooled down, on sums per group instead of distances per pair.

For each group and column `field` holds the sum of the members' distances to somebody in that column, so a person's distance to a whole
group is a sum over their attributes, whatever the size. Two who must be apart and one who is alone of their kind are penalised, more and
more; the search ends with a descent in which such a fault costs more than any distance. Invariant: `field`, `count` and `sum` tell what
the members' columns tell; nobody is seated where `fits` says no, nobody placed is sent away but for somebody who waited as long or longer.

Past 300 lines, since what a move is worth and what it changes must be read together: one that counts otherwise than the other breaks it.

Simulated annealing on exchanges: Kirkpatrick et al. 1983; for maximally diverse groups the neighbourhood is that of Gallego et al. 2013.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, draw
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool
from grouping.formation.tables import NOBODY, Tables, rise, sit

PAIR = 1e-4  # what a wanted pair is worth: less than any exchange of different people changes, so ties alone are decided by it
EVEN = 1e-6  # what a square of a size costs
KM = 1e-9  # what a kilometre costs
SLACK = 1e-2  # more than pairs and kilometres make of one exchange
STANDS = 8.0  # what a seat is worth, in largest distances: more than any company can be


class Company(NamedTuple):
    """What a group's members are to each other."""

    field: Any  # [g, c]
    count: Any  # [g, c]
    sum: Any  # [g] distances of all ordered pairs
    weigh: Any  # [g, most + 1] what of the sum counts at this size: 1 / (size - 1), nothing among colleagues alone
    faults: Any  # [1] how many there are
    can: Any  # [n, g] who fits where
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
    everywhere = np.zeros((len(can), len(tables.slot)), np.uint8)
    everywhere[:, open_] = can
    shares = np.array([0, 0, *(1 / n for n in range(1, tables.members.shape[1]))])[: tables.members.shape[1] + 1]
    made = Company(
        field=np.zeros((len(tables.slot), pool.row.shape[1])),
        count=np.zeros((len(tables.slot), pool.row.shape[1]), np.int64),
        sum=np.zeros(len(tables.slot)),
        weigh=np.where(tables.kind[:, None] < 0, shares[None, :], 0.0),
        faults=np.zeros(1, np.int64),
        can=everywhere,
        first=first,
        groups=open_[np.nonzero(can)[1]],
        movers=movers,
        far=np.array([pool.far]),
        dice=dice,
    )
    for group in open_:
        members = tables.members[group, : tables.size[group]]
        made.field[group] = pool.row[members].sum(0)
        np.add.at(made.count[group], pool.column[members].ravel(), 1)
        made.sum[group] = made.field[group][pool.column[members]].sum() - pool.own[members].sum()
    made.faults[0] = faults(pool, tables, made)
    return made


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
def _alone(column: Any, lone: Any, count: Any, group: int, goes: int, comes: int) -> int:
    """How many more are alone of their kind when one goes and one comes (-1: nobody)."""
    change = 0
    for a in range(column.shape[1]):
        off = column[goes, a] if goes >= 0 else NOBODY
        on = column[comes, a] if comes >= 0 else NOBODY
        if off == on:
            continue
        if off >= 0 and lone[off]:
            number = count[group, off]
            change += (number == 2) - (number == 1)
        if on >= 0 and lone[on]:
            number = count[group, on]
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
    change = _alone(pool.column, pool.lone, now.count, group, goes, comes)
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
    worth: float = after * now.weigh[group, then] - now.sum[group] * now.weigh[group, size]
    return float(worth + EVEN * (size * size - then * then) + _wishes(pool, tables, goes, comes, group))


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
def anneal(  # noqa: PLR0915  # one loop, on arrays by name
    pool: Pool, tables: Tables, now: Company, steps: int, warmth: float, penalty: float
) -> int:
    """So many steps at one temperature (0: only what is better or as good); how many were kept.

    Exchanges of two are decided here, on arrays that are taken out of the tuples once: taking them out at each step costs ten times what
    is done with them.
    """
    seat, members, size, high, stays = tables.seat, tables.members, tables.size, tables.high, tables.stays
    dice, movers, first, groups, can, faults = now.dice, now.movers, now.first, now.groups, now.can, now.faults
    field, count, weigh, column, row, own = now.field, now.count, now.weigh, pool.column, pool.row, pool.own
    apart_first, apart, lone, km, place, spots = (
        pool.apart_first,
        pool.apart,
        pool.lone,
        pool.km,
        tables.place,
        tables.spot,
    )
    together_first, together, sums = pool.together_first, pool.together, now.sum
    kept = 0
    for _ in range(steps if len(movers) else 0):
        one = movers[draw(dice, len(movers))]
        at = first[one]
        group = groups[at + draw(dice, first[one + 1] - at)]
        home = seat[one]
        if group == home:
            continue
        spot = draw(dice, high[group])
        if home < 0 or spot >= size[group]:
            kept += _try_else(pool, tables, now, one, group, spot, warmth, penalty)
            continue
        other = members[group, spot]
        if stays[other] or not can[other, home]:
            continue
        here = _far(field, column, row, own, one, other, home)
        there = _far(field, column, row, own, other, one, group)
        gain = here * weigh[home, size[home]] + there * weigh[group, size[group]]
        if gain < -14 * warmth - penalty * min(4, faults[0]) - SLACK:
            continue
        more = _pairs(apart_first, apart, seat, one, group, other) - _pairs(apart_first, apart, seat, one, home, other)
        more += _pairs(apart_first, apart, seat, other, home, one) - _pairs(apart_first, apart, seat, other, group, one)
        more += _alone(column, lone, count, home, one, other) + _alone(column, lone, count, group, other, one)
        gain -= penalty * more
        if gain < -14 * warmth - SLACK:
            continue
        pairs = _pairs(together_first, together, seat, one, group, other)
        pairs += _pairs(together_first, together, seat, other, home, one)
        pairs -= _pairs(together_first, together, seat, one, home, other)
        pairs -= _pairs(together_first, together, seat, other, group, one)
        gain += PAIR * pairs
        gain -= KM * (km[one, place[group]] + km[other, place[home]] - km[one, place[home]] - km[other, place[group]])
        if gain < 1e-12 and gain < -_bar(dice, warmth):
            continue
        faults[0] += more
        sums[home] += here
        sums[group] += there
        _swap(field, count, row, column, home, one, other)
        _swap(field, count, row, column, group, other, one)
        members[home, spots[one]], members[group, spot] = other, one
        spots[other], spots[one] = spots[one], spot
        seat[one], seat[other] = group, home
        kept += 1
    return kept


@compiled
def _bar(dice: Any, warmth: float) -> float:
    """By how much a step may be worse."""
    if warmth <= 0.0:
        return 1e-12
    return float(-warmth * math.log((draw(dice, 1 << 30) + 1) / (1 << 30)))


@compiled
def _swap(field: Any, count: Any, row: Any, column: Any, group: int, goes: int, comes: int) -> None:
    """Count one out and another in."""
    for at in range(row.shape[1]):
        field[group, at] += row[comes, at] - row[goes, at]
    for a in range(column.shape[1]):
        count[group, column[goes, a]] -= 1
        count[group, column[comes, a]] += 1


@compiled
def _try_else(
    pool: Pool, tables: Tables, now: Company, one: int, group: int, spot: int, warmth: float, penalty: float
) -> bool:
    """What is no exchange of two who sit: one who stands sits down, or somebody takes an empty seat."""
    home, bar = tables.seat[one], _bar(now.dice, warmth)
    if home < 0:
        other = tables.members[group, spot] if spot < tables.size[group] else NOBODY
        return _seat(pool, tables, now, one, other, group, bar, penalty)
    return tables.size[home] > tables.low[home] and _move(pool, tables, now, one, group, bar, penalty)


@compiled
def _far(field: Any, column: Any, row: Any, own: Any, goes: int, comes: int, group: int) -> float:
    """How much more the distances within the group sum to, both ways, when one goes and another comes."""
    half: float = own[goes]
    for a in range(column.shape[1]):
        on = column[comes, a]
        half += field[group, on] - field[group, column[goes, a]] - row[goes, on]
    return float(2 * half)


@compiled
def _move(pool: Pool, tables: Tables, now: Company, one: int, group: int, bar: float, penalty: float) -> bool:
    """One takes an empty seat in the group, unless that is worse by more than the bar."""
    home = tables.seat[one]
    here, there = _sum_after(pool, now, one, NOBODY, home), _sum_after(pool, now, NOBODY, one, group)
    gain = _gain(pool, tables, now, one, NOBODY, home, here) + _gain(pool, tables, now, NOBODY, one, group, there)
    more = _faults(pool, tables, now, one, NOBODY, home) + _faults(pool, tables, now, NOBODY, one, group)
    if gain - penalty * more < -bar:
        return False
    now.faults[0] += more
    _take(pool, tables, now, one, here)
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
    more = _faults(pool, tables, now, other, one, group)
    if gain - penalty * more < -bar:
        return False
    now.faults[0] += more
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
            total += now.sum[group] * now.weigh[group, tables.size[group]]
    return total
