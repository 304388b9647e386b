"""A greedy search with chains of moves: right, and good enough to begin with.

Whoever has the fewest ways in comes first; a group is opened where most of the others could come too; who is left over is seated by moving
others along. Invariant: `_Seating.fits` states every hard rule about one person and one group, and nobody sits anywhere without it.
"""

import random
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from grouping.formation.model import Answer, Facilitator, Group, Person, Place, Problem, Reason, Unplaced

CHAIN = 3  # at most so many people move along to make room for one


@dataclass(eq=False)
class _Table:
    """A group that is being filled. `company`: only its people may come."""

    slot: str
    place: Place
    facilitator: Facilitator
    company: str | None = None
    id: str = ""
    frozen: frozenset[str] = frozenset()
    members: list[Person] = field(default_factory=list)


def solve(problem: Problem, seed: int = 0) -> Answer:
    """A proposal without a broken rule. The same problem and seed give the same answer."""
    seating = _Seating(problem, random.Random(seed))  # noqa: S311  # ties, not secrets
    seating.fill()
    seating.squeeze_in()
    seating.close_what_cannot_be()
    return seating.answer(seed)


class _Seating:
    def __init__(self, problem: Problem, chance: random.Random) -> None:
        self._problem = problem
        self._least, self._most = problem.size
        self._at = {name: position for position, name in enumerate(problem.municipalities)}
        self._places = {each.id: each for each in problem.places}
        self._apart = {frozenset(pair) for pair in problem.apart}
        facilitators = {each.id: each for each in problem.facilitators}
        people = {each.id: each for each in problem.people}
        self._tables = [
            _Table(
                each.slot,
                self._places[each.place],
                facilitators[each.facilitator],
                None,
                each.id,
                frozenset(each.members),
                [people[id] for id in each.members],
            )
            for each in problem.frozen
        ]
        seated = {id for group in problem.frozen for id in group.members}
        order = [each for each in problem.people if each.id not in seated]
        chance.shuffle(order)
        self._later = {each.id for each in order if each.not_before and problem.on and each.not_before > problem.on}
        self._waiting = {each.id: each for each in order if each.id not in self._later}
        self._reach = {
            each.id: {place.id for place in problem.places if self._can_reach(each, place)} for each in order
        }

    def _km(self, a: str, b: str) -> float:
        return self._problem.km[self._at[a]][self._at[b]]

    def _can_reach(self, person: Person, place: Place) -> bool:
        near = self._km(person.municipality, place.municipality) <= person.travel_km
        return near and (place.access or not person.needs_access)

    def fits(self, person: Person, table: _Table, without: Person | None = None) -> bool:
        """Every rule about this person at this table, as if `without` had left it."""
        if table.slot not in person.slots or table.place.id not in self._reach.get(person.id, ()):
            return False
        if (person.with_ == "colleagues") != (table.company is not None) or (
            table.company and person.company != table.company
        ):
            return False
        others = [each for each in table.members if each is not without]
        if len(others) >= self._most:
            return False
        return not any(frozenset((person.id, each.id)) in self._apart for each in others)

    def _free_facilitator(self, slot: str, place: Place) -> Facilitator | None:
        leads = Counter(table.facilitator.id for table in self._tables)
        busy = {table.facilitator.id for table in self._tables if table.slot == slot}
        free = [
            each
            for each in self._problem.facilitators
            if slot in each.slots
            and each.id not in busy
            and leads[each.id] < each.groups
            and self._km(each.municipality, place.municipality) <= each.travel_km
        ]
        return min(free, key=lambda each: (len(each.slots), leads[each.id], each.id), default=None)

    def _open_cells(self) -> Iterable[_Table]:
        used = Counter((table.slot, table.place.id) for table in self._tables)
        for slot in self._problem.slots:
            for place in self._problem.places:
                if used[slot, place.id] < place.rooms and (leader := self._free_facilitator(slot, place)) is not None:
                    yield _Table(slot, place, leader)

    def fill(self) -> None:
        """First into groups that meet already, then open groups for as long as one can be filled."""
        for person in self._by_need():
            table = next((each for each in self._tables if self.fits(person, each)), None)
            if table is not None:
                self._sit(person, table)
        companies = {each.company for each in self._waiting.values() if each.with_ == "colleagues" and each.company}
        for company in [*sorted(companies), None]:
            while (table := self._best_table(company)) is not None:
                self._tables.append(table)
                for person in list(table.members):
                    del self._waiting[person.id]

    def _best_table(self, company: str | None) -> _Table | None:
        """The cell that most could come to, filled with those who have the fewest other ways in."""
        cells = list(self._open_cells())
        ways = {id: self._ways(person, cells) for id, person in self._waiting.items()}
        best: tuple[tuple[float, ...], _Table] | None = None
        for cell in cells:
            cell.company = company
            could = [each for each in self._waiting.values() if self.fits(each, cell)]
            if len(could) < self._least:
                continue
            could.sort(key=lambda each: (ways[each.id], -each.waiting_days))
            worth = (sum(1 / max(1, ways[each.id]) for each in could[: self._target()]), float(len(could)))
            if best is None or worth > best[0]:
                cell.members = self._without_apart(could)
                if len(cell.members) >= self._least:
                    best = (worth, cell)
        return best[1] if best else None

    def _target(self) -> int:
        """Sizes in the middle, so that a late comer finds room; fuller where facilitators are few."""
        waiting = max(1, len(self._waiting))
        led = Counter(table.facilitator.id for table in self._tables)
        possible = max(1, sum(max(0, each.groups - led[each.id]) for each in self._problem.facilitators))
        wanted = max(1, round(waiting / ((self._least + self._most) / 2)))
        return max(self._least, min(self._most, -(-waiting // min(wanted, possible))))

    def _without_apart(self, could: list[Person]) -> list[Person]:
        chosen: list[Person] = []
        for person in could:
            if len(chosen) == self._target():
                break
            if not any(frozenset((person.id, each.id)) in self._apart for each in chosen):
                chosen.append(person)
        return chosen

    def _ways(self, person: Person, cells: list[_Table]) -> int:
        return sum(cell.slot in person.slots and cell.place.id in self._reach[person.id] for cell in cells)

    def _by_need(self) -> list[Person]:
        return sorted(self._waiting.values(), key=lambda each: (-each.waiting_days, len(each.slots)))

    def _sit(self, person: Person, table: _Table) -> None:
        table.members.append(person)
        self._waiting.pop(person.id, None)

    def squeeze_in(self) -> None:
        """Seat who is left over where there is room, or by a chain in which each moves to the next one's seat."""
        for person in self._by_need():
            chain = self._chain(person)
            if chain is not None:
                for mover, source, goal in reversed(chain):
                    if source is not None:
                        source.members.remove(mover)
                    goal.members.append(mover)
                del self._waiting[person.id]

    def _chain(self, person: Person) -> list[tuple[Person, _Table | None, _Table]] | None:
        """Breadth first: the shortest chain of moves that ends where there is room. Each table is visited once."""
        paths: deque[list[tuple[Person, _Table | None, _Table]]] = deque()
        seen: set[int] = set()
        for table in self._tables:
            if self.fits(person, table):
                return [(person, None, table)]
        for table in self._tables:
            paths.append([(person, None, table)])
        while paths:
            path = paths.popleft()
            comer, _, table = path[-1]
            if id(table) in seen or len(path) > CHAIN:
                continue
            seen.add(id(table))
            for sitting in table.members:
                if sitting.id in table.frozen or not self.fits(comer, table, without=sitting):
                    continue
                for goal in self._tables:
                    if goal is not table and self.fits(sitting, goal):
                        return [*path, (sitting, table, goal)]
                paths.extend([*path, (sitting, table, goal)] for goal in self._tables if id(goal) not in seen)
        return None

    def close_what_cannot_be(self) -> None:
        """Nobody alone of their kind, nobody too few: who is alone waits, and a group that gets too small is dissolved."""
        changed = True
        while changed:
            changed = False
            for table in list(self._tables):
                for person in self._alone(table):
                    if person.id not in table.frozen:
                        table.members.remove(person)
                        self._waiting[person.id] = person
                        changed = True
                if len(table.members) < self._least and not table.frozen:
                    self._waiting |= {each.id: each for each in table.members}
                    self._tables.remove(table)
                    changed = True

    def _alone(self, table: _Table) -> list[Person]:
        lonely: list[Person] = []
        for name, attribute in self._problem.attributes.items():
            if attribute.no_one_alone:
                levels = Counter(each.attributes[name] for each in table.members if name in each.attributes)
                lonely += [each for each in table.members if levels.get(each.attributes.get(name, ""), 0) == 1]
        return list({each.id: each for each in lonely}.values())

    def answer(self, seed: int) -> Answer:
        """Everybody once."""
        groups = [
            Group(
                id=table.id or f"new-{number}",
                slot=table.slot,
                place=table.place.id,
                facilitator=table.facilitator.id,
                members=tuple(sorted(each.id for each in table.members)),
            )
            for number, table in enumerate(self._tables, start=1)
        ]
        later = [Unplaced(id=id, reasons=("not_before",)) for id in sorted(self._later)]
        waiting = [Unplaced(id=id, reasons=(self._why(person),)) for id, person in sorted(self._waiting.items())]
        return Answer(groups=tuple(groups), unplaced=(*later, *waiting), seed=seed)

    def _why(self, person: Person) -> Reason:
        if not self._reach[person.id]:
            return "no_place_in_reach"
        if person.with_ == "colleagues":
            return "too_few_colleagues"
        reachable = [each for each in self._problem.places if each.id in self._reach[person.id]]
        if not any(slot in each.slots for slot in person.slots for each in self._problem.facilitators):
            return "no_facilitator"
        used = Counter((table.slot, table.place.id) for table in self._tables)
        if all(used[slot, place.id] >= place.rooms for slot in person.slots for place in reachable):
            return "no_room"
        return "full" if any(table.slot in person.slots for table in self._tables) else "no_slot_in_reach"
