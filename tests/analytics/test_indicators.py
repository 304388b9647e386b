"""Every figure of `indicators()` against rows made by hand."""

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics.indicators import Attended, Facts, Referrals, Response, Row, first_due, indicators, mean_of, scored
from tests.analytics.facts import OCTOBER, RULES, facts, figures, presence, seat, survey, worker


def test_a_programme_without_rows_has_zeros_and_no_rate_or_median() -> None:
    empty = figures()
    assert empty.model_dump() == {
        "programme": "monza-brianza",
        **dict.fromkeys(
            ("referred", "admitted", "declined", "seated", "waiting", "withdrawn", "found_work", "took_part"), 0
        ),
        "referrals": [],
        "groups": [],
        "groups_running": 0,
        "groups_concluded": 0,
        "meetings_scheduled": 0,
        "meetings_held": 0,
        "attendance": {"members": 0, "present": 0, "rate": None},
        "days_from_referral_to_first_meeting": None,
        "surveys": [],
        "means": None,
        "targets": RULES.targets,
    }


def test_a_group_that_was_formed_runs_until_it_is_concluded() -> None:
    groups = [{"formed": "g1"}, {"formed": "g2", "concluded": "2027-05-03"}, {"concluded": "2027-05-03"}]
    found = figures(meetings=groups)
    assert (found.groups_running, found.groups_concluded) == (1, 1)


def test_whoever_was_no_member_that_day_after_all_has_no_line() -> None:
    lines = [presence("a", True), presence("b", False) | {"member": True}, presence("c", True) | {"member": False}]
    found = figures([worker(each) for each in "abc"], attendance=lines)
    assert found.attendance == Attended(members=2, present=1, rate=0.5)
    assert found.took_part == 1


def test_each_step_counts_the_persons_who_reached_it() -> None:
    found = figures(
        [
            worker("a"),
            worker("b", admitted=OCTOBER),
            worker("c", admitted=OCTOBER, waits=OCTOBER),
            worker("d", declined=OCTOBER),
            worker("e", admitted=OCTOBER, withdrawn=OCTOBER, reason="found-work"),
            worker("f", withdrawn=OCTOBER, told="other", reason="illness"),
            worker("g", withdrawn=OCTOBER, told="found-work"),  # the reason itself has not arrived
        ]
    )
    assert (found.referred, found.admitted, found.declined) == (7, 3, 1)
    assert (found.withdrawn, found.found_work, found.waiting, found.seated) == (3, 2, 1, 0)


@pytest.mark.parametrize("consents", [True, False])
def test_only_who_consents_to_take_part_and_to_research_is_computed(consents: bool) -> None:
    rows, scores = [worker("a"), seat("a")], [survey("a", scores={"total": 50.0})]
    refusing = [] if consents else ["a"]
    found = figures(rows, attendance=[presence("a", True)], scores=scores, refusing=refusing)
    blocks = scored(facts(rows, scores=scores, refusing=refusing))
    assert (found.referred, found.seated, found.took_part, len(found.surveys), len(blocks)) == (consents,) * 5
    assert found.groups == [1] * consents
    assert found.attendance.members == int(consents)
    assert (found.days_from_referral_to_first_meeting is not None) is consents


def test_rows_of_a_person_who_was_never_referred_are_not_computed() -> None:
    found = figures([seat("x")], attendance=[presence("x", True)], scores=[survey("x", scores={"total": 1.0})])
    assert found == figures()


@pytest.mark.parametrize(
    ("row", "seats", "counted"),
    [
        ({}, [seat("a")], (1, 0)),
        ({"waits": OCTOBER}, [seat("a")], (1, 0)),
        ({"waits": OCTOBER}, [], (0, 1)),
        ({"waits": OCTOBER, "unlisted": OCTOBER}, [], (0, 0)),
        ({}, [seat("a", until="2026-12-01")], (0, 0)),
        ({"waits": OCTOBER}, [seat("a", until="2026-12-01")], (0, 1)),
        ({"withdrawn": OCTOBER, "reason": "other"}, [seat("a")], (0, 0)),
        ({}, [seat("a", "g1", until="2026-12-01"), seat("a", "g2")], (1, 0)),
    ],
)
def test_a_person_has_a_seat_or_waits_or_neither(row: Row, seats: list[Row], counted: tuple[int, int]) -> None:
    found = figures([worker("a", **row), *seats])
    assert (found.seated, found.waiting) == counted


def test_groups_are_the_numbers_of_open_seats_from_the_smallest() -> None:
    people = [worker(id) for id in "abcdef"]
    seats = [*(seat(id, "g1") for id in "abc"), seat("d", "g2"), seat("e", "g2", until="2026-12-01"), seat("f", "g3")]
    assert figures([*people, *seats]).groups == [1, 1, 3]


def test_referrals_are_counted_by_partner_and_month_in_order() -> None:
    november = datetime(2026, 11, 3, tzinfo=UTC)
    found = figures(
        [
            worker("a", partner="cisl", referred=november),
            worker("b", partner="cisl"),
            worker("c", partner="acli"),
            worker("d", partner="cisl"),
        ]
    )
    assert found.referrals == [
        Referrals(partner="acli", month="2026-10", referred=1),
        Referrals(partner="cisl", month="2026-10", referred=2),
        Referrals(partner="cisl", month="2026-11", referred=1),
    ]


