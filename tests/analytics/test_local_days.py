"""The month and the day of a referral are those of the programme's time zone, not of UTC."""

from datetime import datetime

import pytest

from analytics.indicators import Referrals
from analytics.projections import Path
from services.contracts.enrolment import WorkerReferred
from tests.analytics.facts import figures, seat, worker
from tests.analytics.rows import MemoryRows, event


def test_a_referral_in_the_first_hour_of_a_month_counts_in_that_month() -> None:
    rows, path = MemoryRows(), Path()
    path.referred(event(WorkerReferred(partner="cisl"), "w1", at="2026-10-01T00:30:00+02:00"), rows)
    assert figures(list(rows.kept.values())).referrals == [Referrals(partner="cisl", month="2026-10", referred=1)]


@pytest.mark.parametrize(
    ("referred", "month"),
    [
        ("2026-09-30T21:59:59+00:00", "2026-09"),
        ("2026-09-30T22:00:00+00:00", "2026-10"),
        ("2026-12-31T22:59:59+00:00", "2026-12"),
        ("2026-12-31T23:00:00+00:00", "2027-01"),
        ("2026-10-31T22:30:00+00:00", "2026-10"),
    ],
)
def test_a_month_begins_at_local_midnight_in_summer_and_in_winter(referred: str, month: str) -> None:
    [row] = figures([worker("a", referred=datetime.fromisoformat(referred))]).referrals
    assert row.month == month


@pytest.mark.parametrize(("referred", "days"), [("2026-10-01T00:30:00+02:00", 1.0), ("2026-09-30T23:30:00+02:00", 2.0)])
def test_days_to_the_first_meeting_begin_on_the_local_day_of_the_referral(referred: str, days: float) -> None:
    found = figures([worker("a", referred=datetime.fromisoformat(referred)), seat("a", since="2026-10-02")])
    assert found.days_from_referral_to_first_meeting == days
