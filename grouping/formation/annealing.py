"""Simulated annealing of the members of groups: exchanges and moves between groups at a falling temperature.

For each group and column `field` holds the sum of the members' distances to a person in that column. So the distance of a person to a
whole group is a sum over their attributes, whatever the size. Two people who must be apart and a person who is alone of their kind are
faults, penalised more and more. The search ends with a descent in which a fault costs more than any distance. After a repair the sums are
`strict`: a step that breaks a rule is not made, whatever it would gain.

Invariants: `field`, `count` and `sum` agree with the members' columns. Nobody is seated where `fits` is False. A placed person loses
their seat only to a person who waited as long or longer. With strict sums, groups that keep every rule keep it after each step.

The module has over 300 lines, since the worth of a move and its effect on the sums must be read together: they must count alike. The
compiled loops also read the same arrays.

Sources: simulated annealing on exchanges, Kirkpatrick et al. 1983; for maximally diverse groups the neighbourhood of Gallego et al. 2013.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, draw, inner
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool, in_one_order
from grouping.formation.tables import NOBODY, Tables, rise, sit

PAIR = 1e-4  # worth of a wanted pair: less than any exchange of different people changes, so it decides ties alone
EVEN = 1e-6  # cost of the square of a size
KM = 1e-9  # cost of a kilometre
SLACK = 1e-2  # more than pairs and kilometres change by one exchange
UNSEEN = -2  # the company of a group before the first member was looked at
STANDS = 8.0  # worth of a seat, in largest distances: more than any change of the members


class Totals(NamedTuple):
    """Sums over the members of each group, and the moves that are possible. g groups, c columns, n people."""

    field: Any  # [g, c]
    count: Any  # [g, c]
    sum: Any  # [g] distances of all ordered pairs
    weigh: Any  # [g, most + 1] factor of the sum at this size: 1 / (size - 1), or 0 among colleagues alone
    faults: Any  # [1] number of faults
    can: Any  # [n, g] the person fits the group
    first: Any  # [n + 1]
    groups: Any  # the groups that each person fits, in compressed rows
    movers: Any  # the people who may move
    far: Any  # [1] the largest possible distance
    strict: Any  # [1] a step that breaks a rule is not made
    inherited: Any  # [g, c] the frozen members have one person alone in this column
    rng: Any


def totals_of(pool: Pool, tables: Tables, rng: Any, *, strict: bool = False) -> Totals:
    """Sums counted anew from the members of the groups."""
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
    made = in_one_order(
        Totals(
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
            strict=np.array([strict], np.uint8),
            inherited=_inherited(pool, tables),
            rng=rng,
        )
    )
    for group in open_:
        members = tables.members[group, : tables.size[group]]
        made.field[group] = pool.row[members].sum(0)
        np.add.at(made.count[group], pool.column[members].ravel(), 1)
        made.sum[group] = made.field[group][pool.column[members]].sum() - pool.own[members].sum()
    made.faults[0] = faults(pool, tables, made)
    return made


def _inherited(pool: Pool, tables: Tables) -> Any:
    """[g, c] True where the frozen members of a group have one person alone in a column."""
    count = np.zeros((len(tables.slot), pool.row.shape[1]), np.int64)
    for person in np.flatnonzero(tables.stays == 1):
        np.add.at(count[tables.seat[person]], pool.column[person], 1)
    return (count == 1).astype(np.uint8)


@inner
def _toward(pool: Pool, totals: Totals, person: int, group: int) -> float:
    """Sum of the person's distances to the members of the group. For a member it includes the distance to themselves (`own`)."""
    total = 0.0
    for a in range(pool.column.shape[1]):
        total += totals.field[group, pool.column[person, a]]
    return total


@inner
def _between(pool: Pool, one: int, other: int) -> float:
    """Distance between two people."""
    total = 0.0
    for a in range(pool.column.shape[1]):
        total += pool.row[one, pool.column[other, a]]
    return total


@inner
def _pairs(first: Any, mates: Any, seat: Any, person: int, group: int, but: int) -> int:
    """Number of the person's mates who sit in the group, without the mate `but`."""
    count = 0
    for at in range(first[person], first[person + 1]):
        count += seat[mates[at]] == group and mates[at] != but
    return count


@inner
def _alone(column: Any, lone: Any, count: Any, group: int, goes: int, comes: int) -> int:
    """Change of the number of people alone of their kind in a group when `goes` leaves and `comes` enters (-1: nobody)."""
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


@inner
def _change(pool: Pool, totals: Totals, group: int, person: int, sign: int) -> None:
    """Add a person to the sums of a group (`sign` 1), or subtract them (-1)."""
    for column in range(pool.row.shape[1]):
        totals.field[group, column] += sign * pool.row[person, column]
    for a in range(pool.column.shape[1]):
        totals.count[group, pool.column[person, a]] += sign


@inner
def _faults(pool: Pool, tables: Tables, totals: Totals, goes: int, comes: int, group: int) -> int:
    """Change of the number of faults of a group when `goes` leaves and `comes` enters (-1: nobody)."""
    change = _alone(pool.column, pool.lone, totals.count, group, goes, comes)
    if comes >= 0:
        change += _pairs(pool.apart_first, pool.apart, tables.seat, comes, group, goes)
    if goes >= 0:
        change -= _pairs(pool.apart_first, pool.apart, tables.seat, goes, group, comes)
    return change


