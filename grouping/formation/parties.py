"""Who could sit together, of a few people who stand: every set of them that could join a group that meets, or make a new one.

A set is a number, one bit for each person. Invariant: a set is listed for a group exactly if nothing is wrong with the company that it
makes there but what the group's members brought along; one for a new group has at least one slot and place that all of them can come to.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool
from grouping.formation.tables import NOBODY, Tables

EVEN = 1e-4  # what a square of a size costs, in wanted pairs
FAR = 1e-5  # what all the kilometres there could be cost
ANYBODY = -2  # the company of nobody: whoever comes decides


class Few(NamedTuple):
    """n people who stand, and g groups that they could sit in; the last one is any new one, and nobody sits there yet."""

    fewest: Any  # [g] so many must come
    most: Any  # [g] so many may come
    can: Any  # [g] set of those who could
    sitting: Any  # [g] how many sit there
    within: Any  # [g] distances of those who sit there, each pair once
    toward: Any  # [g, n] distances to those who sit there
    mates: Any  # [g, n] who sit there and are wanted
    barred: Any  # [g] set of those who are to be apart from somebody there
    firm: Any  # [g] company of those who sit there: NOBODY where they have none in common
    insist: Any  # [g] whether somebody who sits there wants to stay among colleagues
    number: Any  # [g, c] who sits there in each column in which nobody may be alone
    kind: Any  # [c] set of those who stand in the column
    near: Any  # [n, n] distances
    wanted: Any  # [n, n] wanted pairs
    apart: Any  # [n] set of those from whom they are to be apart
    company: Any  # [n]
    wish: Any  # [n]
    could: Any  # [n, cells] to which slot and place they could come, of those where somebody could lead
    km: Any  # [n, cells]
    costs: float  # of a kilometre


class Parties(NamedTuple):
    """p sets; those of group g are from `first[g]` to `first[g + 1]`, those of a new one in the order of their lowest person."""

    first: Any  # [g + 1]
    people: Any  # [p] the set
    worth: Any  # [p] mean distances, summed, with those who sit there
    mixed: Any  # [p] how many sit there then, nobody among colleagues alone
    minor: Any  # [p] wanted pairs, less a little for size and way: what decides between equals
    there: Any  # [p of a new one, cells] where it could meet


def few(pool: Pool, made: Tables, people: Any, cells: Any) -> Few:
    """Of these people, and the groups that meet; cells are rows of slot and place."""
    held = np.flatnonzero(made.held == 1)
    teams = [made.members[g, : made.size[g]] for g in held] + [np.zeros(0, np.int64)]
    sizes = np.array([len(team) for team in teams], np.int64)
    bits = 1 << np.arange(len(people), dtype=np.int64)
    lone = np.flatnonzero(pool.lone == 1)
    near, km = _far(pool, people), pool.km[people][:, cells[:, 1]]
    apart = _linked(pool.apart_first, pool.apart, people)
    wanted = _linked(pool.together_first, pool.together, people)
    comes = [pool.free[people, made.slot[g]] & pool.reach[people, made.place[g]] for g in held]
    firms = np.array([_firm(pool, team) for team in teams], np.int64)
    insist = np.array([(pool.wish[team] == COLLEAGUES).any() for team in teams])
    return Few(
        fewest=np.array([*(0 for _ in held), pool.least], np.int64),
        most=np.maximum(0, pool.most - sizes),
        can=np.array([bits[each == 1].sum() for each in comes] + [bits.sum()], np.int64),
        sitting=sizes,
        within=np.array([_far(pool, team)[:, team].sum() / 2 for team in teams]),
        toward=np.array([near[:, team].sum(1) for team in teams]),
        mates=np.array([wanted[:, team].sum(1) for team in teams], np.int64),
        barred=np.array([bits[apart[:, team].any(1)].sum() for team in teams], np.int64),
        firm=firms,
        insist=insist & (firms >= 0),
        number=np.array([(pool.column[team][:, :, None] == lone).sum((0, 1)) for team in teams], np.int64),
        kind=np.array([bits[(pool.column[people] == column).any(1)].sum() for column in lone], np.int64),
        near=np.ascontiguousarray(near[:, people]),
        wanted=wanted[:, people].astype(np.int64),
        apart=(apart[:, people] * bits).sum(1),
        company=pool.company[people],
        wish=pool.wish[people].astype(np.int64),
        could=pool.free[people][:, cells[:, 0]] & pool.reach[people][:, cells[:, 1]],
        km=km,
        costs=FAR / max(1.0, float(km.max(1, initial=0).sum())),
    )


def _far(pool: Pool, people: Any) -> Any:
    """Distances from these people to all; nobody is far from themselves."""
    far = np.zeros((len(people), len(pool.own)))
    for column in pool.column.T:
        far += pool.row[people][:, column]
    far[np.arange(len(people)), people] = 0.0
    return far


def _linked(first: Any, mates: Any, people: Any) -> Any:
    """Whether these people and all others make a pair."""
    linked = np.zeros((len(people), len(first) - 1), bool)
    for at, person in enumerate(people):
        linked[at, mates[first[person] : first[person + 1]]] = True
    return linked


def _firm(pool: Pool, team: Any) -> int:
    companies = set(pool.company[team].tolist())
    return ANYBODY if not companies else companies.pop() if len(companies) == 1 else NOBODY


def parties(few: Few) -> Parties:
    """All of them: counted first, then written down."""
    groups = range(len(few.can))
    first = np.zeros(len(groups) + 1, np.int64)
    none = _room(few, first)
    first[1:] = np.cumsum([_listed(few, group, none, False) for group in groups])
    found = _room(few, first)
    for group in groups:
        _listed(few, group, found, True)
    return found


def _room(few: Few, first: Any) -> Parties:
    return Parties(
        first=first,
        people=np.zeros(first[-1], np.int64),
        worth=np.zeros(first[-1]),
        mixed=np.zeros(first[-1], np.int64),
        minor=np.zeros(first[-1]),
        there=np.zeros((first[-1] - first[-2], few.could.shape[1]), np.uint8),
    )


@compiled
def _listed(few: Few, group: int, found: Parties, write: bool) -> int:
    """How many sets the group has; each subset of those who could come is looked at once."""
    there, count, new = np.ones(few.could.shape[1], np.uint8), 0, group == len(few.can) - 1
    for low in range(len(few.near) if new else 1):
        lowest = 1 << low if new else 0
        others = few.can[group] >> (low + 1) << (low + 1) if new else few.can[group]
        rest = others
        while True:
            people = rest | lowest
            if _could_sit(few, group, people) and (not new or _meets(few, people, there)):
                if write:
                    _write(few, group, people, there, found, found.first[group] + count)
                count += 1
            if rest == 0:
                break
            rest = (rest - 1) & others
    return count


@compiled
def members(people: int) -> int:
    """How many are in the set."""
    number = 0
    while people:
        people &= people - 1
        number += 1
    return number


@compiled
def _could_sit(few: Few, group: int, people: int) -> bool:
    """Whether so many may come, and nothing becomes wrong that was not so before."""
    if people == 0:
        return bool(few.fewest[group] == 0)
    if not few.fewest[group] <= members(people) <= few.most[group] or people & few.barred[group]:
        return False
    firm = _firm_of(few, group, people)
    if few.insist[group] and firm < 0:
        return False
    for one in range(len(few.near)):
        refused = few.wish[one] == (OTHERS if firm >= 0 else COLLEAGUES)
        if people >> one & 1 and (refused or people & few.apart[one]):
            return False
    for column in range(len(few.kind)):
        before = few.number[group, column]
        if before != 1 and before + members(people & few.kind[column]) == 1:
            return False
    return True


@compiled
def _firm_of(few: Few, group: int, people: int) -> int:
    """The company that all have in common, or nobody's."""
    firm = few.firm[group]
    for one in range(len(few.near)):
        if people >> one & 1:
            if firm == ANYBODY:
                firm = few.company[one]
            elif firm != few.company[one]:
                return NOBODY
    return int(firm)


