"""Where groups are opened: at the slot and place where most people could come who have few other ways in.

Invariant: a table is opened only with as many people as a group needs, and none of those who are pulled to it leaves too few behind.
"""

from grouping.formation.model import Person
from grouping.formation.seating import Seating, Table

LOOKED_AT = 24  # so many of the cells with most candidates are looked at closely


def open_tables(seating: Seating) -> None:
    """Tables for companies whose people want to be among themselves, then for all."""
    insisting = {each.company for each in seating.waiting.values() if each.with_ == "colleagues"}
    for company in sorted(insisting - {None}, key=str):
        while any(each.with_ == "colleagues" and each.company == company for each in seating.waiting.values()):
            if not _open_best(seating, company):
                break
    while _open_best(seating, None):
        pass


def _open_best(seating: Seating, company: str | None) -> bool:
    """Open the cell that most could come to, weighed by how few other ways they have; seat those who have fewest."""
    cells = list(seating.cells())
    for cell in cells:
        cell.company = company
    could = {
        id: [at for at, cell in enumerate(cells) if seating.could(person, cell)]
        for id, person in seating.waiting.items()
    }
    comers: list[list[str]] = [[] for _ in cells]
    for id, ways in could.items():
        for at in ways:
            comers[at].append(id)
    best: tuple[float, Table, list[Person]] | None = None
    for at in sorted(range(len(cells)), key=lambda at: -len(comers[at]))[:LOOKED_AT]:
        worth = sum(1 / len(could[id]) for id in comers[at])
        if len(comers[at]) >= seating.least and (best is None or worth > best[0]):
            order = sorted(
                comers[at],
                key=lambda id: (_willing(seating.waiting[id]), len(could[id]), -seating.waiting[id].waiting_days),
            )
            chosen = _in_peace(seating, [seating.waiting[id] for id in order], _target(seating, company))
            if len(chosen) >= seating.least:
                best = (worth, cells[at], chosen)
    if best is None or (company is not None and not any(each.with_ == "colleagues" for each in best[2])):
        return False
    _seat(seating, best[1], best[2])
    return True


def _willing(person: Person) -> bool:
    """Those who insist on colleagues come first to their table; who is open to all only fills it."""
    return person.with_ != "colleagues"


def _in_peace(seating: Seating, people: list[Person], number: int) -> list[Person]:
    chosen: dict[str, Person] = {}
    for person in people:
        if len(chosen) == number:
            break
        if not seating.quarrels(person, chosen):
            chosen[person.id] = person
    return list(chosen.values())


def _target(seating: Seating, company: str | None) -> int:
    """Sizes in the middle, so that a late comer finds room; fuller where facilitators are few."""
    insisting = company is not None
    waiting = sum(
        each.company == company and each.with_ == "colleagues" if insisting else True
        for each in seating.waiting.values()
    )
    possible = max(1, sum(each.groups for each in seating.problem.facilitators) - len(seating.tables))
    wanted = max(1, round(waiting / ((seating.least + seating.most) / 2)))
    return max(seating.least, min(seating.most, -(-waiting // min(wanted, possible))))


def _seat(seating: Seating, table: Table, people: list[Person]) -> None:
    seating.tables.append(table)
    for person in people:
        table.members[person.id] = person
        del seating.waiting[person.id]


def open_by_pulling(seating: Seating) -> bool:
    """Open a table for people who wait and are too few, together with some who sit where more sit than must. Whether it was done."""
    best: tuple[tuple[int, int], Table, list[Person], list[tuple[Person, Table]]] | None = None
    for cell in seating.cells():
        joining = _in_peace(
            seating, [each for each in seating.waiting.values() if seating.could(each, cell)], seating.most
        )
        if not joining:
            continue
        pulled = _pulled(seating, cell, joining)
        worth = (len(joining), len(pulled))
        if len(joining) + len(pulled) >= seating.least and (best is None or worth > best[0]):
            best = (worth, cell, joining, pulled)
    if best is None:
        return False
    _, table, joining, pulled = best
    _seat(seating, table, joining)
    for person, source in pulled[: max(0, seating.least - len(joining))]:
        table.members[person.id] = source.members.pop(person.id)
    return True


def _pulled(seating: Seating, cell: Table, joining: list[Person]) -> list[tuple[Person, Table]]:
    """Who could change over, those from the largest tables first."""
    company = {each.id for each in joining}
    pulled: list[tuple[Person, Table]] = []
    for source in sorted(seating.tables, key=lambda table: -len(table.members)):
        spare = len(source.members) - seating.least
        for person in source.movable():
            if spare > 0 and seating.could(person, cell) and not seating.quarrels(person, company):
                pulled.append((person, source))
                company.add(person.id)
                spare -= 1
    return pulled
