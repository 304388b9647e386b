"""Reads of whose data are kept for how long, from the read model of the steps. Nothing of a person is told but their code."""

from collections.abc import AsyncIterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from enrolment.domain import Status
from enrolment.domain.retention import Limit, kept_until
from services.kernel import code_of
from services.programmes import Programme

STEPS = (("withdrawn", Status.WITHDRAWN), ("declined", Status.DECLINED), ("admitted", Status.ADMITTED))
SINCE = {Limit.UNDECIDED: "asked", Limit.DECLINED: "declined", Limit.LEFT: "withdrawn"}
BEGIN = ("referred", "returned")  # steps of the read model with which a way begins


class DueErasure(BaseModel):
    """A person whose data are not needed any more. `until`: the last day on which they were to be kept."""

    worker: str
    code: str
    limit: Limit
    until: date


def due_in(row: Mapping[str, Any], rules: Programme, today: date) -> DueErasure | None:
    """The erasure that is due by a row of the steps; None while the data are still to be kept, or for ever."""
    if rules.retention is None or "worker" not in row or row.get("referred") is None:
        return None
    months = {each: getattr(rules.retention, each.value) for each in Limit}
    since: dict[Limit, date | None] = {limit: _day(row.get(name), rules) for limit, name in SINCE.items()}
    found = kept_until(status_in(row), months, {**since, Limit.ENDED: rules.ends})
    if found is None or today <= found[1]:
        return None
    return DueErasure(worker=row["worker"], code=code_of(row["worker"]), limit=found[0], until=found[1])


def status_in(row: Mapping[str, Any]) -> Status:
    """The step that a row tells of: the latest one, since a person may come back."""
    begun = max((row[name] for name in BEGIN if row.get(name) is not None), default=None)
    dated = [(row[name], status) for name, status in STEPS if row.get(name) is not None]
    still = [(at, status) for at, status in dated if begun is None or at >= begun]
    return max(still, key=lambda each: each[0])[1] if still else Status.REFERRED


def _day(at: datetime | None, rules: Programme) -> date | None:
    return rules.day_of(at) if at is not None else None


async def due_among(rows: AsyncIterable[Mapping[str, Any]], rules: Programme, today: date) -> list[DueErasure]:
    """Every erasure that is due by these rows, the longest overdue first."""
    found = [each async for row in rows if (each := due_in(row, rules, today)) is not None]
    return sorted(found, key=lambda each: (each.until, each.worker))


def by_limit(found: list[DueErasure]) -> Iterator[tuple[Limit, int]]:
    """Each limit with the number of people, for a report."""
    for limit in Limit:
        yield limit, sum(each.limit is limit for each in found)
