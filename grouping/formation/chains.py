"""Chains of moves: a person is seated, each person on the chain takes the next one's seat, and at the end there is room.

These are augmenting paths of a flow between people and groups. A person for whom no path exists has no seat at these groups, whichever
members move. Rules about company (who must be apart, who is alone) are not checked here. A search meets each group once. A search that
failed met only groups from which there is no way on, so the next search may leave them out until somebody moved.

Groups are bits of words, so that all groups that a person fits and that were not met yet are found at once. Invariant: after `forget` the
words agree with `fits`.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, inner
from grouping.formation.pool import Pool
from grouping.formation.tables import NOBODY, Tables, could, fits, rise, sit

WORD = 62  # groups in a word, so that none of them is the sign bit


class Search(NamedTuple):
    """The groups that a search has met, with the person and the group by which each was reached; and the groups that each person fits."""

    via: Any  # [g]
    back: Any  # [g]
    queue: Any  # [g]
    end: Any  # [1] of the queue
    unmet: Any  # [words]
    fit: Any  # [n, words]
    cell: Any  # [g, 3] slot, place and kind for which `fit` was computed


def search(tables: Tables) -> Search:
    """Arrays for a search in these tables."""
    groups, people = len(tables.slot), len(tables.seat)
    return Search(
        via=np.zeros(groups, np.int64),
        back=np.zeros(groups, np.int64),
        queue=np.zeros(groups, np.int64),
        end=np.zeros(1, np.int64),
        unmet=np.zeros(groups // WORD + 1, np.int64),
        fit=np.zeros((people, groups // WORD + 1), np.int64),
        cell=np.full((groups, 3), NOBODY, np.int64),
    )


@compiled
def forget(pool: Pool, tables: Tables, met: Search) -> None:
    """Mark all groups as not met. Where a group meets elsewhere than before, mark anew who fits there."""
    met.end[0] = 0
    met.unmet[:] = 0
    for group in range(len(tables.slot)):
        slot, place, kind = tables.slot[group], tables.place[group], tables.kind[group]
        if slot >= 0:
            met.unmet[group // WORD] |= 1 << (group % WORD)
        if met.cell[group, 0] != slot or met.cell[group, 1] != place or met.cell[group, 2] != kind:
            met.cell[group, 0], met.cell[group, 1], met.cell[group, 2] = slot, place, kind
            _tell(pool.free, pool.reach, pool.company, pool.wish, met.fit, group, slot, place, kind)


@inner
def _tell(
    free: Any, reach: Any, company: Any, wish: Any, fit: Any, group: int, slot: int, place: int, kind: int
) -> None:
    """Mark the people who fit the group."""
    word, bit = group // WORD, 1 << (group % WORD)
    for person in range(len(fit)):
        if could(free, reach, company, wish, person, slot, place, kind):
            fit[person, word] |= bit
        else:
            fit[person, word] &= ~bit


@compiled
def tell(pool: Pool, tables: Tables, met: Search, person: int) -> None:
    """Mark the open groups that the person fits."""
    met.fit[person, :] = 0
    for group in range(len(tables.slot)):
        if fits(pool, tables, person, group):
            met.fit[person, group // WORD] |= 1 << (group % WORD)


@inner
def _position(bit: int) -> int:
    """Position of the only bit that is set."""
    at = 0
    for half in (32, 16, 8, 4, 2, 1):
        if bit >> half:
            bit >>= half
            at += half
    return at


@inner
def _queue(met: Search, group: int, person: int, source: int) -> None:
    """Mark a group as met, reached by `person` from the group `source`, and continue the search from it."""
    met.via[group], met.back[group] = person, source
    met.queue[met.end[0]] = group
    met.end[0] += 1
    met.unmet[group // WORD] &= ~(1 << (group % WORD))


@compiled
def way_in(tables: Tables, met: Search, comer: int) -> int:
    """Return a group with room at the end of a chain, or NOBODY. Groups that were met before are left out."""
    fit, unmet, queue, end = met.fit, met.unmet, met.queue, met.end
    members, size, high, stays = tables.members, tables.size, tables.high, tables.stays
    at, source, spot, person = end[0] - 1, NOBODY, 0, comer
    while True:
        for word in range(len(unmet)):
            new = unmet[word] & fit[person, word]
            while new:
                group = word * WORD + _position(new & -new)
                new &= new - 1
                _queue(met, group, person, source)
                if size[group] < high[group]:
                    return group
        person = NOBODY
        while person < 0:
            while source < 0 or spot >= size[source]:
                at, spot = at + 1, 0
                if at == end[0]:
                    return NOBODY
                source = queue[at]
            if not stays[members[source, spot]]:
                person = members[source, spot]
            spot += 1


@inner
def move_along(tables: Tables, met: Search, end: int) -> None:
    """Move everybody on the chain to this group, the last one first."""
    group = end
    while group >= 0:
        person, source = met.via[group], met.back[group]
        if source >= 0:
            rise(tables, person)
        sit(tables, person, group)
        group = source


@inner
def seat_all(pool: Pool, tables: Tables, met: Search, people: Any, count: int) -> int:
    """Seat those of the first `count` people who can be seated, in this order. Return the number of those who still stand."""
    standing = 0
    forget(pool, tables, met)
    for at in range(count):
        person = people[at]
        if tables.seat[person] < 0 and pool.waits[person]:
            end = way_in(tables, met, person)
            if end >= 0:
                move_along(tables, met, end)
                forget(pool, tables, met)
            else:
                standing += 1
    return standing


@compiled
def displace(pool: Pool, tables: Tables, met: Search, comer: int) -> bool:
    """Seat the comer by a chain at whose end the person who waited least stands up, if they waited less than the comer."""
    forget(pool, tables, met)
    way_in(tables, met, comer)
    least, goes = pool.waited[comer], NOBODY
    for at in range(met.end[0]):
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


@inner
def fill(pool: Pool, tables: Tables, met: Search, short: int) -> bool:
    """Bring a person to a group that has too few, by a chain from a group that has more than it must."""
    forget(pool, tables, met)
    _queue(met, short, NOBODY, NOBODY)
    at = 0
    while at < met.end[0]:
        target = met.queue[at]
        at += 1
        for group in range(len(tables.slot)):
            if met.unmet[group // WORD] >> (group % WORD) & 1:
                person = _who_fits(tables, met, group, target)
                if person >= 0:
                    _queue(met, group, person, target)
                    if tables.size[group] > tables.low[group]:
                        _hand_on(tables, met, group, short)
                        return True
    return False


@inner
def _who_fits(tables: Tables, met: Search, group: int, target: int) -> int:
    """A member of `group` who may move and fits `target`, or NOBODY."""
    for spot in range(tables.size[group]):
        person = tables.members[group, spot]
        if not tables.stays[person] and met.fit[person, target // WORD] >> (target % WORD) & 1:
            return int(person)
    return NOBODY


@inner
def _hand_on(tables: Tables, met: Search, group: int, short: int) -> None:
    """Make the moves of a chain from `group` to the group that is short."""
    while group != short:
        person, target = met.via[group], met.back[group]
        rise(tables, person)
        sit(tables, person, target)
        group = target
