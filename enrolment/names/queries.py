"""Reads of the names of a group's members on one day: pure rules over the rows of the read models, and the read that opens the names."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from enrolment.domain import Worker
from enrolment.queries import NAMES
from services.kernel import Refusal, Refused
from services.store.work import Work

MOST = 500  # rows of one group; fifteen people sit in it
Row = Mapping[str, Any]


class Rolls(NamedTuple):
    """Rows of one group: the assignments of its facilitators, and the seats that began or ended."""

    assigned: Sequence[Row]
    seats: Sequence[Row]


def leads(rows: Iterable[Row], facilitator: str, on: date, today: date) -> bool:
    """True when this facilitator leads the group on that day, and was not replaced since. `rows`: the assignments of the group."""
    assigned = sorted(rows, key=lambda row: (row["since"], row["order"]))
    days = {on.isoformat(), max(on, today).isoformat()}
    return all(_last(assigned, day, "facilitator") == facilitator for day in days)


def members(rows: Iterable[Row], on: date) -> list[str]:
    """Ids of those who have a seat on that day. `rows`: seats of the group that began or ended."""
    of: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["since"], row["order"])):
        of.setdefault(row["worker"], []).append(row)
    return sorted(worker for worker, seats in of.items() if _last(seats, on.isoformat(), "sits"))


def _last(rows: Sequence[Row], day: str, fact: str) -> Any:
    """This fact of the last of these sorted rows that holds on the day; None before the first."""
    return next((row[fact] for row in reversed(rows) if row["since"] <= day), None)


async def read_names(work: Work, group: str, rolls: Rolls, facilitator: str | None, on: date) -> dict[str, str]:
    """The names of the members of that day by id, as a roll-call shows them; each gets a note in their log of accesses. `facilitator`:
    who asks; None, an operator. Refused("no-such-group", 404) also for the group of another facilitator."""
    today = work.rules.day_of(work.now)
    if not rolls.assigned or (facilitator is not None and not leads(rolls.assigned, facilitator, on, today)):
        raise Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)
    work.reads_for(f"names of group {group}")
    found = [each for each in await work.peek_all(Worker, members(rolls.seats, on)) if each.card]
    await work.open_keys([each.id for each in found])
    return shown({each.id: await _name(each, work) for each in found})


async def _name(worker: Worker, work: Work) -> tuple[str, str]:
    given, family = [
        await work.unseal(worker.id, name, worker.card[name]) if name in worker.card else "" for name in NAMES
    ]
    return given, family


def shown(names: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Given name and initial, as `Adele P.`; the whole family name where two people would be shown alike."""
    short = {worker: _short(given, family) for worker, (given, family) in names.items()}
    alike = Counter(short.values())
    return {worker: name if alike[name] == 1 else " ".join(names[worker]).strip() for worker, name in short.items()}


def _short(given: str, family: str) -> str:
    return f"{given} {family[:1].upper()}." if given and family else given or family
