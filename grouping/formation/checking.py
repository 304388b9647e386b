"""Judges an answer, rule by rule, from the problem alone. Shares no code with the search.

Each line is one violation: the person or group, the rule, and by how much where that is more than one. Invariant: an answer without a
line here breaks no hard rule. Violations of the frozen groups are inherited: they count only where the answer makes them worse.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from grouping.formation.model import Answer, Facilitator, Frozen, Group, Person, Place, Problem

Breach = tuple[str, float]  # the violation, and its amount


def check(problem: Problem, answer: Answer) -> list[str]:
    """One line per violation; none when every hard rule is kept."""
    rules = _Rules(problem)
    before, now = rules.broken_by(problem.frozen), rules.broken_by(answer.groups)
    worse = {rule: amount for rule, amount in now.items() if amount > before.get(rule, 0)}
    return [*_everybody_once(problem, answer), *_frozen_stay(problem, answer), *_lines(worse)]


def inherited(problem: Problem) -> list[str]:
    """One line per rule that the frozen groups break already, whatever the answer."""
    return _lines(_Rules(problem).broken_by(problem.frozen))


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
    answered = {group.id: group for group in reversed(answer.groups)}
    for frozen in problem.frozen:
        kept = answered.get(frozen.id)
        if kept is None:
            yield f"frozen group {frozen.id} is gone"
            continue
        for what in ("slot", "place", "facilitator"):
            if getattr(kept, what) != getattr(frozen, what):
                yield f"frozen group {frozen.id} has another {what}"
        for lost in sorted(set(frozen.members) - set(kept.members)):
            yield f"frozen group {frozen.id} lost {lost}"


class _Rules:
    """The rules that groups may break, with look-ups into the problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.people = {each.id: each for each in problem.people}
        self.places = {each.id: each for each in problem.places}
        self.leaders = {each.id: each for each in problem.facilitators}
        self.town = {name: number for number, name in enumerate(problem.municipalities)}
        self.apart: dict[str, set[str]] = {}
        for one, other in problem.apart:
            self.apart.setdefault(one, set()).add(other)
            self.apart.setdefault(other, set()).add(one)

    def broken_by(self, groups: Sequence[Group | Frozen]) -> dict[str, float]:
        return dict(self._breaches(groups))

    def _breaches(self, groups: Sequence[Group | Frozen]) -> Iterator[Breach]:
        yield from self._rooms(groups)
        yield from self._loads(groups)
        for group in groups:
            members = [self.people[id] for id in dict.fromkeys(group.members) if id in self.people]
            yield from self._size(group)
            yield from self._slot(group, members)
            yield from self._place(group, members)
            yield from self._leader(group)
            yield from self._apart(members)
            yield from self._company(members)
            yield from self._alone(group, members)

    def _rooms(self, groups: Sequence[Group | Frozen]) -> Iterator[Breach]:
        for (slot, place), used in Counter((group.slot, group.place) for group in groups).items():
            if place in self.places and used > self.places[place].rooms:
                yield f"{place} has too few rooms in {slot}", used - self.places[place].rooms

    def _loads(self, groups: Sequence[Group | Frozen]) -> Iterator[Breach]:
        for leader, led in Counter(group.facilitator for group in groups).items():
            if leader in self.leaders and led > self.leaders[leader].groups:
                yield f"{leader} leads too many groups", led - self.leaders[leader].groups
        for (slot, leader), led in Counter((group.slot, group.facilitator) for group in groups).items():
            if led > 1:
                yield f"{leader} leads more than one group in {slot}", led - 1

    def _size(self, group: Group | Frozen) -> Iterator[Breach]:
        least, most = self.problem.size
        if len(group.members) < least:
            yield f"{group.id} has too few members", least - len(group.members)
        if len(group.members) > most:
            yield f"{group.id} has too many members", len(group.members) - most

    def _slot(self, group: Group | Frozen, members: Sequence[Person]) -> Iterator[Breach]:
        if group.slot not in self.problem.slots:
            yield f"{group.id} meets in {group.slot}, which is no slot", 1
        for person in members:
            if group.slot not in person.slots:
                yield f"{person.id} cannot attend {group.slot}", 1
            if person.not_before is not None and self.problem.on is not None and person.not_before > self.problem.on:
                yield f"{person.id} waits until {person.not_before}", 1

    def _place(self, group: Group | Frozen, members: Sequence[Person]) -> Iterator[Breach]:
        place = self.places.get(group.place)
        if place is None:
            yield f"{group.id} meets at {group.place}, which is no place", 1
            return
        for person in members:
            if not self._reaches(person, place):
                yield f"{person.id} does not reach {place.id}", 1
            if person.needs_access and not place.access:
                yield f"{person.id} cannot enter {place.id}", 1

    def _leader(self, group: Group | Frozen) -> Iterator[Breach]:
        leader = self.leaders.get(group.facilitator)
        if leader is None:
            yield f"{group.id} is led by {group.facilitator}, who is no facilitator", 1
            return
        if group.slot not in leader.slots:
            yield f"{leader.id} is not free in {group.slot}", 1
        if group.place in self.places and not self._reaches(leader, self.places[group.place]):
            yield f"{leader.id} does not reach {group.place}", 1

    def _reaches(self, who: Person | Facilitator, place: Place) -> bool:
        return self.problem.km[self.town[who.municipality]][self.town[place.municipality]] <= who.travel_km

    def _apart(self, members: Sequence[Person]) -> Iterator[Breach]:
        ids = {person.id for person in members}
        for one in sorted(ids & self.apart.keys()):
            for other in sorted(self.apart[one] & ids):
                if one < other:
                    yield f"{one} and {other} are to be apart", 1

    def _company(self, members: Sequence[Person]) -> Iterator[Breach]:
        alike = all(one.company == other.company for one, other in pairwise(members))
        colleagues = alike and bool(members) and members[0].company is not None
        for person in members:
            if person.with_ == "colleagues" and not colleagues:
                yield f"{person.id} is not among colleagues alone", 1
            if person.with_ == "others" and colleagues:
                yield f"{person.id} is among colleagues alone", 1

    def _alone(self, group: Group | Frozen, members: Sequence[Person]) -> Iterator[Breach]:
        for name, attribute in self.problem.attributes.items():
            levels = Counter(person.attributes.get(name) for person in members)
            for level in attribute.levels if attribute.no_one_alone else ():
                if levels[level] == 1:
                    yield f"{group.id} has one {level} alone ({name})", 1
