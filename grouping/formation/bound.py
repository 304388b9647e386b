"""The upper bound of diversity for groups of these sizes (`score.bound`), defined and proven here.

Of the answer's groups that are not of one company let P be the members and n_g the sizes; a group of one (n_g = 1) has no distances. The
bound holds for every way to seat P in groups of these sizes, whatever slots, places and pairs forbid.

Definition. An attribute is one or more *components*, each of which puts every person into a class or leaves them unknown:
- nominal, or ordinal of a single level: one component, the classes are the levels, factor = weight;
- ordinal of L > 1 levels: one component for each t = 1 .. L - 1, the classes "level <= t" and "level > t", factor = weight / (L - 1).
For a component with C_k people of P in class k, K = sum of C_k, and s groups of one, over the groups with n_g >= 2:

    U = sum_g n_g / 2  +  T  -  sum_k M_k
    T   = max of sum_g K_g (n_g + 1) / (2 (n_g - 1))   over real 0 <= K_g <= n_g with sum_g K_g <= K
    M_k = min of sum_g c_g^2 / (n_g - 1)               over whole 0 <= c_g <= n_g with sum_g c_g = max(0, C_k - s), at most sum_g n_g

    bound = sum over components of factor * U / |P|,   and 0 when P is empty.

Proof. A component's distance of two people is 0 or 1 as their classes are equal or not, 1/2 if one is unknown; weighted by the factors and
summed these are the distances of the format (|a - b| levels are |a - b| thresholds between them). A group with c_k people in class k, K_g
known, has (K_g^2 - sum c_k^2) / 2 pairs that differ and n_g (n_g - 1) / 2 - K_g (K_g - 1) / 2 pairs with an unknown. Its members' mean
distances sum to twice the pairs' distances over n_g - 1, which is

    n_g / 2  +  (K_g^2 + K_g) / (2 (n_g - 1))  -  sum_k c_k^2 / (n_g - 1).

On 0 .. n_g the convex K_g^2 + K_g is at most its chord K_g (n_g + 1), hence the second terms sum to at most T. At least C_k - s of class k
sit in groups of two or more, and c^2 grows with c, hence the last terms sum to at least M_k for each k. Each extreme is taken by
itself, so the sum is at least what any seating reaches. Nothing unknown and equal sizes: each component by itself is exact.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from grouping.formation.model import Attribute, Frozen, Group, Person, Problem


def bound(problem: Problem, groups: Sequence[Group | Frozen]) -> float:
    """The highest possible `diversity` for the same people in groups of the same sizes."""
    people = {each.id: each for each in problem.people}
    seated = [[people[id] for id in group.members] for group in groups]
    mixed = [members for members in seated if not of_one_company(members)]
    sizes = Counter(len(members) for members in mixed)
    placed = [person for members in mixed for person in members]
    if not placed:
        return 0.0
    return sum(
        factor * _most(Counter(classes), sizes)
        for name, attribute in problem.attributes.items()
        for factor, classes in _components(attribute, [person.attributes.get(name) for person in placed])
    ) / len(placed)


def of_one_company(members: Sequence[Person]) -> bool:
    """True when all members are colleagues of one company; a single person of a company counts as such a group."""
    companies = {person.company for person in members}
    return len(companies) == 1 and None not in companies


def _components(attribute: Attribute, values: Sequence[str | None]) -> Iterator[tuple[float, list[int | None]]]:
    levels = {level: number for number, level in enumerate(attribute.levels)}
    at = [None if value is None else levels[value] for value in values]
    if attribute.kind == "nominal" or len(levels) == 1:
        yield attribute.weight, at
        return
    for t in range(len(levels) - 1):
        yield attribute.weight / (len(levels) - 1), [None if level is None else int(level > t) for level in at]


def _most(classes: Counter[int | None], sizes: Counter[int]) -> float:
    """U of the definition, for one component."""
    groups = {size: number for size, number in sizes.items() if size > 1}
    alone, known = sizes[1], sum(number for each, number in classes.items() if each is not None)
    seats = sum(size * number for size, number in groups.items())
    rises = sorted(((size + 1) / (2 * (size - 1)), size * number) for size, number in groups.items())
    costs = sorted(
        ((2 * sitting + 1) / (size - 1), number) for size, number in groups.items() for sitting in range(size)
    )
    spread = sum(_taken(costs, max(0, number - alone)) for each, number in classes.items() if each is not None)
    return seats / 2 + _taken(rises[::-1], known) - spread


def _taken(offers: Sequence[tuple[float, int]], wanted: int) -> float:
    """Sum of the first `wanted` offers, each (worth of one, how many there are)."""
    total = 0.0
    for worth, number in offers:
        taken = min(number, wanted)
        total += worth * taken
        wanted -= taken
        if not wanted:
            break
    return total
