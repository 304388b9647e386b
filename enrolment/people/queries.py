"""Reads of people for an operator: some of a list with their names. Each person who is shown gets a note in their log of accesses."""

from collections.abc import Sequence
from dataclasses import dataclass

from enrolment.domain import Status, Worker
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


async def _listed(worker: Worker, work: Work) -> Listed:
    consents = worker.consents_to(Purpose.PARTICIPATION)
    return Listed(worker.id, await name_of(worker, work), worker.status, consents, worker.profile is not None)
