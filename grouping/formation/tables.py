"""Groups that are being filled, as arrays that compiled loops change in place.

Invariant: `seat`, `spot`, `members` and `size` agree. Nobody sits where `fits` is False, except members of a frozen group. A person with
`stays` is never moved. A group with slot -1 is not open.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled
from grouping.formation.model import Group, Problem
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool

NOBODY = -1  # also: no group, no slot, no company


class Tables(NamedTuple):
    """g groups of up to `members.shape[1]` of the n people. `kind`: only people of that company may come."""

    slot: Any  # [g]
    place: Any  # [g]
    leader: Any  # [g]
    kind: Any  # [g]
    held: Any  # [g] meets already: keeps slot, place and facilitator
    low: Any  # [g] fewest members
    high: Any  # [g] most members
    size: Any  # [g]
    members: Any  # [g, most]
    seat: Any  # [n] the group
    spot: Any  # [n] index among its members
    stays: Any  # [n]
    used: Any  # [slots, places] rooms
    busy: Any  # [facilitators, slots] groups led
    led: Any  # [facilitators]


def tables(problem: Problem, pool: Pool) -> Tables:
    """The frozen groups with their members, and as many closed groups as facilitators could lead more."""
    frozen = problem.frozen
    sizes = [len(each.members) for each in frozen]
    count = len(frozen) + min(int(pool.load.sum()), int(pool.waits.sum()) // pool.least)
    most = max([pool.most, *sizes])
    people = len(problem.people)
    made = Tables(
        slot=np.full(count, NOBODY, np.int64),
        place=np.full(count, NOBODY, np.int64),
        leader=np.full(count, NOBODY, np.int64),
        kind=np.full(count, NOBODY, np.int64),
        held=np.zeros(count, np.uint8),
        low=np.full(count, pool.least, np.int64),
        high=np.full(count, pool.most, np.int64),
        size=np.zeros(count, np.int64),
        members=np.full((count, most), NOBODY, np.int64),
        seat=np.full(people, NOBODY, np.int64),
        spot=np.zeros(people, np.int64),
        stays=np.zeros(people, np.uint8),
        used=np.zeros((len(problem.slots), len(problem.places)), np.int64),
        busy=np.zeros((len(problem.facilitators), len(problem.slots)), np.int64),
        led=np.zeros(len(problem.facilitators), np.int64),
    )
    _freeze(problem, pool, made)
    return made


def seated(problem: Problem, pool: Pool, groups: Sequence[Group]) -> Tables:
    """The groups of an answer. Those that are not frozen may still be changed."""
    made = tables(problem, pool)
    person, place, leader, slot = _numbers(problem)
    frozen = {each.id: at for at, each in enumerate(problem.frozen)}
    closed = iter(range(len(frozen), len(made.slot)))
    for group in groups:
        members = [person[id] for id in group.members]
        at = frozen.get(group.id)
        if at is None:
            at = next(closed)
            open_group(made, at, slot[group.slot], place[group.place], leader[group.facilitator], _kind(pool, members))
        for each in members:
            if made.seat[each] < 0:
                sit(made, each, at)
    return made


def _numbers(problem: Problem) -> tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, int]]:
    person = {each.id: at for at, each in enumerate(problem.people)}
    place = {each.id: at for at, each in enumerate(problem.places)}
    leader = {each.id: at for at, each in enumerate(problem.facilitators)}
    return person, place, leader, {each: at for at, each in enumerate(problem.slots)}


def _freeze(problem: Problem, pool: Pool, made: Tables) -> None:
    person, place, leader, slot = _numbers(problem)
    for g, group in enumerate(problem.frozen):
        members = [person[id] for id in group.members]
        open_group(made, g, slot[group.slot], place[group.place], leader[group.facilitator], _kind(pool, members))
        made.held[g] = 1
        made.low[g], made.high[g] = min(pool.least, len(members)), max(pool.most, len(members))
        for each in members:
            sit(made, each, g)
            made.stays[each] = 1


def _kind(pool: Pool, members: list[int]) -> int:
    """The company of the group if only its people may join: one of them, or of those who wait, insists on colleagues. Else NOBODY."""
    companies = {int(pool.company[each]) for each in members}
    if len(companies) != 1 or companies == {NOBODY}:
        return NOBODY
    (company,) = companies
    insisting = (pool.company == company) & (pool.wish == COLLEAGUES) & (pool.waits == 1)
    return company if insisting.any() or any(pool.wish[each] == COLLEAGUES for each in members) else NOBODY


def copied(tables: Tables) -> Tables:
    """A copy of all arrays."""
    return Tables(*(each.copy() for each in tables))


def restored(tables: Tables, saved: Tables) -> None:
    """Copy the second tables into the first, in place."""
    for mine, theirs in zip(tables, saved, strict=True):
        mine[...] = theirs


@compiled
def fits(pool: Pool, tables: Tables, person: int, group: int) -> bool:
    """True when slot, way, access and company of the group suit the person."""
    slot, place, kind = tables.slot[group], tables.place[group], tables.kind[group]
    return could(pool.free, pool.reach, pool.company, pool.wish, person, slot, place, kind)


@compiled
def could(free: Any, reach: Any, company: Any, wish: Any, person: int, slot: int, place: int, kind: int) -> bool:
    """The same as `fits`, on arrays that a loop took out of the tuples once."""
    if slot < 0 or not free[person, slot] or not reach[person, place]:
        return False
    if kind < 0:
        return bool(wish[person] != COLLEAGUES)
    return bool(company[person] == kind and wish[person] != OTHERS)


@compiled
def sit(tables: Tables, person: int, group: int) -> None:
    """Seat a person in the next seat of the group."""
    tables.seat[person], tables.spot[person] = group, tables.size[group]
    tables.members[group, tables.size[group]] = person
    tables.size[group] += 1


@compiled
def rise(tables: Tables, person: int) -> None:
    """Give the seat up; the last of the group takes it."""
    group, spot = tables.seat[person], tables.spot[person]
    tables.size[group] -= 1
    last = tables.members[group, tables.size[group]]
    tables.members[group, spot] = last
    tables.spot[last] = spot
    tables.seat[person] = NOBODY


@compiled
def open_group(tables: Tables, group: int, slot: int, place: int, leader: int, kind: int) -> None:
    """Open a group at this slot and place, led by this facilitator."""
    tables.slot[group], tables.place[group], tables.leader[group], tables.kind[group] = slot, place, leader, kind
    tables.used[slot, place] += 1
    tables.busy[leader, slot] += 1
    tables.led[leader] += 1


@compiled
def close_group(tables: Tables, group: int) -> None:
    """Close a group; its members stand up."""
    while tables.size[group] > 0:
        rise(tables, tables.members[group, tables.size[group] - 1])
    slot, leader = tables.slot[group], tables.leader[group]
    tables.used[slot, tables.place[group]] -= 1
    tables.busy[leader, slot] -= 1
    tables.led[leader] -= 1
    tables.slot[group], tables.kind[group] = NOBODY, NOBODY
