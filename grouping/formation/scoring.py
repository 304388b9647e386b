"""How good an answer is, as the format defines it: people placed, diversity of the mixed groups, wanted pairs together."""

from collections.abc import Sequence
from itertools import combinations

from grouping.formation.model import Attribute, Group, Person, Problem, Score

UNKNOWN = 0.5  # the distance of a missing value from any other


def score(problem: Problem, groups: Sequence[Group]) -> Score:
    """Recomputed from the problem and the groups alone."""
    people = {each.id: each for each in problem.people}
    seat = {id: number for number, group in enumerate(groups) for id in group.members}
    together = sum(one in seat and seat[one] == seat.get(other) for one, other in problem.together)
    mixed = [
        members
        for members in ([people[id] for id in group.members] for group in groups)
        if not _of_one_company(members)
    ]
    means = sum(_mean_distances(problem, members) for members in mixed)
    placed = sum(len(members) for members in mixed)
    return Score(placed=len(seat), diversity=means / placed if placed else 0.0, together=together)


def _of_one_company(members: Sequence[Person]) -> bool:
    companies = {person.company for person in members}
    return len(companies) == 1 and None not in companies


def _mean_distances(problem: Problem, members: Sequence[Person]) -> float:
    """The sum over the members of their mean distance to the groupmates; nobody is far from nobody."""
    total = sum(_distance(problem, one, other) for one, other in combinations(members, 2))
    return 2 * total / (len(members) - 1) if len(members) > 1 else 0.0


def _distance(problem: Problem, one: Person, other: Person) -> float:
    return sum(
        attribute.weight * _difference(attribute, one.attributes.get(name), other.attributes.get(name))
        for name, attribute in problem.attributes.items()
    )


def _difference(attribute: Attribute, one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return UNKNOWN
    if attribute.kind == "nominal" or len(attribute.levels) == 1:
        return float(one != other)
    return abs(attribute.levels.index(one) - attribute.levels.index(other)) / (len(attribute.levels) - 1)