@inner
def _breaks(pool: Pool, tables: Tables, totals: Totals, goes: int, comes: int, group: int) -> bool:
    """True when a group would break a rule that it did not inherit after `goes` has left and `comes` has entered (-1: nobody)."""
    if comes >= 0 and _pairs(pool.apart_first, pool.apart, tables.seat, comes, group, goes):
        return True
    for a in range(pool.column.shape[1]):
        off = pool.column[goes, a] if goes >= 0 else NOBODY
        on = pool.column[comes, a] if comes >= 0 else NOBODY
        if off == on:
            continue
        if off >= 0 and pool.lone[off] and totals.count[group, off] == 2 and not totals.inherited[group, off]:
            return True
        if on >= 0 and pool.lone[on] and totals.count[group, on] == 0:
            return True
    return _among_colleagues(pool, tables, goes, comes, group)


@inner
def _among_colleagues(pool: Pool, tables: Tables, goes: int, comes: int, group: int) -> bool:
    """True when a person who wants others would be among colleagues alone. Frozen members have inherited that."""
    company, wanted = UNSEEN, False
    for spot in range(tables.size[group] + 1):
        one = tables.members[group, spot] if spot < tables.size[group] else comes
        if one < 0 or one == goes:
            continue
        if company != UNSEEN and pool.company[one] != company:
            return False
        company = pool.company[one]
        wanted = wanted or (pool.wish[one] == OTHERS and not tables.stays[one])
    return bool(wanted and company >= 0)


@inner
def _wishes(pool: Pool, tables: Tables, goes: int, comes: int, group: int) -> float:
    """Change of the worth of a group by wanted pairs and kilometres."""
    worth = 0.0
    place = tables.place[group]
    if comes >= 0:
        worth += PAIR * _pairs(pool.together_first, pool.together, tables.seat, comes, group, goes)
        worth -= KM * pool.km[comes, place]
    if goes >= 0:
        worth -= PAIR * _pairs(pool.together_first, pool.together, tables.seat, goes, group, comes)
        worth += KM * pool.km[goes, place]
    return worth


@inner
def _sum_after(pool: Pool, totals: Totals, goes: int, comes: int, group: int) -> float:
    """Sum of the distances of all ordered pairs of a group after `goes` has left and `comes` has entered (-1: nobody)."""
    half = 0.0
    if goes >= 0:
        half -= _toward(pool, totals, goes, group) - pool.own[goes]
    if comes >= 0:
        half += _toward(pool, totals, comes, group)
        if goes >= 0:
            half -= _between(pool, goes, comes)
    return float(totals.sum[group] + 2 * half)


@inner
def _gain(pool: Pool, tables: Tables, totals: Totals, goes: int, comes: int, group: int, after: float) -> float:
    """Change of the worth of a group, without its faults. `after`: the sum of distances then."""
    size = tables.size[group]
    then = size + (comes >= 0) - (goes >= 0)
    worth: float = after * totals.weigh[group, then] - totals.sum[group] * totals.weigh[group, size]
    return float(worth + EVEN * (size * size - then * then) + _wishes(pool, tables, goes, comes, group))


@inner
def _put(pool: Pool, tables: Tables, totals: Totals, person: int, group: int, after: float) -> None:
    """Seat a person and update the sums of the group."""
    sit(tables, person, group)
    _change(pool, totals, group, person, 1)
    totals.sum[group] = after


@inner
def _take(pool: Pool, tables: Tables, totals: Totals, person: int, after: float) -> None:
    """Unseat a person and update the sums of their group."""
    group = tables.seat[person]
    rise(tables, person)
    _change(pool, totals, group, person, -1)
    totals.sum[group] = after


@compiled
def anneal(  # noqa: PLR0915  # one loop, on arrays by name
    pool: Pool, tables: Tables, totals: Totals, steps: int, warmth: float, penalty: float
) -> int:
    """Try so many steps at one temperature (0: accept only steps that are no worse); return the number of accepted steps.

    Exchanges of two members are decided here, on arrays that are taken out of the tuples once: taking them out at each step costs ten times
    as much as the step.
    """
    seat, members, size, high, stays = tables.seat, tables.members, tables.size, tables.high, tables.stays
    rng, movers, first, groups, can, faults = (
        totals.rng,
        totals.movers,
        totals.first,
        totals.groups,
        totals.can,
        totals.faults,
    )
    field, count, weigh, column, row, own = totals.field, totals.count, totals.weigh, pool.column, pool.row, pool.own
    apart_first, apart, lone, km, place, spots = (
        pool.apart_first,
        pool.apart,
        pool.lone,
        pool.km,
        tables.place,
        tables.spot,
    )
    together_first, together, sums, strict = pool.together_first, pool.together, totals.sum, totals.strict[0]
    kept = 0
    for _ in range(steps if len(movers) else 0):
        one = movers[draw(rng, len(movers))]
        at = first[one]
        group = groups[at + draw(rng, first[one + 1] - at)]
        home = seat[one]
        if group == home:
            continue
        spot = draw(rng, high[group])
        if home < 0 or spot >= size[group]:
            kept += _try_else(pool, tables, totals, one, group, spot, warmth, penalty)
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
        if gain < 1e-12 and gain < -_bar(rng, warmth):
            continue
        if strict and (
            _breaks(pool, tables, totals, one, other, home) or _breaks(pool, tables, totals, other, one, group)
        ):
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


