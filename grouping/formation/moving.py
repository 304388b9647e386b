"""Chains of moves between tables: a person is seated, each person on the chain moves to the next one's seat, and at the end there is room.

Without the rules about company these are augmenting paths of a bipartite flow between people and tables. A person for whom no path exists
has no seat at these tables, whichever members move. Invariant: the moves of a chain are made together or not at all, and only when no table
that they touch gets a fault that it does not have already.
"""

from collections import deque

from grouping.formation.model import Person
from grouping.formation.seating import Fault, Seating, Table

Step = tuple[Person, Table | None]  # the person who comes, and the table that they leave


def seat(seating: Seating, comer: Person) -> bool:
    """Seat the comer where there is room, or by a chain."""
    reached = _spread(seating, comer)
    ends = [table for table in reached if len(table.members) < seating.most]
    return any(_move(seating, reached, table, None) for table in ends)


def displace(seating: Seating, comer: Person) -> bool:
    """Seat the comer by a chain at whose end a person who waited less goes back to waiting, whoever waited least."""
    reached = _spread(seating, comer)
    leaving = [
        (person.waiting_days, at, person, table) for at, table in enumerate(reached) for person in table.movable()
    ]
    leaving.sort(key=lambda each: each[:2])
    for days, _, person, table in leaving:
        if days >= comer.waiting_days:
            return False
        if _move(seating, reached, table, person):
            seating.waiting[person.id] = person
            return True
    return False


def _spread(seating: Seating, comer: Person) -> dict[Table, Step]:
    """Every table that the comer could reach by a chain, nearest first, with the last step to it."""
    reached: dict[Table, Step] = {table: (comer, None) for table in seating.tables if seating.could(comer, table)}
    queue = deque(reached)
    while queue:
        table = queue.popleft()
        for sitting in table.movable():
            for goal in seating.tables:
                if goal not in reached and seating.could(sitting, goal):
                    reached[goal] = (sitting, table)
                    queue.append(goal)
    return reached


def _move(seating: Seating, reached: dict[Table, Step], last: Table, leaving: Person | None) -> bool:
    """Make the moves that end at this table, unless they make a fault there or on the way."""
    changed: dict[Table, dict[str, Person]] = {}
    table: Table | None = last
    mover: Person | None = None
    while table is not None:
        mover, source = reached[table]
        members = changed.setdefault(table, dict(table.members))
        members[mover.id] = mover
        if source is not None:
            changed.setdefault(source, dict(source.members)).pop(mover.id, None)
        table = source
    if leaving is not None and changed[last].pop(leaving.id, None) is None:
        return False
    if any(_harm(seating, each, members) for each, members in changed.items()):
        return False
    for each, members in changed.items():
        each.members = members
    if mover is not None:
        seating.waiting.pop(mover.id, None)
    return True


def _harm(seating: Seating, table: Table, members: dict[str, Person]) -> set[Fault]:
    return seating.wrong(table, members.values()) - seating.wrong(table)