@compiled
def _meets(few: Few, people: int, there: Any) -> bool:
    """Mark where they all could come; whether there is any."""
    somewhere = False
    for cell in range(len(there)):
        there[cell] = 1
        for one in range(len(few.near)):
            if people >> one & 1 and not few.could[one, cell]:
                there[cell] = 0
                break
        somewhere = somewhere or there[cell] == 1
    return somewhere


@compiled
def _write(few: Few, group: int, people: int, there: Any, found: Parties, at: int) -> None:
    """What the set is worth there."""
    far, pairs, size = few.within[group], 0, few.sitting[group] + members(people)
    for one in range(len(few.near)):
        if people >> one & 1:
            far += few.toward[group, one]
            pairs += few.mates[group, one]
            for other in range(one):
                if people >> other & 1:
                    far += few.near[one, other]
                    pairs += few.wanted[one, other]
    mixed = _firm_of(few, group, people) < 0
    found.people[at], found.mixed[at] = people, size if mixed else 0
    found.worth[at] = 2 * far / (size - 1) if mixed and size > 1 else 0.0
    found.minor[at] = pairs - EVEN * size * size
    if group == len(few.can) - 1:
        found.minor[at] -= few.costs * _shortest(few, people, there)
        found.there[at - found.first[group]] = there


@compiled
def _shortest(few: Few, people: int, there: Any) -> float:
    """The fewest kilometres, of where they could meet."""
    least = np.inf
    for cell in range(len(there)):
        if there[cell]:
            way = 0.0
            for one in range(len(few.near)):
                if people >> one & 1:
                    way += few.km[one, cell]
            least = min(least, way)
    return float(least)
