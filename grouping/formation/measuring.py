"""Measures an answer anew from the problem and its groups, without the answer's own score. Shares no code with the search.

`bound` is a number that no way of seating the same people in groups of the same sizes can exceed. It does not depend on slots, places or
pairs. It is defined as follows. Of the groups that are not of one company, P people sit in groups of n. Each attribute is a sum of
*questions* with a worth. A nominal one, or one of a single level, is one question, "which level?", worth its weight. An ordinal one with
L levels is L - 1 questions, "above level t?", each worth weight / (L - 1), since |a - b| is how many of them two people answer
differently. Two people differ in a question by 1 or 0, by 1/2 where one of them has no answer. If in a group of n > 1 there are K who
answer, c_k of them with answer k, the members' mean distances in this question sum to (twice the pairs that differ, over n - 1)

    n / 2  +  K (K + 1) / (2 (n - 1))  -  sum over k of c_k^2 / (n - 1).                                                        (1)

The bound of a question adds up, over the groups with n > 1: all the n / 2; the most that K (n + 1) / (2 (n - 1)) could sum to if those who
answer sat anywhere, the smallest groups first; less, for each k by itself, the least that c_k^2 / (n - 1) could sum to for whole numbers
c_k <= n that sum to all who answered k, but for as many as there are groups of one. `bound` is the sum of worth times this, over P.

Proof that it is one: K (K + 1) <= K (n + 1) as K <= n, and each part of (1) is replaced by what is best over all choices, made for each
part by itself, among them the choice that the seating made. Of those who answered k at most one sits in each group of one, where nobody
has a distance; c^2 grows with c, so that leaving them out only lowers what is subtracted. The least of a sum of convex terms is found by
giving one after the other to the group where one more costs least, (2 c + 1) / (n - 1).

Invariant: `diversity` <= `bound`, for every answer whose members are the problem's.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grouping.formation.model import Answer, Attribute, Group, Person, Problem

ROUNDED = 0.0051  # tolerance for an answer's own figures, which may be rounded to two digits


@dataclass(frozen=True)
class Measured:
    """The figures by which answers are compared, in this order. Less is better for the sum of squares of `sizes`, and for `km`, all ways
    there."""

    placed: int
    waiting: tuple[int, ...]
    diversity: float
    together: int
    sizes: tuple[int, ...]
    km: float
    bound: float
    mixed: int  # people in groups that are not of one company: the others have no diversity

    @property
    def gap(self) -> float:
        """Missing share of the bound; 0 where the bound is 0."""
        return (self.bound - self.diversity) / self.bound if self.bound else 0.0

    @property
    def rank(self) -> tuple[int, tuple[int, ...], float, int, int, float]:
        """Key of the comparison: greater is better. Diversities that differ by rounding alone are equal."""
        squares = sum(size**2 for size in self.sizes)
        return self.placed, self.waiting, round(self.diversity, 9), self.together, -squares, -round(self.km, 6)


def measure(problem: Problem, answer: Answer) -> Measured:
    """Score and bound of an answer. KeyError when it names a person whom the problem does not define."""
    people = {each.id: each for each in problem.people}
    seated = {group.id: [people[id] for id in group.members] for group in answer.groups}
    mixed = [members for members in seated.values() if not _colleagues(members)]
    group_of = {id: group.id for group in answer.groups for id in group.members}
    number = sum(map(len, mixed))
    means = sum(group_diversity(problem, members) * len(members) for members in mixed)
    return Measured(
        placed=len(group_of),
        waiting=tuple(sorted((people[id].waiting_days for id in group_of), reverse=True)),
        diversity=means / number if number else 0.0,
        together=sum(one in group_of and group_of[one] == group_of.get(other) for one, other in problem.together),
        sizes=tuple(sorted(len(members) for members in seated.values())),
        km=sum(_ways(problem, answer.groups, people)),
        bound=_bound(problem, mixed) / number if number else 0.0,
        mixed=number,
    )


def false_claims(problem: Problem, answer: Answer) -> list[str]:
    """One line for each figure of the answer's own score that is wrong."""
    if answer.score is None:
        return []
    true, said = measure(problem, answer), answer.score
    lines = [
        f"score.{what} says {claimed:g} and is {is_:g}"
        for what, claimed, is_ in (
            ("placed", said.placed, true.placed),
            ("diversity", said.diversity, true.diversity),
            ("together", said.together, true.together),
        )
        if abs(claimed - is_) > ROUNDED
    ]
    if said.bound is not None and said.bound < true.diversity - ROUNDED:
        lines.append(f"score.bound says {said.bound:g}, and diversity is {true.diversity:g}")
    return lines


