"""Planning of waves that were added to a programme while people live in it: a background task finds the people, a command plans.

Invariant: any number of copies may run the task at once, since the command decides on the state that the participant has then.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import date
from functools import partial

from services.kernel import new_id
from services.programmes import Programme, SurveyWave
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.errors import Conflict, is_transient
from services.store.mongo import Document, PyMongoError, Transaction
from services.store.outbox import Cause
from services.store.unit import Unit
from services.store.work import Work
from sessions.commands import PlanWaves, plan_waves
from sessions.domain import Participant, survey_id

log = logging.getLogger(__name__)
EVERY = 2.0  # seconds between looks at the programmes
AGAIN = 300.0  # seconds; an admission that met the waves of before, in another copy, is planned then
AT_ONCE = 200  # participants of one command, which is one transaction


async def plan_added_waves(service: Service) -> None:
    """Plan when the waves of a programme have changed, for as long as the service runs. Waits while the database is away."""
    planned: dict[str, tuple[Programme, float]] = {}
    clock = asyncio.get_running_loop().time
    while True:
        for rules in service.rules.values():
            before, at = planned.get(rules.id, (None, 0.0))
            if before is rules and clock() - at < AGAIN:
                continue
            try:
                await plan_missing(service, rules)
                planned[rules.id] = (rules, clock())
            except (PyMongoError, Conflict) as error:
                if not is_transient(error):
                    raise
                log.warning("added waves wait", extra={"service": service.name, "error": type(error).__name__})
        await asyncio.sleep(EVERY)


async def plan_missing(service: Service, rules: Programme) -> None:
    """Plan every wave that was added later, for everybody who lacks it. Asks nothing of the database when none was added."""
    added = [each for each in rules.active.surveys if each.since is not None]
    if not added:
        return
    where = {"programme": rules.id, "state.research": True, "state.withdrawn": False, "state.admitted": {"$ne": None}}
    found = (
        service.store[Participant.noun]
        .find(where, projection=["state.id", "state.surveys", "state.admitted"])
        .sort("_id", 1)
    )
    lacking = [each["state"]["id"] async for each in found if _lacks(each["state"], added)]
    for start in range(0, len(lacking), AT_ONCE):
        command = PlanWaves(participants=tuple(lacking[start : start + AT_ONCE]))
        await service.store.transaction(partial(_plan, service, rules, command))


async def _plan(service: Service, rules: Programme, command: PlanWaves, transaction: Transaction) -> None:
    unit = Unit(service.store, transaction, service.holder, now_utc())
    cause = Cause(rules.id, unit.now, new_id())
    await plan_waves(command, Work(unit, rules, cause))
    unit.attribute(cause)
    # As a reaction: the programme's event tells of the wave, and a plan of one person has no event of its own.
    await unit.flush(silently=True)


def _lacks(state: Document, added: Sequence[SurveyWave]) -> bool:
    admitted = date.fromisoformat(state["admitted"])
    to_come = (each for each in added if each.asks(admitted))
    return any(survey_id(state["id"], each.instrument, each.wave) not in state["surveys"] for each in to_come)
