"""Judges an answer, rule by rule, from the problem alone. Shares no code with the search.

Invariant: an answer without a line here breaks no hard rule. What the frozen groups break already is inherited: it counts only where the
answer makes it worse.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from grouping.formation.model import Answer, Frozen, Group, Person, Place, Problem

Breach = tuple[str, float]  # the rule and who or what breaks it, and by how much


def check(problem: Problem, answer: Answer) -> list[str]:
    """One line per violation; none when every hard rule is kept."""
    before, now = dict(_breaches(problem, problem.frozen)), dict(_breaches(problem, answer.groups))
    worse = {rule: amount for rule, amount in now.items() if amount > before.get(rule, 0)}
    return [*_everybody_once(problem, answer), *_frozen_stay(problem, answer), *_lines(worse)]


def inherited(problem: Problem) -> list[str]:
    """One line per rule that the frozen groups break already, whatever the answer."""
    return _lines(dict(_breaches(problem, problem.frozen)))


def _lines(breaches: dict[str, float]) -> list[str]:
    return [rule if amount == 1 else f"{rule} (by {amount:g})" for rule, amount in breaches.items()]


def _everybody_once(problem: Problem, answer: Answer) -> Iterator[str]:
    times = Counter([id for group in answer.groups for id in group.members] + [each.id for each in answer.unplaced])
    for person in problem.people:
        if times[person.id] != 1:
            yield f"{person.id} stands in the answer {times[person.id]} times"
    for id in sorted(times.keys() - {person.id for person in problem.people}):
        yield f"{id} is nobody"
    for id, groups in Counter(group.id for group in answer.groups).items():
        if groups > 1:
            yield f"{groups} groups are called {id}"


def _frozen_stay(problem: Problem, answer: Answer) -> Iterator[str]:
    for frozen in problem.frozen:
        kept = next((group for group in answer.groups if group.id == frozen.id), None)
        if kept is None or (kept.slot, kept.place, kept.facilitator) != (frozen.slot, frozen.place, frozen.facilitator):
            yield f"frozen group {frozen.id} did not stay where it was"
        elif not set(frozen.members) <= set(kept.members):
            yield f"frozen group {frozen.id} lost a member"


def _breaches(problem: Problem, groups: Sequence[Group | Frozen]) -> Iterator[Breach]:
    people = {each.id: each for each in problem.people}
    yield from _rooms_and_loads(problem, groups)
    for group in groups:
        members = [people[id] for id in group.members if id in people]
        yield from _size(problem, group.id, len(group.members))
        yield from _whereabouts(problem, group, members)
        yield from _company_kept(problem, group.id, members)


def _rooms_and_loads(problem: Problem, groups: Sequence[Group | Frozen]) -> Iterator[Breach]:
    rooms = {place.id: place.rooms for place in problem.places}
    for (slot, place), used in Counter((group.slot, group.place) for group in groups).items():
        if used > rooms.get(place, 0):
            yield f"{place} has too few rooms in {slot}", used - rooms.get(place, 0)
    loads = {each.id: each.groups for each in problem.facilitators}
    for leader, led in Counter(group.facilitator for group in groups).items():
        if led > loads.get(leader, 0):
            yield f"{leader} leads too many groups", led - loads.get(leader, 0)
    for (slot, leader), led in Counter((group.slot, group.facilitator) for group in groups).items():
        if led > 1:
            yield f"{leader} leads more than one group in {slot}", led - 1


def _size(problem: Problem, group: str, members: int) -> Iterator[Breach]:
    if members < problem.size[0]:
        yield f"{group} has too few members", problem.size[0] - members
    if members > problem.size[1]:
        yield f"{group} has too many members", members - problem.size[1]


def _whereabouts(problem: Problem, group: Group | Frozen, members: Iterable[Person]) -> Iterator[Breach]:
    place = next((each for each in problem.places if each.id == group.place), None)
    leader = next((each for each in problem.facilitators if each.id == group.facilitator), None)
    if place is None or leader is None:
        yield f"{group.id} meets nowhere, or with nobody", 1
        return
    if group.slot not in leader.slots:
        yield f"{leader.id} is not free in {group.slot}", 1
    if _km(problem, leader.municipality, place) > leader.travel_km:
        yield f"{leader.id} does not reach {place.id}", 1
    for person in members:
        if group.slot not in person.slots:
            yield f"{person.id} cannot attend {group.slot}", 1
        if _km(problem, person.municipality, place) > person.travel_km:
            yield f"{person.id} does not reach {place.id}", 1
        if person.needs_access and not place.access:
            yield f"{person.id} cannot enter {place.id}", 1
        if person.not_before is not None and problem.on is not None and person.not_before > problem.on:
            yield f"{person.id} waits until {person.not_before}", 1


def _km(problem: Problem, municipality: str, place: Place) -> float:
    return problem.km[problem.municipalities.index(municipality)][problem.municipalities.index(place.municipality)]


def _company_kept(problem: Problem, group: str, members: Sequence[Person]) -> Iterator[Breach]:
    ids = {person.id for person in members}
    for one, other in problem.apart:
        if {one, other} <= ids:
            yield f"{one} and {other} are to be apart", 1
    companies = {person.company for person in members}
    alike = len(companies) == 1 and None not in companies
    for person in members:
        if person.with_ == "colleagues" and not alike:
            yield f"{person.id} is not among colleagues alone", 1
        if person.with_ == "others" and alike:
            yield f"{person.id} is among colleagues alone", 1
    for name, attribute in problem.attributes.items():
        if attribute.no_one_alone:
            levels = Counter(person.attributes.get(name) for person in members)
            for level in (level for level, number in levels.items() if number == 1 and level is not None):
                yield f"{group} has one {level} alone ({name})", 1
