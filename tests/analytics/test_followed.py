"""Counts of what became of people beside and after the groups, and the rules of the ESF+ that they follow. The examples are our own."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.esf import Result, Told, results, upon_leaving
from analytics.followed import followed, redress
from analytics.sheet import of_paths
from services.contracts.paths import OutcomeMoment, Situation

LEFT = date(2026, 3, 2)
EXIT, LATER = OutcomeMoment.EXIT, OutcomeMoment.SIX_MONTHS
S = Situation


def told(*said: tuple[int, Situation], moment: OutcomeMoment = EXIT) -> list[Told]:
    """Situations, each so many days after leaving."""
    return [Told(moment, situation, LEFT + timedelta(days=days)) for days, situation in said]


def test_of_two_situations_within_28_days_the_last_one_counts() -> None:
    """Somebody who looked for no work before looks for some on leaving, and works three weeks later: EECR04 and not EECR01."""
    said = told((1, S.SEARCHING), (21, S.EMPLOYED))
    assert upon_leaving(said, LEFT) is S.EMPLOYED
    assert results(S.INACTIVE, said, LEFT) == {Result.EMPLOYED}


def test_what_comes_after_28_days_counts_for_nothing_upon_leaving() -> None:
    """Work that begins on the 29th day leaves the job search as the situation upon leaving: EECR01 and not EECR04."""
    said = told((1, S.SEARCHING), (28, S.SEARCHING), (29, S.EMPLOYED))
    assert results(S.INACTIVE, said, LEFT) == {Result.JOB_SEARCH}


@pytest.mark.parametrize(
    ("entry", "said", "counts"),
    [
        (S.SEARCHING, told((0, S.SELF_EMPLOYED)), {Result.EMPLOYED}),
        (S.SEARCHING, told((0, S.SEARCHING)), set()),
        (S.EMPLOYED, told((0, S.EMPLOYED)), set()),
        (S.SEARCHING, told((5, S.TRAINING)), {Result.TRAINING}),
        (S.SEARCHING, told((5, S.EMPLOYED), (6, S.UNKNOWN)), set()),
        (S.SEARCHING, told((180, S.EMPLOYED), moment=LATER), {Result.EMPLOYED_AFTER_SIX_MONTHS}),
        (S.SEARCHING, [], set()),
    ],
)
def test_a_participation_counts_for_what_changed(entry: Situation, said: list[Told], counts: set[Result]) -> None:
    assert results(entry, said, LEFT) == counts


@given(st.sampled_from(S), st.lists(st.tuples(st.integers(-5, 40), st.sampled_from(S)), max_size=6))
def test_nobody_counts_for_job_search_and_employment_at_once(
    entry: Situation, said: list[tuple[int, Situation]]
) -> None:
    assert not {Result.JOB_SEARCH, Result.EMPLOYED} <= results(entry, told(*said), LEFT)


def row(person: str, **facts: Any) -> dict[str, Any]:
    return {"person": person, **facts}


ROWS = [
    row("ada", what="request", step="completed", need_met="partly"),
    row("ada", what="signpost"),
    row("ada", what="signpost"),
    row("ada", what="outcome", moment="exit", situation="searching", day="2026-03-03", left="2026-03-02"),
    row("ada", what="outcome", moment="exit", situation="employed", day="2026-03-20", left="2026-03-02"),
    row("ben", what="request"),
    row("eve", what="request", step="accepted"),
    row("eve", what="outcome", moment="exit", situation="employed", day="2026-03-20", left="2026-03-02"),
]


def test_counts_are_of_those_alone_who_consent_and_each_person_counts_once_for_a_situation() -> None:
    found = followed(ROWS, {"ada", "ben"})
    assert (found.requests, dict(found.steps), dict(found.needs)) == (
        2,
        {"completed": 1, "requested": 1},
        {"partly": 1},
    )
    assert (found.signposted, dict(found.leaving), dict(found.later)) == (1, {"employed": 1}, {})
    assert found.esf == {"EECR02": 0, "EECR04": 1, "EECR05": 0}
    assert followed(ROWS, set()).requests == 0
    lines = {each.text: each.number for each in of_paths(found)}
    assert lines["Requests to other services"] == 2
    assert lines["ESF+ EECR04: in employment upon leaving"] == 1


def test_a_complaint_is_late_from_the_day_after_its_last_one_until_it_is_answered() -> None:
    rows: list[dict[str, Any]] = [{"due": "2026-03-31"}, {"due": "2026-03-31", "answered": "x"}, {"answered": "x"}]
    assert redress(rows, date(2026, 3, 31)).late == 0
    counted = redress(rows, date(2026, 4, 1))
    assert (counted.received, counted.answered, counted.late) == (2, 1, 1)
