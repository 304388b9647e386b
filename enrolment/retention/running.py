"""The run of the retention: it finds whose data are not needed any more, and erases them one by one.

Invariants: each person is erased in a transaction of their own, by the command that decides anew. What cannot be erased keeps no other
back, and stands in the report. A scheduled run looks once on each local day.
"""

import logging
from collections import Counter
from datetime import date, datetime

from pydantic import BaseModel

from enrolment.retention.commands import EraseWhenDue, erase_when_due
from enrolment.retention.queries import DueErasure, by_limit, due_among
from services.kernel import Refused, Unavailable
from services.programmes import Programme
from services.runtime.recurring import look_again_and_again
from services.runtime.service import Service

log = logging.getLogger(__name__)
PATIENT = 5  # people in a row who could not be erased before the run ends: the engine is away


class RetentionReport(BaseModel):
    """The outcome of a run. `due`: whose data were due, by code; `erased` and `left` say how many of them were erased or not. A dry run
    erases nobody."""

    programme: str
    day: date
    dry: bool
    due: list[DueErasure]
    counts: dict[str, int]
    erased: int = 0
    left: int = 0


async def retained(service: Service, rules: Programme, now: datetime, *, dry: bool) -> RetentionReport:
    """Run the retention of one programme, or only say what it would do."""
    today = rules.day_of(now)
    due = await due_among(service.read_models.rows("desk", {"programme": rules.id}), rules, today)
    outcomes: Counter[str] = Counter()
    for each in due if not dry else ():
        outcomes[await _erased(service, rules, each)] += 1
        if outcomes["left"] >= PATIENT and not outcomes["erased"]:
            break
    report = RetentionReport(
        programme=rules.id, day=today, dry=dry, due=due, counts={limit.value: n for limit, n in by_limit(due) if n},
        erased=outcomes["erased"], left=0 if dry else len(due) - outcomes["erased"],
    )  # fmt: skip
    if due and not dry:
        log.info("retention", extra={"programme": rules.id, **report.model_dump(include={"counts", "erased", "left"})})
    return report


async def _erased(service: Service, rules: Programme, each: DueErasure) -> str:
    """Erase one person. Gives `erased`; `left`, when it could not be done now; or that the record says otherwise than the list."""
    command = EraseWhenDue(worker=each.worker)
    try:
        done = await service.do(erase_when_due, command, rules.id)
    except (Refused, Unavailable) as error:
        log.warning("an erasure waits", extra={"programme": rules.id, "error": type(error).__name__})
        return "left"
    return "erased" if done["erased"] else "decided otherwise"


async def erase_when_kept_long_enough(service: Service) -> None:
    """Run the retention on each local day, for as long as the service runs."""
    looked: dict[str, date] = {}

    async def look(service: Service, rules: Programme, now: datetime) -> None:
        if rules.retention is not None and looked.get(rules.id) != rules.day_of(now):
            await retained(service, rules, now, dry=False)
            looked[rules.id] = rules.day_of(now)

    await look_again_and_again(service, look)