def group_diversity(problem: Problem, members: Sequence[Person]) -> float:
    """Mean over the members of their mean distance to the others."""
    if len(members) < 2:
        return 0.0
    parts = (part(attribute, name, members) for name, attribute in problem.attributes.items())
    return sum(parts)


def part(attribute: Attribute, name: str, members: Sequence[Person]) -> float:
    """Contribution of one attribute to `group_diversity`. Counted by levels, not by pairs of people."""
    here = Counter(level for person in members if (level := person.attributes.get(name)) is not None)
    known = here.total()
    unknown = len(members) - known
    step = {level: number for number, level in enumerate(attribute.levels)}
    longest = len(step) - 1
    apart = unknown * (unknown - 1) / 2 + unknown * known  # each of these pairs twice, at a half
    for one, ones in here.items():
        for other, others in here.items():
            if one != other:
                apart += ones * others * (abs(step[one] - step[other]) / longest if attribute.kind == "ordinal" else 1)
    return attribute.weight * apart / (len(members) * (len(members) - 1))


def _ways(problem: Problem, groups: Sequence[Group], people: dict[str, Person]) -> Iterator[float]:
    town = {name: number for number, name in enumerate(problem.municipalities)}
    where = {place.id: town[place.municipality] for place in problem.places}
    for group in groups:
        for id in group.members if group.place in where else ():
            yield problem.km[town[people[id].municipality]][where[group.place]]


def _colleagues(members: Sequence[Person]) -> bool:
    """True when everybody is of one company. People without a company are nobody's colleagues."""
    return len({person.company for person in members}) == 1 and members[0].company is not None


def _bound(problem: Problem, groups: Sequence[Sequence[Person]]) -> float:
    """Sum over the questions, as defined above."""
    sizes = [len(members) for members in groups]
    total = 0.0
    for name, attribute in problem.attributes.items():
        levels = [person.attributes.get(name) for members in groups for person in members]
        at = [None if level is None else attribute.levels.index(level) for level in levels]
        last = len(attribute.levels) - 1
        if attribute.kind == "nominal" or not last:
            total += attribute.weight * _question(Counter(at), sizes)
        else:
            for t in range(last):
                answers = Counter(None if level is None else int(level > t) for level in at)
                total += attribute.weight / last * _question(answers, sizes)
    return total


def _question(answers: Counter[int | None], sizes: Sequence[int]) -> float:
    larger = sorted(size for size in sizes if size > 1)
    known = sum(number for answer, number in answers.items() if answer is not None)
    best = sum(larger) / 2
    for size in larger:
        here = min(size, known)
        best += here * (size + 1) / (2 * (size - 1))
        known -= here
    alone = sizes.count(1)
    least = sum(_least(number - alone, larger) for answer, number in answers.items() if answer is not None)
    return best - least


def _least(number: int, sizes: Sequence[int]) -> float:
    """The least sum of c^2 / (n - 1): each person in turn goes to the group where one more costs least."""
    next_ones = [(1 / (size - 1), 0, size) for size in sizes]
    heapq.heapify(next_ones)
    total = 0.0
    for _ in range(min(number, sum(sizes))):
        cost, there, size = next_ones[0]
        total += cost
        if there + 1 < size:
            heapq.heapreplace(next_ones, ((2 * there + 3) / (size - 1), there + 1, size))
        else:
            heapq.heappop(next_ones)
    return total
