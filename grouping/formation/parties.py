"""Sets of standing people who could sit together, for few people: every set that could join a group that meets, or make a new one.

A set is a number, one bit for each person. Invariant: a set is listed for a group exactly if it makes no fault there that the group did not
have before. A set for a new group has at least one slot and place to which all of them can come.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, inner
from grouping.formation.pool import COLLEAGUES, OTHERS, Pool, in_one_order
from grouping.formation.tables import NOBODY, Tables

EVEN = 1e-4  # cost of the square of a size, in wanted pairs
FAR = 1e-5  # cost of all possible kilometres together
ANYBODY = -2  # the company of an empty group: the first who comes decides


class Few(NamedTuple):
    """n standing people, and g groups in which they could sit. The last group stands for any new one, which is empty."""

    fewest: Any  # [g] people who must come
    most: Any  # [g] people who may come
    can: Any  # [g] set of the people who could come
    sitting: Any  # [g] number of members
    within: Any  # [g] sum of the distances of the members, each pair once
    toward: Any  # [g, n] sum of the distances to the members
    mates: Any  # [g, n] number of wanted members
    barred: Any  # [g] set of the people who must be apart from a member
    firm: Any  # [g] company of the members: NOBODY where they have none in common
    insist: Any  # [g] True when a member insists on colleagues
    number: Any  # [g, c] number of members in each column in which nobody may be alone
    kind: Any  # [c] set of the people in the column
    near: Any  # [n, n] distances
    wanted: Any  # [n, n] wanted pairs
    apart: Any  # [n] set of the people from whom they must be apart
    company: Any  # [n]
    wish: Any  # [n]
    could: Any  # [n, cells] the person could come to the cell (a slot and place where somebody could lead)
    km: Any  # [n, cells]
    costs: float  # cost of a kilometre


class Parties(NamedTuple):
    """p sets. Those of group g are from `first[g]` to `first[g + 1]`; those of a new one are in the order of their lowest person."""

    first: Any  # [g + 1]
    people: Any  # [p] the set
    worth: Any  # [p] sum of the mean distances, members included
    mixed: Any  # [p] members then; 0 among colleagues alone
    minor: Any  # [p] wanted pairs, less a little for size and way: decides ties
    there: Any  # [p of a new group, cells] the set could meet in the cell


def few(pool: Pool, made: Tables, people: Any, cells: Any) -> Few:
    """The arrays for these people and the groups that meet. `cells`: rows of slot and place."""
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
    return in_one_order(
        Few(
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
            near=near[:, people],
            wanted=wanted[:, people].astype(np.int64),
            apart=(apart[:, people] * bits).sum(1),
            company=pool.company[people],
            wish=pool.wish[people].astype(np.int64),
            could=pool.free[people][:, cells[:, 0]] & pool.reach[people][:, cells[:, 1]],
            km=km,
            costs=FAR / max(1.0, float(km.max(1, initial=0).sum())),
        )
    )


def _far(pool: Pool, people: Any) -> Any:
    """Distances from these people to all people; 0 to themselves."""
    far = np.zeros((len(people), len(pool.own)))
    for column in pool.column.T:
        far += pool.row[people][:, column]
    far[np.arange(len(people)), people] = 0.0
    return far


def _linked(first: Any, mates: Any, people: Any) -> Any:
    """[people, n] True where two people make a pair."""
    linked = np.zeros((len(people), len(first) - 1), bool)
    for at, person in enumerate(people):
        linked[at, mates[first[person] : first[person + 1]]] = True
    return linked


def _firm(pool: Pool, team: Any) -> int:
    companies = set(pool.company[team].tolist())
    return ANYBODY if not companies else companies.pop() if len(companies) == 1 else NOBODY


def parties(few: Few) -> Parties:
    """All sets: counted first, then written."""
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
    """Number of the sets of the group. Each subset of those who could come is looked at once."""
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
    """Number of people in the set."""
    number = 0
    while people:
        people &= people - 1
        number += 1
    return number


@inner
def _could_sit(few: Few, group: int, people: int) -> bool:
    """True when so many may come and no new fault is made."""
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


@inner
def _firm_of(few: Few, group: int, people: int) -> int:
    """The company that all of them have in common, or NOBODY."""
    firm = few.firm[group]
    for one in range(len(few.near)):
        if people >> one & 1:
            if firm == ANYBODY:
                firm = few.company[one]
            elif firm != few.company[one]:
                return NOBODY
    return int(firm)


@inner
def _meets(few: Few, people: int, there: Any) -> bool:
    """Mark the cells to which all of them could come; True when there is one."""
    somewhere = False
    for cell in range(len(there)):
        there[cell] = 1
        for one in range(len(few.near)):
            if people >> one & 1 and not few.could[one, cell]:
                there[cell] = 0
                break
        somewhere = somewhere or there[cell] == 1
    return somewhere


@inner
def _write(few: Few, group: int, people: int, there: Any, found: Parties, at: int) -> None:
    """Write the set with its worth in that group."""
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


@inner
def _shortest(few: Few, people: int, there: Any) -> float:
    """The fewest kilometres over the cells where they could meet."""
    least = np.inf
    for cell in range(len(there)):
        if there[cell]:
            way = 0.0
            for one in range(len(few.near)):
                if people >> one & 1:
                    way += few.km[one, cell]
            least = min(least, way)
    return float(least)
