"""Search for a timetable: groups change slot, place or facilitator as long as that lets more people sit.

Invariant: a step is kept only if no more is lost than before. Lost are people who stand, longest waiting first among as many, and the
members that groups are short of. Rooms and facilitators are never used twice.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.chains import Search, displace, fill, search, seat_all
from grouping.formation.compiling import compiled, draw, inner
from grouping.formation.pool import COLLEAGUES, Pool
from grouping.formation.tables import NOBODY, Tables, close_group, open_group

SHUFFLED = 8  # exchanges of leaders before a shift
TRIES = 8  # random choices of a slot and a place with a free room


class Work(NamedTuple):
    """Arrays that the search for a timetable writes to."""

    met: Search
    saved: Tables
    worth: Any  # [n] loss when the person stands: 1 and a fraction that grows with the wait
    order: Any  # [n] people in the order in which they are seated
    cells: Any  # [groups + facilitators] candidates to lead there
    rng: Any


def worth(pool: Pool) -> Any:
    """[n] loss when a person stands: 1, and a fraction for the days waited. A rank of days counts four times the next lower one, within the
    precision of numbers."""
    days = np.unique(pool.waited[pool.waits == 1])[::-1]
    rank = np.searchsorted(-days, -pool.waited)
    return 1 + 0.5 * 4.0 ** -np.minimum(rank, 200) / max(1, len(pool.waited))


@compiled
def lost(pool: Pool, tables: Tables, worth: Any) -> float:
    """Loss of the people who stand, and of the seats that must be taken and are not."""
    total = 0.0
    for person in range(len(tables.seat)):
        if tables.seat[person] < 0 and pool.waits[person]:
            total += worth[person]
    for group in range(len(tables.slot)):
        if tables.slot[group] >= 0 and tables.size[group] < tables.low[group]:
            total += min(tables.size[group], tables.low[group] - tables.size[group]) + 0.01
    return total


@compiled
def settle(pool: Pool, tables: Tables, work: Work) -> float:
    """Seat everybody who can be seated in these groups, and fill up groups that have too few. Return the loss."""
    count = 0
    for person in range(len(tables.seat)):
        if tables.seat[person] < 0 and pool.waits[person]:
            work.order[count] = person
            count += 1
    for at in range(count - 1, 0, -1):
        other = draw(work.rng, at + 1)
        work.order[at], work.order[other] = work.order[other], work.order[at]
    seat_all(pool, tables, work.met, work.order, count)
    for group in range(len(tables.slot)):
        while tables.slot[group] >= 0 and tables.size[group] < tables.low[group]:
            if not fill(pool, tables, work.met, group):
                break
    return lost(pool, tables, work.worth)


@compiled
def improve(pool: Pool, tables: Tables, work: Work, steps: int, limit: int, now: float) -> float:
    """Try so many changes from a state with the loss `now`, with at most `limit` groups. Return the loss after them."""
    for _ in range(steps):
        if now == 0.0:
            break
        _exchange_leaders(pool, tables, work)
        group, slot, place, leader, kind = _change(pool, tables, work, limit)
        if group < 0:
            continue
        _copy(work.saved, tables)
        if tables.slot[group] >= 0:
            close_group(tables, group)
        open_group(tables, group, slot, place, leader, kind)
        then = settle(pool, tables, work)
        if then <= now:
            now = then
        else:
            _copy(tables, work.saved)
    return now


@compiled
def shift(pool: Pool, tables: Tables, work: Work, limit: int) -> float:
    """Change one group whatever the loss. Return the loss."""
    for _ in range(SHUFFLED):
        _exchange_leaders(pool, tables, work)
    group, slot, place, leader, kind = _change(pool, tables, work, limit)
    if group >= 0:
        if tables.slot[group] >= 0:
            close_group(tables, group)
        open_group(tables, group, slot, place, leader, kind)
    return settle(pool, tables, work)


@inner
def _copy(to: Tables, source: Tables) -> None:
    """Copy what changes, element by element: that compiles in a fifth of the time that whole arrays take."""
    for group in range(len(to.slot)):
        to.slot[group], to.place[group] = source.slot[group], source.place[group]
        to.leader[group], to.kind[group] = source.leader[group], source.kind[group]
        to.size[group] = source.size[group]
        for spot in range(source.size[group]):
            to.members[group, spot] = source.members[group, spot]
    for person in range(len(to.seat)):
        to.seat[person], to.spot[person] = source.seat[person], source.spot[person]
    for slot in range(to.used.shape[0]):
        for place in range(to.used.shape[1]):
            to.used[slot, place] = source.used[slot, place]
        for leader in range(len(to.led)):
            to.busy[leader, slot] = source.busy[leader, slot]
    for leader in range(len(to.led)):
        to.led[leader] = source.led[leader]


@inner
def _change(pool: Pool, tables: Tables, work: Work, limit: int) -> tuple[int, int, int, int, int]:
    """A slot and place to which a standing person could come, and a group that could move there, or a new one."""
    person = _somebody(pool, tables, work)
    for _ in range(TRIES):
        slot, place = draw(work.rng, pool.free.shape[1]), draw(work.rng, pool.reach.shape[1])
        tries = 0
        while tries < 64 and not (pool.free[person, slot] and pool.reach[person, place]):
            if not pool.free[person, slot]:
                slot = draw(work.rng, pool.free.shape[1])
            if not pool.reach[person, place]:
                place = draw(work.rng, pool.reach.shape[1])
            tries += 1
        if not (pool.free[person, slot] and pool.reach[person, place]):
            return NOBODY, 0, 0, 0, 0
        if tables.used[slot, place] >= pool.rooms[place]:
            continue
        count = _leaders(pool, tables, work, slot, place, limit)
        if count > 0:
            chosen = work.cells[draw(work.rng, count)]
            kind = pool.company[person] if pool.wish[person] == COLLEAGUES else NOBODY
            if chosen < len(tables.slot):
                return chosen, slot, place, tables.leader[chosen], kind
            return _closed(tables), slot, place, chosen - len(tables.slot), kind
    return NOBODY, 0, 0, 0, 0


@inner
def _somebody(pool: Pool, tables: Tables, work: Work) -> int:
    """A random person who stands or sits in a group that has too few; any person when there is none."""
    count = 0
    for person in range(len(tables.seat)):
        group = tables.seat[person]
        if (group < 0 and pool.waits[person]) or (group >= 0 and tables.size[group] < tables.low[group]):
            work.order[count] = person
            count += 1
    return int(work.order[draw(work.rng, count)]) if count else draw(work.rng, len(tables.seat))


@inner
def _leaders(pool: Pool, tables: Tables, work: Work, slot: int, place: int, limit: int) -> int:
    """Count the groups whose facilitator could lead there instead, and, numbered after them, the facilitators who could lead one more."""
    count = running = 0
    for group in range(len(tables.slot)):
        if tables.slot[group] < 0:
            continue
        running += 1
        leader = tables.leader[group]
        here = tables.slot[group] == slot
        if tables.held[group] or not pool.leads[leader, slot] or not pool.goes[leader, place]:
            continue
        if tables.busy[leader, slot] == 0 or (here and tables.place[group] != place and tables.busy[leader, slot] == 1):
            work.cells[count] = group
            count += 1
    if running < limit:
        for leader in range(len(pool.load)):
            free = tables.busy[leader, slot] == 0 and tables.led[leader] < pool.load[leader]
            if free and pool.leads[leader, slot] and pool.goes[leader, place]:
                work.cells[count] = len(tables.slot) + leader
                count += 1
    return count


@inner
def _closed(tables: Tables) -> int:
    for group in range(len(tables.slot)):
        if tables.slot[group] < 0:
            return group
    return NOBODY


@inner
def _exchange_leaders(pool: Pool, tables: Tables, work: Work) -> None:
    """Two groups exchange their facilitators, where both can. It costs nothing and makes other changes possible."""
    one, other = draw(work.rng, len(tables.slot)), draw(work.rng, len(tables.slot))
    a, b = tables.slot[one], tables.slot[other]
    if a < 0 or b < 0 or tables.held[one] or tables.held[other]:
        return
    first, second = tables.leader[one], tables.leader[other]
    if first == second or not _could(pool, tables, first, other, a) or not _could(pool, tables, second, one, b):
        return
    tables.busy[first, a] -= 1
    tables.busy[second, b] -= 1
    tables.busy[first, b] += 1
    tables.busy[second, a] += 1
    tables.leader[one], tables.leader[other] = second, first


@inner
def _could(pool: Pool, tables: Tables, leader: int, group: int, leaves: int) -> bool:
    """True when the facilitator could lead this group instead of one in the slot `leaves`."""
    slot = tables.slot[group]
    otherwise = tables.busy[leader, slot] - (slot == leaves)
    return bool(otherwise == 0 and pool.leads[leader, slot] and pool.goes[leader, tables.place[group]])


@compiled
def longest_waiting_first(pool: Pool, tables: Tables, work: Work) -> None:
    """Give standing people the seats of people who waited less, wherever a chain leads to one."""
    again = True
    while again:
        again = False
        for person in range(len(tables.seat)):
            if tables.seat[person] < 0 and pool.waits[person] and displace(pool, tables, work.met, person):
                again = True


@compiled
def close_short(pool: Pool, tables: Tables, work: Work) -> None:
    """Close groups that have too few, the smallest first; their members sit elsewhere if they can."""
    while True:
        smallest = NOBODY
        for group in range(len(tables.slot)):
            short = tables.slot[group] >= 0 and not tables.held[group] and tables.size[group] < tables.low[group]
            if short and (smallest < 0 or tables.size[group] < tables.size[smallest]):
                smallest = group
        if smallest < 0:
            return
        close_group(tables, smallest)
        settle(pool, tables, work)


def work(pool: Pool, tables: Tables, saved: Tables, seed: int) -> Work:
    """The arrays of the search, with the random state of this seed."""
    people, cells = len(tables.seat), len(tables.slot) + len(pool.load)
    return Work(
        met=search(tables),
        saved=saved,
        worth=worth(pool),
        order=np.zeros(people, np.int64),
        cells=np.zeros(cells, np.int64),
        rng=np.array([2654435769 * (2 * seed + 1) % 2**64], np.uint64),
    )
