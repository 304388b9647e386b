"""The search keeps its limits and every rule, with much time or little. The same seed gives the same answer."""

import time
from typing import Any

import numpy as np
import pytest

from bench.formation.generator import plant
from grouping.formation import Answer, Problem, check, opening, solve, timetable
from grouping.formation.budget import SoFar
from grouping.formation.chains import WORD, forget
from grouping.formation.pool import pool as arrays_of
from grouping.formation.tables import copied, fits, tables
from tests.helpers.problems import person, pool, small


def gap(answer: Answer) -> float:
    assert answer.score is not None
    assert answer.score.bound is not None
    return 1 - answer.score.diversity / answer.score.bound


@pytest.mark.parametrize(("people", "seed"), [(60, 3), (90, 0), (300, 1)])
def test_all_whom_a_full_timetable_can_seat_are_seated_in_diverse_groups(people: int, seed: int) -> None:
    asked = plant(people, seed).problem
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert not found.unplaced
    assert gap(found) < 0.04


def test_as_many_are_seated_as_facilitators_may_lead() -> None:
    planted = plant(300, 2, "infeasible")
    found = solve(planted.problem, 0)
    assert check(planted.problem, found) == []
    assert len(found.unplaced) == len(planted.answer.unplaced)
    assert all(each.reasons for each in found.unplaced)


@pytest.mark.parametrize("seconds", [0.001, 0.3])
def test_no_rule_is_broken_in_no_time(seconds: float) -> None:
    asked = plant(300, 5).problem
    found = solve(asked, 0, seconds=seconds)
    assert check(asked, found) == []
    assert found.seconds is not None


def test_the_same_steps_give_the_same_answer_and_more_steps_a_better_one() -> None:
    asked = plant(300, 6).problem
    first, again = (solve(asked, 3, steps=300_000) for _ in range(2))
    assert first == again
    assert gap(solve(asked, 3, steps=6_000_000)) < gap(first)


def test_progress_is_told_and_ends_the_search_with_the_best_so_far() -> None:
    asked, told = plant(300, 7).problem, list[SoFar]()

    def enough(so_far: SoFar) -> bool:
        told.append(so_far)
        return len(told) == 3

    began = time.perf_counter()
    found = solve(asked, 0, seconds=600, progress=enough)
    assert time.perf_counter() - began < 300
    assert len(told) == 3
    assert check(asked, found) == []
    assert told[-1].placed == 300
    assert 0 < told[-1].diversity <= told[-1].bound


def test_nobody_and_somebody_alone_are_no_trouble() -> None:
    for people in ([], [person(0)]):
        asked = Problem.model_validate(small(people=people, size=[1, 2]))
        found = solve(asked)
        assert check(asked, found) == []
        assert not found.unplaced


def frozen(asked: Problem, found: Answer, groups: int, **changes: Any) -> Problem:
    told = asked.model_dump(mode="json", by_alias=True)
    return Problem.model_validate(
        told | {"frozen": [each.model_dump(mode="json") for each in found.groups[:groups]]} | changes
    )


def test_a_new_search_around_groups_that_meet_moves_none_of_them_and_seats_the_others() -> None:
    asked = pool(300, 4)
    asked = frozen(asked, solve(asked, 0, steps=100_000), 8)
    found = solve(asked, 1)
    assert check(asked, found) == []
    assert not found.unplaced
    by_id = {each.id: each for each in found.groups}
    for group in asked.frozen:
        assert set(group.members) <= set(by_id[group.id].members)


def test_what_a_frozen_group_breaks_already_gets_no_worse() -> None:
    sitting = [person(n, attributes={"gender": "f" if n == 0 else "m"}) for n in range(3)]
    late = [person(n, slots=["a", "b"], attributes={"gender": "m"}) for n in range(3, 40)]
    told = {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}}
    group = {"id": "old", "slot": "a", "place": "v0", "facilitator": "f0", "members": ["p0", "p1", "p2"]}
    asked = Problem.model_validate(
        small(people=[*sitting, *late], attributes=told, frozen=[group], apart=[["p0", "p1"]])
    )
    found = solve(asked)
    assert check(asked, found) == []
    assert {"p0", "p1", "p2"} <= set(next(each for each in found.groups if each.id == "old").members)


def test_who_fits_where_is_told_anew_when_groups_meet_elsewhere() -> None:
    asked = plant(90, 3).problem
    arrays = arrays_of(asked)
    made = tables(asked, arrays)
    work = timetable.work(arrays, made, copied(made), 1)
    opening.open_groups(arrays, made, np.random.default_rng(1), 6)
    for _ in range(20):
        timetable.shift(arrays, made, work, 6)
        forget(arrays, made, work.met)
        for one, group in np.ndindex(90, len(made.slot)):
            assert fits(arrays, made, one, group) == work.met.fit[one, group // WORD] >> (group % WORD) & 1
