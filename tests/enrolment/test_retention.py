"""Retention: whose data are not needed any more, by the months of the programme, and nobody else."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolment.domain import Status
from enrolment.domain.retention import Limit, after, kept_until, limit_of
from enrolment.retention.commands import EraseWhenDue, erase_when_due
from enrolment.retention.queries import due_in
from services import programmes
from services.programmes.model import Programme, Retention
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import AT, in_status

MONTHS = {Limit.UNDECIDED: 12, Limit.DECLINED: 6, Limit.LEFT: 24, Limit.ENDED: 24}
DAY = date(2027, 1, 31)


@pytest.fixture
def rules() -> Programme:
    """The pilot, which ends in 2028."""
    kept = Retention(undecided=12, declined=6, left=24, ended=24)
    return programmes.load_all()["monza-brianza"].model_copy(update={"retention": kept})


def test_months_end_on_the_last_day_of_a_short_month() -> None:
    assert after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert after(date(2026, 12, 1), 1) == date(2027, 1, 1)
    assert after(date(2027, 8, 31), 6) == date(2028, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2150, 1, 1)), st.integers(1, 240))
def test_more_months_are_never_earlier_and_never_skip_a_month(day: date, months: int) -> None:
    then = after(day, months)
    assert (then.year - day.year) * 12 + then.month - day.month == months
    assert then <= after(day, months + 1)


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        (Status.REFERRED, Limit.UNDECIDED),
        (Status.DECLINED, Limit.DECLINED),
        (Status.WITHDRAWN, Limit.LEFT),
        (Status.ADMITTED, None),
        (Status.ERASED, None),
    ],
)
def test_each_step_has_its_limit(status: Status, limit: Limit | None) -> None:
    assert limit_of(status) is limit


def test_the_earliest_of_several_limits_counts_and_an_erased_person_has_none() -> None:
    since = {Limit.LEFT: date(2026, 1, 1), Limit.ENDED: date(2026, 3, 1)}
    assert kept_until(Status.WITHDRAWN, MONTHS, since) == (Limit.LEFT, date(2028, 1, 1))
    assert kept_until(Status.ADMITTED, MONTHS, since) == (Limit.ENDED, date(2028, 3, 1))
    assert kept_until(Status.ERASED, MONTHS, since) is None
    assert kept_until(Status.ADMITTED, {**MONTHS, Limit.ENDED: None}, since) is None


def row(**steps: datetime) -> dict[str, Any]:
    return {"worker": "0190-ada", "partner": "cgil", **steps}


def test_a_person_is_due_on_the_day_after_the_last_one_and_not_before(rules: Programme) -> None:
    referred, declined = datetime(2026, 10, 1, 9, tzinfo=UTC), datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    found = row(referred=referred, declined=declined)  # in Monza it is the 3rd already
    assert due_in(found, rules, date(2027, 5, 3)) is None
    due = due_in(found, rules, date(2027, 5, 4))
    assert due is not None
    assert (due.limit, due.until) == (Limit.DECLINED, date(2027, 5, 3))


def test_who_came_back_is_judged_by_where_they_are_now(rules: Programme) -> None:
    then, later = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
    back = row(referred=then, declined=then + timedelta(days=9), returned=later)
    assert due_in(back, rules, date(2027, 6, 1)) is None
    again = row(referred=then, declined=then + timedelta(days=9), admitted=later)
    assert due_in(again, rules, date(2027, 6, 1)) is None


def test_without_the_table_nobody_is_due(rules: Programme) -> None:
    then = datetime(2001, 1, 1, tzinfo=UTC)
    old = row(referred=then, asked=then)
    assert due_in(old, rules, DAY) is not None
    assert due_in(old, rules.model_copy(update={"retention": None}), DAY) is None


@pytest.mark.parametrize(
    ("status", "months", "erased"),
    [
        (Status.DECLINED, 7, True),
        (Status.DECLINED, 6, False),
        (Status.REFERRED, 13, True),
        (Status.REFERRED, 12, False),
        (Status.ADMITTED, 13, False),
        (Status.WITHDRAWN, 13, False),
    ],
)
async def test_the_command_decides_anew_by_the_record_itself(
    rules: Programme, status: Status, months: int, erased: bool
) -> None:
    person = in_status(status)
    work = MemoryWork(person)
    work.rules, work.now = rules, datetime.combine(after(AT.date(), months), AT.timetz())
    assert await erase_when_due(EraseWhenDue(worker=person.id), work.as_work) == {"erased": erased}
    assert work.destroyed == ([person.id] if erased else [])
    assert (person.status is Status.ERASED) is erased


async def test_whoever_came_back_is_kept_from_the_return_on(rules: Programme) -> None:
    back = datetime.combine(after(AT.date(), 11), AT.timetz())
    person = in_status(Status.DECLINED)
    person.come_back(back)
    late = row(referred=AT, declined=AT, returned=back, asked=back)
    day = after(AT.date(), 14)
    assert due_in(late, rules, day) is None
    work = MemoryWork(person)
    work.rules, work.now = rules, datetime.combine(day, AT.timetz())
    assert await erase_when_due(EraseWhenDue(worker=person.id), work.as_work) == {"erased": False}
    assert due_in(late, rules, after(AT.date(), 24)) is not None


async def test_an_erasure_that_was_done_meanwhile_is_no_mistake(rules: Programme) -> None:
    person = in_status(Status.ERASED)
    work = MemoryWork(person)
    work.rules = rules
    assert await erase_when_due(EraseWhenDue(worker=person.id), work.as_work) == {"erased": False}
