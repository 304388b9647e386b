"""Chains of moves: somebody is seated, each of those on the chain takes the next one's seat, and at its end there is room.

These are augmenting paths of a flow between people and groups: whoever finds none has no seat at these groups, whoever moves. Rules about
company (who must be apart, who is alone) are not looked at here. A group is met once in a search, and a search that failed met only groups
from which there is no way on, so the next search may leave them out until somebody moved.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled
from grouping.formation.pool import Pool
from grouping.formation.tables import NOBODY, Tables, fits, rise, sit


class Search(NamedTuple):
    """What a search has met: by whom a group was reached, and from which group."""

    via: Any  # [g]
    back: Any  # [g]
    queue: Any  # [g]
    unmet: Any  # [g]
    ends: Any  # [2]: how many are unmet, and where the queue ends


def search(tables: Tables) -> Search:
    """Room for a search."""
    groups = len(tables.slot)
    return Search(
        via=np.zeros(groups, np.int64),
        back=np.zeros(groups, np.int64),
        queue=np.zeros(groups, np.int64),
        unmet=np.zeros(groups, np.int64),
        ends=np.zeros(2, np.int64),
    )


@compiled
def forget(tables: Tables, met: Search) -> None:
    """No group was met."""
    met.ends[0] = met.ends[1] = 0
    for group in range(len(tables.slot)):
        if tables.slot[group] >= 0:
            met.unmet[met.ends[0]] = group
            met.ends[0] += 1


@compiled
def _meet(pool: Pool, tables: Tables, met: Search, person: int, source: int) -> int:
    """Meet every group where they fit; the first with room, or none."""
    at = 0
    while at < met.ends[0]:
        group = met.unmet[at]
        if not fits(pool, tables, person, group):
            at += 1
            continue
        met.via[group], met.back[group] = person, source
        if tables.size[group] < tables.high[group]:
            return int(group)
        met.queue[met.ends[1]] = group
        met.ends[1] += 1
        met.ends[0] -= 1
        met.unmet[at] = met.unmet[met.ends[0]]
    return NOBODY


@compiled
def way_in(pool: Pool, tables: Tables, met: Search, comer: int) -> int:
    """A group with room at the end of a chain, or none. What was met before is left out."""
    at = met.ends[1]
    end = _meet(pool, tables, met, comer, NOBODY)
    while end < 0 and at < met.ends[1]:
        group = met.queue[at]
        at += 1
        for spot in range(tables.size[group]):
            person = tables.members[group, spot]
            if not tables.stays[person]:
                end = _meet(pool, tables, met, person, group)
                if end >= 0:
                    break
    return end


@compiled
def move_along(tables: Tables, met: Search, end: int) -> None:
    """Everybody on the chain to this group moves, the last one first."""
    group = end
    while group >= 0:
        person, source = met.via[group], met.back[group]
        if source >= 0:
            rise(tables, person)
        sit(tables, person, group)
        group = source


@compiled
def seat_all(pool: Pool, tables: Tables, met: Search, people: Any, count: int) -> int:
    """Seat whoever of the first so many of these can be, in this order. How many still stand."""
    standing = 0
    forget(tables, met)
    for at in range(count):
        person = people[at]
        if tables.seat[person] < 0 and pool.waits[person]:
            end = way_in(pool, tables, met, person)
            if end >= 0:
                move_along(tables, met, end)
                forget(tables, met)
            else:
                standing += 1
    return standing


@compiled
def displace(pool: Pool, tables: Tables, met: Search, comer: int) -> bool:
    """Seat them by a chain at whose end whoever waited least of all stands up, if that is less than the comer."""
    forget(tables, met)
    way_in(pool, tables, met, comer)
    least, goes = pool.waited[comer], NOBODY
    for at in range(met.ends[1]):
        group = met.queue[at]
        for spot in range(tables.size[group]):
            person = tables.members[group, spot]
            if not tables.stays[person] and pool.waited[person] < least:
                least, goes = pool.waited[person], person
    if goes < 0:
        return False
    group = tables.seat[goes]
    rise(tables, goes)
    move_along(tables, met, group)
    return True


@compiled
def fill(pool: Pool, tables: Tables, met: Search, short: int) -> bool:
    """Bring somebody to a group that has too few, by a chain from a group that has more than it must."""
    forget(tables, met)
    met.queue[0], met.ends[1], at = short, 1, 0
    while at < met.ends[1]:
        target = met.queue[at]
        at += 1
        k = 0
        while k < met.ends[0]:
            group = met.unmet[k]
            person = NOBODY if group == short else _who_fits(pool, tables, group, target)
            if person < 0:
                k += 1
                continue
            met.via[group], met.back[group] = person, target
            if tables.size[group] > tables.low[group]:
                _hand_on(tables, met, group, short)
                return True
            met.queue[met.ends[1]] = group
            met.ends[1] += 1
            met.ends[0] -= 1
            met.unmet[k] = met.unmet[met.ends[0]]
    return False


@compiled
def _who_fits(pool: Pool, tables: Tables, group: int, target: int) -> int:
    for spot in range(tables.size[group]):
        person = tables.members[group, spot]
        if not tables.stays[person] and fits(pool, tables, person, target):
            return int(person)
    return NOBODY


@compiled
def _hand_on(tables: Tables, met: Search, group: int, short: int) -> None:
    while group != short:
        person, target = met.via[group], met.back[group]
        rise(tables, person)
        sit(tables, person, target)
        group = target
