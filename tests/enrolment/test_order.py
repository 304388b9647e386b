"""The order of steps in the world: whatever the order in which they are typed in, no step is dated before the one that it needs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from enrolment import commands as do
from enrolment.domain import Status, Worker
from services import programmes
from services.contracts.enrolment import (
    ConsentChanged,
    Leaving,
    Purpose,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerWithdrawn,
)
from services.kernel import CLOCKS, Refusal, Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import AT, decide, in_status, recorded, referred

DAY = timedelta(days=1)
START, END = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2028, 2, 29, 8, tzinfo=UTC)
Act = Callable[[MemoryWork], Awaitable[None]]


async def _refer(work: MemoryWork) -> None:
    await do.refer(do.Refer(partner="cgil", card={"given_name": "Ada"}), work.as_work)


async def _decide(work: MemoryWork, **given: bool) -> None:
    named = {Purpose(name.replace("_", "-")): yes for name, yes in (given or {"research": True}).items()}
    command = do.DecideConsent(worker="w1", given=named, notice="2026-09", language="it")
    await do.decide_consent(command, work.as_work)


async def _admit(work: MemoryWork) -> None:
    await do.admit(do.Admit(worker="w1"), work.as_work)


async def _decline(work: MemoryWork) -> None:
    await do.decline(do.Decline(worker="w1"), work.as_work)


async def _withdraw(work: MemoryWork) -> None:
    await do.withdraw(do.Withdraw(worker="w1", reason=Leaving.OTHER), work.as_work)


def at(moment: datetime, worker: Worker | None = None) -> MemoryWork:
    """A command's work at that time in the world, in a programme with an intake and an end."""
    work = MemoryWork(*([worker] if worker else []))
    work.rules, work.at = programmes.load_all()["monza-brianza"], moment
    return work


async def code_of(act: Act, work: MemoryWork) -> str:
    with pytest.raises(Refused) as refused:
        await act(work)
    assert refused.value.kind is Refusal.CONFLICT
    return refused.value.code


async def test_an_admission_before_the_referral_is_refused_and_names_both_times() -> None:
    worker = in_status(Status.REFERRED)
    before = worker.model_dump()
    with pytest.raises(Refused, match=r"2026-09-30 .* before the referral \(2026-10-01") as refused:
        worker.admit(AT - DAY)
    assert (refused.value.code, refused.value.members["not_before"]) == ("out-of-order", AT.isoformat())
    assert (worker.model_dump(), recorded(worker)) == (before, [])


@pytest.mark.parametrize("act", [_admit, _decline, _withdraw])
async def test_a_step_before_the_referral_is_refused(act: Act) -> None:
    assert await code_of(act, at(AT - DAY, in_status(Status.REFERRED))) == "out-of-order"
    await act(at(AT, in_status(Status.REFERRED)))


async def test_nobody_is_admitted_on_a_day_before_they_consented() -> None:
    worker = referred()
    decide(worker, Purpose.PARTICIPATION, True, AT + 3 * DAY)
    assert await code_of(_admit, at(AT + DAY, worker)) == "out-of-order"
    await _admit(at(AT + 3 * DAY, worker))


async def test_nobody_withdraws_before_they_were_admitted() -> None:
    worker = referred()
    decide(worker, Purpose.PARTICIPATION, True, AT)
    worker.admit(AT + 3 * DAY)
    assert await code_of(_withdraw, at(AT + DAY, worker)) == "out-of-order"
    await _withdraw(at(AT + 4 * DAY, worker))


async def test_a_form_may_be_signed_before_the_referral_is_typed_in() -> None:
    worker = referred()
    await _decide(at(AT - DAY, worker), participation=True)
    await _admit(at(AT, worker))
    assert worker.status is Status.ADMITTED


@pytest.mark.parametrize("given", [True, False])
async def test_an_older_form_is_refused_whatever_it_says(given: bool) -> None:
    worker = referred()
    decide(worker, Purpose.PARTNER_FEEDBACK, False, AT)
    counts = worker.consents
    assert await code_of(lambda work: _decide(work, partner_feedback=given), at(AT - DAY, worker)) == "out-of-order"
    assert worker.consents == counts
    decide(worker, Purpose.PARTNER_FEEDBACK, True, AT)  # of the same moment: the one that is typed in last counts


async def test_of_one_form_with_an_older_decision_nothing_is_kept() -> None:
    worker = referred()
    decide(worker, Purpose.RESEARCH, False, AT)
    work = at(AT - DAY, worker)
    assert await code_of(lambda same: _decide(same, contact=True, research=True), work) == "out-of-order"
    assert work.records == []


async def test_a_withdrawn_consent_ends_the_part_of_whoever_was_admitted_meanwhile() -> None:
    worker = referred()
    decide(worker, Purpose.PARTICIPATION, True, AT)
    worker.admit(AT + 3 * DAY)
    worker._events.clear()
    decide(worker, Purpose.PARTICIPATION, False, AT + DAY)
    times = {type(each.data): each.at for each in worker._events}
    later = AT + 3 * DAY
    assert times == {ConsentChanged: AT + DAY, WorkerWithdrawn: later, WithdrawalExplained: later}


@pytest.mark.parametrize("act", [_refer, _decide, _admit])
async def test_nothing_begins_before_the_programme(act: Act) -> None:
    worker = Worker(id="w1", partner="cgil")
    decide(worker, Purpose.PARTICIPATION, True, START - 9 * DAY)
    assert await code_of(act, at(START - DAY, worker)) == "out-of-order"
    await act(at(START, worker))


async def test_nobody_is_admitted_after_the_programme_and_everybody_may_leave_it() -> None:
    worker = Worker(id="w1", partner="cgil")
    decide(worker, Purpose.PARTICIPATION, True, START)
    assert await code_of(_admit, at(END + DAY, worker)) == "programme-over"
    await _admit(at(END, worker))
    await _decide(at(END + DAY, worker), research=False)
    await _withdraw(at(END + DAY, worker))


@pytest.mark.parametrize(
    ("moment", "named"),
    [
        ("2019-05-01T09:00:00Z", "2026-09-01"),
        ("2026-08-31T23:59:00+02:00", "2026-09-01"),
        ("2027-09-01T00:30:00+02:00", "2027-08-31"),  # in UTC it is the last day of the intake
    ],
)
async def test_a_referral_outside_the_intake_is_refused_with_the_day_that_is_the_limit(moment: str, named: str) -> None:
    with pytest.raises(Refused, match=rf"\({named}\)") as refused:
        await _refer(at(datetime.fromisoformat(moment)))
    assert refused.value.code == "out-of-order"
    assert named in refused.value.members.values()


@pytest.mark.parametrize("moment", ["2026-09-01T00:00:00+02:00", "2027-08-31T23:59:00+02:00"])
async def test_both_days_of_the_intake_are_in_it(moment: str) -> None:
    await _refer(at(datetime.fromisoformat(moment)))


async def test_two_clocks_that_differ_refuse_nobody_and_keep_the_order() -> None:
    worker = in_status(Status.REFERRED)
    worker.admit(AT - CLOCKS)
    assert [(type(each.data), each.at) for each in worker._events] == [(WorkerAdmitted, AT)]


async def test_a_worker_of_an_older_database_has_no_times_and_goes_on() -> None:
    worker = Worker.model_validate(in_status(Status.ADMITTED).model_dump(exclude={"referred", "admitted"}))
    worker.withdraw(Leaving.OTHER, AT - DAY)
    assert worker.status is Status.WITHDRAWN
