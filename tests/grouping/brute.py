"""The best answer to a tiny problem, by trying every one: sets of people, seats for the sets, rooms and leaders for the seats.

Written from the format alone, by pairs of people and without regard for time, so that neither the checker nor the engine is its witness.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from grouping.formation import Answer, Problem
from grouping.formation.model import Attribute, Frozen, Person

Cell = tuple[str, str, str]  # slot, place, facilitator
Fault = tuple[str, ...]
Rank = tuple[int, tuple[int, ...], float, int]


@dataclass(frozen=True)
class Party:
    """People who may sit together, where they may, and what that is worth."""

    members: frozenset[str]
    cells: tuple[Cell, ...]
    mixed: int  # members of a group that is not of one company
    worth: float  # their mean distances, summed
    together: int


def best(problem: Problem) -> Rank:
    """Placed, waiting days, diversity, pairs together: of the best answer there is."""
    people = {each.id: each for each in problem.people}
    joined = [list(_joined(problem, people, group)) for group in problem.frozen]
    parties = list(_parties(problem, people))
    top: Rank = (-1, (), 0.0, 0)
    for begun in product(*joined):
        seated = frozenset[str]().union(*(party.members for party in begun))
        if len(seated) == sum(len(party.members) for party in begun):
            free = [id for id in people if id not in seated]
            for more in _packings(free, [party for party in parties if party.members.isdisjoint(seated)]):
                rank = _rank(problem, people, [*begun, *more])
                if rank > top and _cells_for(problem, more):
                    top = rank
    return top


def legal(problem: Problem, answer: Answer) -> bool:
    """True when the answer may be given. Its groups have slots, places, facilitators and people of the problem."""
    people = {each.id: each for each in problem.people}
    told = [id for group in answer.groups for id in group.members] + [each.id for each in answer.unplaced]
    fixed = {each.id: each for each in problem.frozen}
    here = {each.id: each for each in answer.groups}
    if sorted(told) != sorted(people) or len(here) != len(answer.groups) or not fixed.keys() <= here.keys():
        return False
    for group in answer.groups:
        old = fixed.get(group.id)
        sitting = [people[id] for id in old.members] if old else []
        members = [people[id] for id in group.members]
        comers = [each for each in members if each not in sitting]
        cell = (group.slot, group.place, group.facilitator)
        if old and (cell != (old.slot, old.place, old.facilitator) or any(each not in members for each in sitting)):
            return False
        if not (old or problem.size[0] <= len(members)) or (comers and len(members) > problem.size[1]):
            return False
        if any(_absent(problem, each, group.slot, group.place) for each in comers):
            return False
        if not _faults(problem, members) <= _faults(problem, sitting) or not (old or cell in _led(problem)):
            return False
    return _free([(g.slot, g.place, g.facilitator) for g in answer.groups if g.id not in fixed], problem)


def _packings(free: Sequence[str], parties: Sequence[Party]) -> Iterator[list[Party]]:
    """Every way to put some of them into parties."""
    if not free:
        yield []
        return
    first, rest = free[0], free[1:]
    for party in parties:
        if first in party.members:
            left = [other for other in parties if other.members.isdisjoint(party.members)]
            for more in _packings([id for id in rest if id not in party.members], left):
                yield [party, *more]
    yield from _packings(rest, [party for party in parties if first not in party.members])


def _rank(problem: Problem, people: dict[str, Person], parties: Iterable[Party]) -> Rank:
    parties = list(parties)
    mixed = sum(party.mixed for party in parties)
    worth = sum(party.worth for party in parties)
    days = sorted((people[id].waiting_days for party in parties for id in party.members), reverse=True)
    together = sum(party.together for party in parties)
    return len(days), tuple(days), round(worth / mixed, 9) if mixed else 0.0, together


def _cells_for(problem: Problem, parties: Sequence[Party]) -> bool:
    """True when each party gets a room and a leader, beside the groups that meet already."""
    return any(_free(chosen, problem) for chosen in product(*(party.cells for party in parties)))


def _free(chosen: Sequence[Cell], problem: Problem) -> bool:
    rooms = {place.id: place.rooms for place in problem.places}
    loads = {each.id: each.groups for each in problem.facilitators}
    cells = [*((group.slot, group.place, group.facilitator) for group in problem.frozen), *chosen]
    used = Counter((slot, place) for slot, place, _ in cells)
    led = Counter(leader for _, _, leader in cells)
    at_once = Counter((slot, leader) for slot, _, leader in cells)
    return all(
        used[slot, place] <= rooms[place] and led[leader] <= loads[leader] and at_once[slot, leader] == 1
        for slot, place, leader in chosen
    )


def _led(problem: Problem) -> list[Cell]:
    """Cells where somebody could lead."""
    return [
        (slot, place.id, each.id)
        for slot, place, each in product(problem.slots, problem.places, problem.facilitators)
        if slot in each.slots and _km(problem, each.municipality, place.municipality) <= each.travel_km
    ]


def _parties(problem: Problem, people: dict[str, Person]) -> Iterator[Party]:
    seated = {id for group in problem.frozen for id in group.members}
    free = [each for each in people.values() if each.id not in seated]
    cells = _led(problem)
    for size in range(problem.size[0], problem.size[1] + 1):
        for members in combinations(free, size):
            if not _faults(problem, members):
                possible = tuple(c for c in cells if all(not _absent(problem, each, c[0], c[1]) for each in members))
                if possible:
                    yield _party(problem, members, possible)


def _joined(problem: Problem, people: dict[str, Person], group: Frozen) -> Iterator[Party]:
    """Those who meet, with everybody who could join them without making anything worse."""
    seated = {id for each in problem.frozen for id in each.members}
    sitting = [people[id] for id in group.members]
    comers = [
        each
        for each in people.values()
        if each.id not in seated and not _absent(problem, each, group.slot, group.place)
    ]
    for more in range(max(0, problem.size[1] - len(sitting)) + 1):
        for chosen in combinations(comers, more):
            members = [*sitting, *chosen]
            if _faults(problem, members) <= _faults(problem, sitting):
                yield _party(problem, members, ())


def _party(problem: Problem, members: Sequence[Person], cells: tuple[Cell, ...]) -> Party:
    ids = frozenset(each.id for each in members)
    mixed = not (members and members[0].company is not None and len({each.company for each in members}) == 1)
    far = sum(distance(problem, one, other) for one, other in combinations(members, 2))
    worth = 2 * far / (len(members) - 1) if mixed and len(members) > 1 else 0.0
    together = sum(one in ids and other in ids for one, other in problem.together)
    return Party(ids, cells, len(ids) if mixed else 0, worth, together)


def _absent(problem: Problem, person: Person, slot: str, place_id: str) -> bool:
    place = next(each for each in problem.places if each.id == place_id)
    early = bool(person.not_before and problem.on and person.not_before > problem.on)
    far = _km(problem, person.municipality, place.municipality) > person.travel_km
    return early or far or slot not in person.slots or (person.needs_access and not place.access)


def _km(problem: Problem, one: str, other: str) -> float:
    return problem.km[problem.municipalities.index(one)][problem.municipalities.index(other)]


def _faults(problem: Problem, members: Sequence[Person]) -> set[Fault]:
    """Faults among these members, wherever they meet."""
    ids = {each.id for each in members}
    faults: set[Fault] = {("apart", *sorted(pair)) for pair in problem.apart if set(pair) <= ids}
    for each in members:
        colleagues = each.company is not None and all(other.company == each.company for other in members)
        if (each.with_ == "colleagues" and not colleagues) or (each.with_ == "others" and colleagues):
            faults.add(("with", each.id))
    for name, attribute in problem.attributes.items():
        if attribute.no_one_alone:
            found = [each.attributes.get(name) for each in members]
            faults |= {("alone", name, level) for level in attribute.levels if found.count(level) == 1}
    return faults


def distance(problem: Problem, one: Person, other: Person) -> float:
    return sum(
        attribute.weight * _apart(attribute, one.attributes.get(name), other.attributes.get(name))
        for name, attribute in problem.attributes.items()
    )


def _apart(attribute: Attribute, one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return 0.5
    if one == other:
        return 0.0
    if attribute.kind == "nominal":
        return 1.0
    levels = list(attribute.levels)
    return abs(levels.index(one) - levels.index(other)) / (len(levels) - 1)
