"""Reads of the situations of people after the programme, and of whom they have to be asked."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from enrolment.domain import Outcome
from enrolment.domain.outcomes import DUE, SIX_MONTHS
from services.contracts.paths import OutcomeMoment
from services.programmes import Programme
from services.store.work import Work

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # before every step: the index then passes over whoever lacks it


async def outcomes_of(work: Work, worker: str) -> dict[OutcomeMoment, Outcome]:
    """The situations of one worker by moment. Noted as an access."""
    work.reads_for("outcomes")
    work.note_access(worker)
    return {
        each.moment: each
        for each in await work.peek_all(Outcome, [Outcome.id_of(worker, one) for one in OutcomeMoment])
    }


def due(moment: OutcomeMoment, today: date) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The filter and the order of the people who have to be asked for this moment, the first to be asked on top."""
    if moment is OutcomeMoment.EXIT:
        return {"exit": None, "withdrawn": {"$gt": EARLIEST}, "admitted": {"$gt": EARLIEST}}, ("withdrawn", "worker")
    limit = (today + DUE - SIX_MONTHS).isoformat()
    return {"six": None, "left": {"$gt": "", "$lte": limit}}, ("left", "worker")


def asked_of(row: Mapping[str, Any] | None, rules: Programme, today: date) -> OutcomeMoment | None:
    """The moment for which the person of this row has to be asked now; None for none."""
    if row is None or row.get("admitted") is None:
        return None
    if row.get("exit") is None:
        return OutcomeMoment.EXIT if row.get("withdrawn") else None
    left = left_in(row, rules)
    return OutcomeMoment.SIX_MONTHS if left and row.get("six") is None and today >= left + SIX_MONTHS - DUE else None


def left_in(row: Mapping[str, Any] | None, rules: Programme) -> date | None:
    """The day on which the person of this row left: as it was recorded, else of the withdrawal."""
    found = row or {}
    if found.get("left"):
        return date.fromisoformat(found["left"])
    return rules.day_of(found["withdrawn"]) if found.get("withdrawn") else None
