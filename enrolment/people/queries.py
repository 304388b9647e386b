"""Reads of people for an operator: some of a list with their names. Each person who is shown gets a note in their log of accesses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from enrolment.domain import WHY, Status, Worker
from enrolment.queries import name_of
from services.contracts.enrolment import Purpose
from services.store.work import Work

SEARCH, LIST = "search", "list of people"  # purposes in the log of accesses


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in a list. `name` is empty when the card was lost with a database."""

    worker: str
    name: str
    status: Status
    consents: bool
    profiled: bool


async def read_listed(work: Work, people: Sequence[str], purpose: str) -> list[Listed]:
    """The people with these ids, in this order, without those who were erased meanwhile. Three statements, however many they are."""
    work.reads_for(purpose)
    found = [each for each in await work.peek_all(Worker, people) if each.status is not Status.ERASED]
    await work.open_keys([each.id for each in found])
    return [await _listed(each, work) for each in found]


class Doer(NamedTuple):
    """The author of a step: the role, the name that the token gave, and the reason that they wrote."""

    role: str
    name: str | None
    why: str | None


Acts = dict[tuple[str, int], Doer]  # by person, and the millisecond at which the step was recorded


async def read_acts(work: Work, people: Sequence[str]) -> Acts:
    """Give the authors of the steps of these records of one person. A reason is the person's data: the sheet notes that it was read."""
    work.reads_for("person")
    found: Acts = {}
    for worker in await work.peek_all(Worker, people):
        for act in worker.acts:
            why = await work.unseal(worker.id, WHY, act.why) if act.why else None
            found[worker.id, _millisecond(act.recorded)] = Doer(act.role, act.name, why)
    return found


def done_by(row: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """The row of the history with who took the step; None when that is not known."""
    recorded = row.get("recorded")
    return {**row, "doer": acts.get((row["worker"], _millisecond(recorded))) if recorded else None}


def _millisecond(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


async def _listed(worker: Worker, work: Work) -> Listed:
    consents = worker.consents_to(Purpose.PARTICIPATION)
    return Listed(worker.id, await name_of(worker, work), worker.status, consents, worker.profile is not None)