def test_meetings_are_counted_by_their_own_rows_and_not_by_those_of_groups() -> None:
    rows: list[Row] = [
        {"formed": "g1", "kind": "heterogeneous"},
        {"session": "g1.1", "held": "2026-11-02"},
        {"session": "g1.2"},
    ]
    found = figures(meetings=rows)
    assert (found.meetings_scheduled, found.meetings_held) == (2, 1)


def test_attendance_is_present_over_the_lines_of_the_roll_calls() -> None:
    lines = [presence("a", True), presence("a", False), presence("b", True), presence("c", False)]
    found = figures([worker(id) for id in "abc"], attendance=lines)
    assert found.attendance == Attended(members=4, present=2, rate=0.5)
    assert found.took_part == 2


def test_attendance_of_nobody_present_is_a_rate_of_zero() -> None:
    found = figures([worker("a")], attendance=[presence("a", False)])
    assert (found.attendance.rate, found.took_part) == (0.0, 0)


@pytest.mark.parametrize(
    ("since", "days"),
    [
        ({"a": ["2026-10-05"]}, 0.0),
        ({"a": ["2026-11-02"]}, 28.0),
        ({"a": ["2026-10-15"], "b": ["2026-10-08"]}, 6.5),
        ({"a": ["2026-10-15"], "b": ["2026-10-08"], "c": ["2027-10-05"]}, 10.0),
        ({"a": ["2026-12-01", "2026-10-09"]}, 4.0),
    ],
)
def test_days_to_the_first_meeting_are_the_median_over_persons_from_the_first_seat(
    since: dict[str, list[str]], days: float
) -> None:
    seats = [seat(id, f"g{n}", day) for id, each in since.items() for n, day in enumerate(each)]
    found = figures([*(worker(id) for id in since), worker("waits"), *seats])
    assert found.days_from_referral_to_first_meeting == days


def test_surveys_are_counted_by_instrument_and_wave() -> None:
    rows = [survey("a"), survey("b", submitted=False), survey("a", "T1", submitted=False)]
    found = figures([worker("a"), worker("b")], scores=rows)
    assert found.surveys == [
        Response(instrument="who5", wave="T0", invited=2, submitted=1, scored=0),
        Response(instrument="who5", wave="T1", invited=1, submitted=0, scored=0),
    ]


def test_a_survey_whose_scores_have_arrived_is_counted() -> None:
    (found,) = figures([worker("a"), worker("b")], scores=[survey("a", scores={"x": 1.0}), survey("b")]).surveys
    assert (found.submitted, found.scored) == (2, 1)


def test_scores_of_those_with_a_seat_are_beside_those_of_people_who_wait() -> None:
    path = [*(worker(id) for id in "abc"), worker("w", waits=OCTOBER), worker("n"), seat("a"), seat("b")]
    scores = {"a": 40.0, "b": 60.0, "w": 30.0, "n": 99.0}
    found = scored(facts(path, scores=[survey(id, scores={"total": score}) for id, score in scores.items()]))
    assert found == {("who5", "T0", "total"): {"seated": {"a": 40.0, "b": 60.0}, "waiting": {"w": 30.0}}}


def test_each_scale_and_wave_is_a_block_of_its_own() -> None:
    rows = [survey("a", "T1", {"total": 1.0}), survey("a", "T0", {"y": 2.0, "x": 3.0})]
    found = scored(facts([worker("a"), seat("a")], scores=rows))
    assert {key[1:]: sides["seated"] for key, sides in found.items()} == {
        ("T0", "x"): {"a": 3.0},
        ("T0", "y"): {"a": 2.0},
        ("T1", "total"): {"a": 1.0},
    }


@pytest.mark.parametrize(
    ("values", "mean"), [([7.0], 7.0), ([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 5.0), ([0.1] * 10, 0.1)]
)
def test_a_mean_is_that_of_the_exact_sum(values: list[float], mean: float) -> None:
    assert mean_of(values) == mean


def test_a_wave_begins_with_the_first_survey_of_anybody() -> None:
    rows = [survey("a") | {"due": "2026-10-20"}, survey("b") | {"due": "2026-10-19"}, survey("c", "T1")]
    found = first_due(facts(scores=rows, refusing=["b"]))
    assert found == {("who5", "T0"): date(2026, 10, 19), ("who5", "T1"): date(2026, 10, 20)}


def test_the_order_of_rows_cannot_show() -> None:
    chance = random.Random(1)
    path = [worker(f"w{n}") for n in range(40)] + [seat(f"w{n}", f"g{n % 3}") for n in range(30)]
    rows: dict[str, Any] = {
        "path": path,
        "meetings": [{"session": f"g{n}.1"} for n in range(3)],
        "attendance": [presence(f"w{n}", n % 3 > 0) for n in range(30)],
        "scores": [survey(f"w{n}", scores={"total": chance.uniform(0, 100)}) for n in range(40)],
    }
    expected, everybody = figures(**rows).model_dump_json(), frozenset(f"w{n}" for n in range(40))
    for _ in range(20):
        shuffled = {name: chance.sample(each, len(each)) for name, each in rows.items()}
        assert indicators(Facts(consenting=everybody, **shuffled), RULES).model_dump_json() == expected


def test_the_targets_are_those_of_the_programme_by_name() -> None:
    assert list(figures().targets) == sorted(RULES.targets)
    assert figures().targets == RULES.targets
