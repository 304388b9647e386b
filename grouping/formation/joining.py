"""The effect of one late comer: the groups that they could join, and the change of the figures by each.

Invariant: an effect is exact: the difference between the figures of all groups with and without the comer. A group that breaks a rule by it
is not offered. It takes milliseconds, since the sums over the other groups are taken once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grouping.formation.bound import of_one_company
from grouping.formation.model import Frozen, Group, Person, Problem
from grouping.formation.pool import later
from grouping.formation.scoring import mean_distances
from grouping.formation.seating import faults


@dataclass(frozen=True)
class Effect:
    """The effect of joining a group: change of `diversity` over all groups, wanted pairs, the comer's kilometres, members then."""

    group: str
    diversity: float
    together: int
    km: float
    members: int


def place(problem: Problem, groups: Sequence[Group | Frozen], person: str) -> list[Effect]:
    """Effects, best first: diversity, wanted pairs, smaller groups, shorter ways. KeyError when the problem does not have the person."""
    people = {each.id: each for each in problem.people}
    comer = people[person]
    seated = [[people[id] for id in group.members] for group in groups]
    if any(person in group.members for group in groups) or later(problem, comer):
        return []
    worth = [0.0 if of_one_company(members) else mean_distances(problem, members) for members in seated]
    mixed = sum(len(members) for members in seated if not of_one_company(members))
    before = sum(worth) / mixed if mixed else 0.0
    effects = []
    for at, (group, members) in enumerate(zip(groups, seated, strict=True)):
        joined = [*members, comer]
        km = _km(problem, comer, group)
        if km is None or len(joined) > problem.size[1] or not faults(problem, joined) <= faults(problem, members):
            continue
        was, alike = of_one_company(members), of_one_company(joined)
        means = sum(worth) - worth[at] + (0.0 if alike else mean_distances(problem, joined))
        count = mixed - (0 if was else len(members)) + (0 if alike else len(joined))
        pairs = _pairs(problem, comer, group)
        effects.append(Effect(group.id, (means / count if count else 0.0) - before, pairs, km, len(joined)))
    return sorted(effects, key=lambda each: (-round(each.diversity, 9), -each.together, each.members, each.km))


def _km(problem: Problem, person: Person, group: Group | Frozen) -> float | None:
    """Kilometres from the person to the group; None when they cannot come there and then."""
    place = next(each for each in problem.places if each.id == group.place)
    at = problem.municipalities.index
    km = problem.km[at(person.municipality)][at(place.municipality)]
    possible = group.slot in person.slots and km <= person.travel_km and (place.access or not person.needs_access)
    return km if possible else None


def _pairs(problem: Problem, person: Person, group: Group | Frozen) -> int:
    mates = {one if other == person.id else other for one, other in problem.together if person.id in (one, other)}
    return len(mates & set(group.members))
