"""Repair of tables: moves and exchanges until nobody is alone of their kind; a person who stays a fault goes back to waiting.

Invariant: each step removes more faults than it makes, so the repair ends. After `clear` no table has a fault that it did not inherit, and
none is too small that did not begin so.
"""

from collections.abc import Callable, Iterator

from grouping.formation.model import Person
from grouping.formation.seating import Fault, Seating, Table


def mend(seating: Seating, over: Callable[[], bool] = lambda: False) -> None:
    """Exchange and move people as long as that lowers the number of faults, or until `over` returns True."""
    while any(_mended(seating, table, over) for table in seating.tables if seating.wrong(table)):
        pass


def _mended(seating: Seating, table: Table, over: Callable[[], bool]) -> bool:
    """True when a step was found that lowers the faults of this table and of the other one together."""
    room = len(table.members) < seating.most
    if room:
        for person in seating.waiting.values():
            if seating.could(person, table) and _fewer(seating, (table, [*table.members.values(), person])):
                table.members[person.id] = person
                del seating.waiting[person.id]
                return True
    return any(not over() and _exchanged(seating, table, other) for other in seating.tables if other is not table)


def _exchanged(seating: Seating, table: Table, other: Table) -> bool:
    for goes, comes in _exchanges(seating, table, other):
        here = [each for each in table.members.values() if each is not goes] + ([comes] if comes else [])
        there = [each for each in other.members.values() if each is not comes] + ([goes] if goes else [])
        if _fewer(seating, (table, here), (other, there)):
            table.members = {each.id: each for each in here}
            other.members = {each.id: each for each in there}
            return True
    return False


def _exchanges(seating: Seating, table: Table, other: Table) -> Iterator[tuple[Person | None, Person | None]]:
    """Possible exchanges: a person who goes and nobody, nobody and a person who comes, and every pair of both."""
    going = [each for each in table.movable() if seating.could(each, other)]
    coming = [each for each in other.movable() if seating.could(each, table)]
    if seating.least < len(table.members) and len(other.members) < seating.most:
        yield from ((each, None) for each in going)
    if seating.least < len(other.members) and len(table.members) < seating.most:
        yield from ((None, each) for each in coming)
    yield from ((one, another) for one in going for another in coming)


def _fewer(seating: Seating, *changes: tuple[Table, list[Person]]) -> bool:
    before = sum(len(seating.wrong(table)) for table, _ in changes)
    return sum(len(seating.wrong(table, members)) for table, members in changes) < before


def clear(seating: Seating) -> None:
    """Send back to waiting the people who are still a fault, and dissolve tables that are then too small."""
    for table in list(seating.tables):
        while (faults := seating.wrong(table)) and (people := table.movable()):
            goes = next((person for person in people if any(_to_blame(person, fault) for fault in faults)), people[0])
            seating.waiting[goes.id] = table.members.pop(goes.id)
        if len(table.members) < seating.least and not table.id:
            seating.waiting |= table.members
            seating.tables.remove(table)


def _to_blame(person: Person, fault: Fault) -> bool:
    kind, what, level = fault
    if kind == "alone":
        return person.attributes.get(what) == level
    return person.id in (what, level)
