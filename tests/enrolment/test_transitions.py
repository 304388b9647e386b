"""Every step of a worker in every status, as a rule and as a command: the outcomes of the one table."""

from itertools import product

import pytest

from enrolment.domain import Status
from services.kernel import Refusal, Refused
from services.store.accesses import Caller
from tests.enrolment.memory import MemoryWork
from tests.enrolment.transitions import TABLE
from tests.enrolment.workers import AT, in_status, recorded

CASES = [(status, name) for status, name in product(Status, TABLE)]
named = pytest.mark.parametrize(("status", "name"), CASES, ids=lambda part: str(part).replace(" ", "-"))


@named
def test_a_rule_leads_to_the_status_of_the_table_or_is_refused_and_changes_nothing(status: Status, name: str) -> None:
    worker, step = in_status(status), TABLE[name]
    before, outcome = worker.model_dump(), step.outcome(status)
    if isinstance(outcome, Status):
        step.rule(worker)
        assert worker.status is outcome
        assert recorded(worker)
        return
    with pytest.raises(Refused) as refused:
        step.rule(worker)
    assert refused.value.code == outcome
    assert refused.value.kind is (Refusal.GONE if outcome == "erased" else Refusal.CONFLICT)
    assert (worker.model_dump(), recorded(worker)) == (before, [])


@named
async def test_a_command_does_the_same_and_keeps_who_gave_it(status: Status, name: str) -> None:
    worker, step = in_status(status), TABLE[name]
    work, outcome = MemoryWork(worker), step.outcome(status)
    work.caller = Caller("operator-1", "operator", "Carla Rossi")
    command = step.command(worker="w1", **step.more)
    if isinstance(outcome, Status):
        await step.handler(command, work.as_work)
        assert worker.status is outcome
        assert [(each.recorded, each.role, each.who, each.name) for each in worker.acts] == [
            (AT, "operator", "operator-1", "Carla Rossi")
        ]
        return
    with pytest.raises(Refused) as refused:
        await step.handler(command, work.as_work)
    assert (refused.value.code, worker.acts) == (outcome, ())