@inner
def _bar(rng: Any, warmth: float) -> float:
    """Loss up to which a step is accepted, drawn at random for this temperature."""
    if warmth <= 0.0:
        return 1e-12
    return float(-warmth * math.log((draw(rng, 1 << 30) + 1) / (1 << 30)))


@inner
def _swap(field: Any, count: Any, row: Any, column: Any, group: int, goes: int, comes: int) -> None:
    """Update the sums of a group from which one person goes and to which another comes."""
    for at in range(row.shape[1]):
        field[group, at] += row[comes, at] - row[goes, at]
    for a in range(column.shape[1]):
        count[group, column[goes, a]] -= 1
        count[group, column[comes, a]] += 1


@inner
def _try_else(
    pool: Pool, tables: Tables, totals: Totals, one: int, group: int, spot: int, warmth: float, penalty: float
) -> bool:
    """Try a step that is no exchange of two members: a standing person sits down, or a member takes an empty seat elsewhere."""
    home, bar = tables.seat[one], _bar(totals.rng, warmth)
    if home < 0:
        other = tables.members[group, spot] if spot < tables.size[group] else NOBODY
        return _seat(pool, tables, totals, one, other, group, bar, penalty)
    return tables.size[home] > tables.low[home] and _move(pool, tables, totals, one, group, bar, penalty)


@inner
def _far(field: Any, column: Any, row: Any, own: Any, goes: int, comes: int, group: int) -> float:
    """Change of the sum of distances within the group, over ordered pairs, when one person goes and another comes."""
    half: float = own[goes]
    for a in range(column.shape[1]):
        on = column[comes, a]
        half += field[group, on] - field[group, column[goes, a]] - row[goes, on]
    return float(2 * half)


@inner
def _move(pool: Pool, tables: Tables, totals: Totals, one: int, group: int, bar: float, penalty: float) -> bool:
    """Move a member to an empty seat of the group, unless the loss exceeds the bar."""
    home = tables.seat[one]
    here, there = _sum_after(pool, totals, one, NOBODY, home), _sum_after(pool, totals, NOBODY, one, group)
    gain = _gain(pool, tables, totals, one, NOBODY, home, here) + _gain(pool, tables, totals, NOBODY, one, group, there)
    more = _faults(pool, tables, totals, one, NOBODY, home) + _faults(pool, tables, totals, NOBODY, one, group)
    if gain - penalty * more < -bar:
        return False
    if totals.strict[0] and (
        _breaks(pool, tables, totals, one, NOBODY, home) or _breaks(pool, tables, totals, NOBODY, one, group)
    ):
        return False
    totals.faults[0] += more
    _take(pool, tables, totals, one, here)
    _put(pool, tables, totals, one, group, there)
    return True


@inner
def _seat(
    pool: Pool, tables: Tables, totals: Totals, one: int, other: int, group: int, bar: float, penalty: float
) -> bool:
    """Seat a standing person in an empty seat, or in that of a member who waited no longer and who stands then."""
    longer = 0.0
    if other < 0:
        longer = STANDS * totals.far[0] + 1
    elif tables.stays[other] or pool.waited[other] > pool.waited[one]:
        return False
    elif pool.waited[other] < pool.waited[one]:
        longer = STANDS * totals.far[0] + 1
    after = _sum_after(pool, totals, other, one, group)
    gain = longer + _gain(pool, tables, totals, other, one, group, after)
    more = _faults(pool, tables, totals, other, one, group)
    if gain - penalty * more < -bar:
        return False
    if totals.strict[0] and _breaks(pool, tables, totals, other, one, group):
        return False
    totals.faults[0] += more
    if other >= 0:
        _take(pool, tables, totals, other, after)
    _put(pool, tables, totals, one, group, after)
    return True


@compiled
def faults(pool: Pool, tables: Tables, totals: Totals) -> int:
    """Number of pairs that must be apart and are not, plus the number of people alone of their kind."""
    found = 0
    for person in range(len(tables.seat)):
        group = tables.seat[person]
        if group >= 0:
            found += _pairs(pool.apart_first, pool.apart, tables.seat, person, group, NOBODY)
    found //= 2
    for group in range(len(tables.slot)):
        for column in range(len(pool.lone)):
            found += pool.lone[column] and totals.count[group, column] == 1
    return found


@compiled
def value(tables: Tables, totals: Totals) -> float:
    """Sum of the mean distances of all members of mixed groups."""
    total = 0.0
    for group in range(len(tables.slot)):
        if tables.slot[group] >= 0:
            total += totals.sum[group] * totals.weigh[group, tables.size[group]]
    return total
