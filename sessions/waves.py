"""Planning of waves that were added to a programme while people live in it: a background task finds the people, and plans.

Invariants: any number of copies may run the task at once, since each plan decides on the state that the participant has then; a
participant who cannot be read keeps nobody else's plan back.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from services.contracts.enrolment import Purpose
from services.kernel import Unavailable, new_id
from services.programmes import Programme, SurveyWave
from services.runtime.recurring import in_parts, look_again_and_again
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.consents import consenting_in
from services.store.errors import Conflict
from services.store.mongo import Document, Transaction
from services.store.outbox import Cause
from services.store.unit import Unit
from services.store.work import Work
from sessions.commands import PlanWaves, plan_waves
from sessions.domain import Participant, survey_id

AT_ONCE = 200  # participants of one transaction


async def plan_added_waves(service: Service) -> None:
    """Plan added waves for as long as the service runs."""
    await look_again_and_again(service, plan_missing)


async def plan_missing(service: Service, rules: Programme, now: datetime) -> None:  # noqa: ARG001  # a wave has its own day
    """Plan every wave that was added later, for everybody who lacks it. Asks nothing of the database when none was added."""
    added = [each for each in rules.active.surveys if each.since is not None]
    if not added:
        return
    where = {"programme": rules.id, "state.withdrawn": False, "state.admitted": {"$ne": None}}
    fields = ["state.id", "state.surveys", "state.admitted"]
    found = service.store[Participant.noun].find(where, projection=fields).sort("_id", 1)
    consenting = await consenting_in(service.store, rules.id, Purpose.RESEARCH)
    lacking = [id async for each in found if (id := each["state"]["id"]) in consenting and _lacks(each["state"], added)]

    async def plan(some: Sequence[str]) -> None:
        try:
            await service.store.transaction(partial(_plan, service, rules, PlanWaves(participants=tuple(some))))
        except Conflict as error:
            raise Unavailable("Too many requests change the same participants.") from error

    for start in range(0, len(lacking), AT_ONCE):
        await in_parts(service, lacking[start : start + AT_ONCE], plan)


async def _plan(service: Service, rules: Programme, command: PlanWaves, transaction: Transaction) -> None:
    unit = Unit(service.store, transaction, service.holder, now_utc())
    cause = Cause(rules.id, unit.now, new_id())
    await plan_waves(command, Work(unit, rules, cause))
    unit.attribute(cause)
    # As a reaction: the programme's event tells of the wave, and a plan of one person has no event of its own.
    await unit.flush(silently=True)


def _lacks(state: Document, added: Sequence[SurveyWave]) -> bool:
    try:
        admitted = date.fromisoformat(state["admitted"])
    except (TypeError, ValueError):
        return True  # the plan of this one fails by itself, and says so
    to_come = (each for each in added if each.asks(admitted))
    return any(survey_id(state["id"], each.instrument, each.wave) not in state["surveys"] for each in to_come)
