"""Scores an answer as the format defines it: people placed, diversity of the mixed groups and its bound, wanted pairs together."""

from collections import Counter
from collections.abc import Sequence

from grouping.formation.bound import bound, of_one_company
from grouping.formation.model import Answer, Attribute, Group, Person, Problem, Score

UNKNOWN = 0.5  # the distance of a missing value from any other

Worth = tuple[int, list[int], float, int, int, float]


def score(problem: Problem, groups: Sequence[Group]) -> Score:
    """The score, computed from the problem and the groups alone."""
    people = {each.id: each for each in problem.people}
    seat = {id: number for number, group in enumerate(groups) for id in group.members}
    together = sum(one in seat and seat[one] == seat.get(other) for one, other in problem.together)
    seated = [[people[id] for id in group.members] for group in groups]
    mixed = [members for members in seated if not of_one_company(members)]
    means = sum(mean_distances(problem, members) for members in mixed)
    placed = sum(len(members) for members in mixed)
    diversity = means / placed if placed else 0.0
    return Score(placed=len(seat), diversity=diversity, together=together, bound=bound(problem, groups))


def worth(problem: Problem, answer: Answer) -> Worth:
    """Key of the answer in the order of the format: greater is better."""
    people = {each.id: each for each in problem.people}
    place = {each.id: each.municipality for each in problem.places}
    at = {name: number for number, name in enumerate(problem.municipalities)}
    found = answer.score or score(problem, answer.groups)
    waited = sorted((people[id].waiting_days for group in answer.groups for id in group.members), reverse=True)
    km = sum(
        problem.km[at[people[id].municipality]][at[place[group.place]]]
        for group in answer.groups
        for id in group.members
    )
    squares = sum(len(group.members) ** 2 for group in answer.groups)
    return found.placed, waited, round(found.diversity, 9), found.together, -squares, -round(km, 6)


def mean_distances(problem: Problem, members: Sequence[Person]) -> float:
    """Sum over the members of their mean distance to the other members; 0 for a group of one."""
    if len(members) < 2:
        return 0.0
    pairs = sum(
        attribute.weight * _pairs(attribute, Counter(person.attributes.get(name) for person in members))
        for name, attribute in problem.attributes.items()
    )
    return 2 * pairs / (len(members) - 1)


def _pairs(attribute: Attribute, counts: Counter[str | None]) -> float:
    """Sum of the distances of all pairs, from the number of people at each level."""
    level = {each: number for number, each in enumerate(attribute.levels)}
    steps = len(level) - 1 if attribute.kind == "ordinal" else 0
    known = [(level[each], number) for each, number in counts.items() if each is not None]
    unknown = counts[None]
    total = UNKNOWN * (unknown * (unknown - 1) / 2 + unknown * sum(number for _, number in known))
    for at, (one, number) in enumerate(known):
        for other, more in known[:at]:
            total += number * more * (abs(one - other) / steps if steps else 1)
    return total
