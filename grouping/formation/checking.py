"""Judges an answer, rule by rule, from the problem alone. Shares no code with the search.

Invariant: an answer without a line here breaks no hard rule; rules that a frozen group broke already are reported as inherited.
"""

from collections import Counter
from collections.abc import Iterator

from grouping.formation.model import Answer, Group, Problem


def check(problem: Problem, answer: Answer) -> list[str]:
    """One line per violation; none when every hard rule is kept."""
    return [*_everybody_once(problem, answer), *_places_and_facilitators(problem, answer), *_groups(problem, answer)]


def _everybody_once(problem: Problem, answer: Answer) -> Iterator[str]:
    times = Counter([id for group in answer.groups for id in group.members] + [each.id for each in answer.unplaced])
    for person in problem.people:
        if times[person.id] != 1:
            yield f"{person.id} stands in the answer {times[person.id]} times"
    for id in times.keys() - {person.id for person in problem.people}:
        yield f"{id} is nobody"
    for frozen in problem.frozen:
        kept = next((group for group in answer.groups if group.id == frozen.id), None)
        if kept is None or (kept.slot, kept.place, kept.facilitator) != (frozen.slot, frozen.place, frozen.facilitator):
            yield f"frozen group {frozen.id} did not stay where it was"
        elif not set(frozen.members) <= set(kept.members):
            yield f"frozen group {frozen.id} lost a member"


def _places_and_facilitators(problem: Problem, answer: Answer) -> Iterator[str]:
    rooms = {place.id: place.rooms for place in problem.places}
    for (slot, place), used in Counter((group.slot, group.place) for group in answer.groups).items():
        if used > rooms.get(place, 0):
            yield f"{place} has {rooms.get(place, 0)} rooms in {slot}, not {used}"
    loads = {each.id: each.groups for each in problem.facilitators}
    for facilitator, led in Counter(group.facilitator for group in answer.groups).items():
        if led > loads.get(facilitator, 0):
            yield f"{facilitator} leads {led} groups, at most {loads.get(facilitator, 0)}"
    for (slot, facilitator), led in Counter((group.slot, group.facilitator) for group in answer.groups).items():
        if led > 1:
            yield f"{facilitator} leads {led} groups in {slot}"


def _groups(problem: Problem, answer: Answer) -> Iterator[str]:
    for group in answer.groups:
        frozen = {id for each in problem.frozen if each.id == group.id for id in each.members}
        if not problem.size[0] <= len(group.members) <= problem.size[1] and set(group.members) != frozen:
            yield f"{group.id} has {len(group.members)} members"
        yield from _members(problem, group, frozen)
        yield from _company(problem, group, frozen)


def _members(problem: Problem, group: Group, frozen: set[str]) -> Iterator[str]:
    km = {
        (a, b): problem.km[i][j]
        for i, a in enumerate(problem.municipalities)
        for j, b in enumerate(problem.municipalities)
    }
    place = next((each for each in problem.places if each.id == group.place), None)
    leader = next((each for each in problem.facilitators if each.id == group.facilitator), None)
    if place is None or leader is None:
        yield f"{group.id} meets nowhere, or with nobody"
        return
    if group.slot not in leader.slots or km[leader.municipality, place.municipality] > leader.travel_km:
        yield f"{leader.id} cannot be at {place.id} in {group.slot}"
    for person in (each for each in problem.people if each.id in group.members and each.id not in frozen):
        if group.slot not in person.slots:
            yield f"{person.id} cannot attend {group.slot}"
        if km[person.municipality, place.municipality] > person.travel_km:
            yield f"{person.id} does not reach {place.id}"
        if person.needs_access and not place.access:
            yield f"{person.id} cannot enter {place.id}"
        if person.not_before is not None and problem.on is not None and person.not_before > problem.on:
            yield f"{person.id} waits until {person.not_before}"
    for one, other in problem.apart:
        if {one, other} <= set(group.members) and not {one, other} <= frozen:
            yield f"{one} and {other} are to be apart"


def _company(problem: Problem, group: Group, frozen: set[str]) -> Iterator[str]:
    members = [person for person in problem.people if person.id in group.members]
    companies = {person.company for person in members}
    alike = len(companies) == 1 and None not in companies
    for person in members:
        if person.id not in frozen and person.with_ == "colleagues" and not alike:
            yield f"{person.id} is not among colleagues"
        if person.id not in frozen and person.with_ == "others" and alike:
            yield f"{person.id} is among colleagues alone"
    for name, attribute in problem.attributes.items():
        if attribute.no_one_alone:
            levels = Counter(person.attributes[name] for person in members if name in person.attributes)
            for level in (level for level, number in levels.items() if number == 1 and set(group.members) != frozen):
                yield f"{group.id} has one {level} alone ({name})"
