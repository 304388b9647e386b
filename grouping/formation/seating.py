"""The rules about seats for one person and one table at a time, on names instead of arrays.

Invariant: `could` holds the rules that one person and one table decide; `faults` holds those that the members of a table decide together.
Nobody is seated where `could` is False. A finished table has no fault except those of its frozen members.
"""

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from grouping.formation.model import Facilitator, Person, Place, Problem

Fault = tuple[str, str, str]


@dataclass(eq=False)
class Table:
    """A group that is being filled. `company`: only people of that company may come. Frozen members never leave."""

    slot: str
    place: Place
    leader: Facilitator
    company: str | None = None
    id: str = ""
    members: dict[str, Person] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    inherited: frozenset[Fault] = frozenset()

    def movable(self) -> list[Person]:
        """The members who may be moved elsewhere, in the order in which they came."""
        return [person for id, person in self.members.items() if id not in self.frozen]


class Seating:
    """Tables with their members, the people who wait, and free facilitators. The order of `waiting` is random and settles every tie."""

    def __init__(self, problem: Problem, chance: random.Random) -> None:
        self.problem = problem
        self.least, self.most = problem.size
        self._at = {name: position for position, name in enumerate(problem.municipalities)}
        order = list(problem.people)
        chance.shuffle(order)
        self.reach = {each.id: [place.id for place in problem.places if self._reaches(each, place)] for each in order}
        self.apart: dict[str, set[str]] = {}
        for one, other in problem.apart:
            self.apart.setdefault(one, set()).add(other)
            self.apart.setdefault(other, set()).add(one)
        seated = {id for group in problem.frozen for id in group.members}
        self.later = [
            each.id
            for each in order
            if each.id not in seated and each.not_before and problem.on and each.not_before > problem.on
        ]
        self.waiting = {each.id: each for each in order if each.id not in seated and each.id not in set(self.later)}
        self.tables = self._frozen({each.id: each for each in order})
        self._leaders: dict[tuple[str, str], list[Facilitator]] = {}

    def _frozen(self, people: dict[str, Person]) -> list[Table]:
        places = {each.id: each for each in self.problem.places}
        leaders = {each.id: each for each in self.problem.facilitators}
        tables = []
        for group in self.problem.frozen:
            members = {id: people[id] for id in group.members}
            table = Table(
                group.slot, places[group.place], leaders[group.facilitator], None, group.id, members, frozenset(members)
            )
            company = _one_company(members.values())
            if any(
                each.with_ == "colleagues" and each.company == company
                for each in (*members.values(), *self.waiting.values())
            ):
                table.company = company
            table.inherited = frozenset(self.faults(members.values()))
            tables.append(table)
        return tables

    def km(self, a: str, b: str) -> float:
        """Kilometres between two municipalities."""
        return self.problem.km[self._at[a]][self._at[b]]

    def _reaches(self, person: Person, place: Place) -> bool:
        near = self.km(person.municipality, place.municipality) <= person.travel_km
        return near and (place.access or not person.needs_access)

    def could(self, person: Person, table: Table) -> bool:
        """True when the slot, the way, the access and the company of the table suit the person."""
        if table.slot not in person.slots or table.place.id not in self.reach[person.id]:
            return False
        if table.company is not None:
            return person.company == table.company and person.with_ != "others"
        return person.with_ != "colleagues"

    def faults(self, members: Collection[Person]) -> set[Fault]:
        """Faults among these members: pairs that must be apart, people alone of their kind, people among the wrong colleagues."""
        return _faults(self.problem, self.apart, members)

    def wrong(self, table: Table, members: Collection[Person] | None = None) -> set[Fault]:
        """The faults of a table that it did not inherit; with `members`, those that it would have with these members."""
        return self.faults(table.members.values() if members is None else members) - table.inherited

    def leaders(self, slot: str, place: Place) -> list[Facilitator]:
        """The facilitators who could lead there, busy or not."""
        if (slot, place.id) not in self._leaders:
            self._leaders[slot, place.id] = [
                each
                for each in self.problem.facilitators
                if slot in each.slots
                and each.groups > 0
                and self.km(each.municipality, place.municipality) <= each.travel_km
            ]
        return self._leaders[slot, place.id]


def faults(problem: Problem, members: Collection[Person]) -> set[Fault]:
    """Faults among these members: pairs that must be apart, people alone of their kind, people among the wrong colleagues."""
    ids = {each.id for each in members}
    apart: dict[str, set[str]] = {}
    for one, other in problem.apart:
        if one in ids and other in ids:
            apart.setdefault(min(one, other), set()).add(max(one, other))
    return _faults(problem, apart, members)


def _faults(problem: Problem, apart: dict[str, set[str]], members: Collection[Person]) -> set[Fault]:
    ids = {each.id for each in members}
    found = {("apart", id, other) for id in ids & apart.keys() for other in apart[id] & ids if id < other}
    alike = _one_company(members) is not None
    wanted = "others" if alike else "colleagues"
    found |= {(wanted, each.id, "") for each in members if each.with_ == wanted}
    for name, attribute in problem.attributes.items():
        if attribute.no_one_alone:
            levels = Counter(each.attributes.get(name) for each in members)
            found |= {("alone", name, level) for level, number in levels.items() if number == 1 and level is not None}
    return found


def _one_company(members: Collection[Person]) -> str | None:
    companies = {each.company for each in members}
    return companies.pop() if len(companies) == 1 else None
