"""Groups of an answer can meet: no rule is ever broken, and everybody who can be seated is."""

import itertools
import os
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouping.formation import Answer, Problem, check, solve
from grouping.formation.mending import mend
from grouping.formation.seating import Seating, Table
from tests.helpers.problems import among_others, answer, group, people_with, person, pool, problems, small


def seats(found: Answer) -> dict[str, str]:
    return {id: each.id for each in found.groups for id in each.members}


def reasons(found: Answer) -> dict[str, tuple[str, ...]]:
    return {each.id: each.reasons for each in found.unplaced}


def solved(**changes: Any) -> Answer:
    asked = Problem.model_validate(small(**changes))
    found = solve(asked)
    assert check(asked, found) == []
    return found


@pytest.mark.parametrize(("people", "seed"), [(90, 1), (90, 2), (300, 0), pytest.param(600, 3, marks=pytest.mark.long)])
def test_everybody_is_seated_where_there_is_room_for_all(people: int, seed: int) -> None:
    asked = pool(people, seed)
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert not found.unplaced


@pytest.mark.parametrize("seed", range(3))
def test_everybody_is_seated_also_where_nobody_may_be_alone_of_their_kind(seed: int) -> None:
    told = pool(300, seed).model_dump(by_alias=True)
    told["attributes"] = {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}}
    for number, each in enumerate(told["people"]):
        each["attributes"] = {"gender": "f" if number % 7 == 0 else "m"}
    asked = Problem.model_validate(told)
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert not found.unplaced


@given(problems(), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_no_rule_is_ever_broken(asked: Problem, seed: int) -> None:
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert all(each.reasons for each in found.unplaced)


@given(problems(least=27, most=29), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_nor_where_so_many_wait_that_not_every_answer_is_looked_at(asked: Problem, seed: int) -> None:
    found = solve(asked, seed, steps=5000)
    assert check(asked, found) == []
    assert all(each.reasons for each in found.unplaced)


def test_a_frozen_group_of_one_is_joined_by_nobody_who_would_be_alone_there_in_another_way() -> None:
    kind = {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}
    ages = {"kind": "ordinal", "levels": ["1", "2", "3"], "weight": 2, "no_one_alone": True}
    colleague = {"company": "acme", "with": "colleagues", "travel_km": 0}
    young, older = {"gender": "f", "age": "1"}, {"gender": "f", "age": "2"}
    others = [person(n, slots=[], attributes=young, **colleague) for n in range(26)]  # too many to try every answer
    asked = Problem.model_validate(
        small(
            size=[2, 4],
            attributes={"gender": kind, "age": ages},
            people=[*others, person(26, attributes=older, **colleague)],
            facilitators=[{"id": "f0", "municipality": "x", "travel_km": 5, "slots": ["a", "b"], "groups": 1}],
            places=[{"id": "v0", "municipality": "x", "rooms": 0, "access": True}],
            frozen=[group("p0")],
        )
    )
    found = solve(asked, 0, steps=5000)
    assert check(asked, found) == []
    assert [each.members for each in found.groups] == [("p0",)]
    assert next(each.reasons for each in found.unplaced if each.id == "p26") == ("too_few_colleagues",)


@pytest.mark.parametrize("seed", [0, 7, 12])
def test_nobody_who_wants_others_sits_among_colleagues_alone_after_the_last_exchanges(seed: int) -> None:
    asked = among_others(seed)
    found = solve(asked, seed, steps=5000)
    assert check(asked, found) == []
    assert found.groups


def test_the_same_problem_and_seed_give_the_same_answer_in_another_process_too() -> None:
    told = "from tests.helpers.problems import pool; from grouping.formation import solve; print(solve(pool(90), 7).model_dump_json())"
    environment = os.environ | {"PYTHONPATH": "."}
    said = {
        subprocess.run(
            [sys.executable, "-c", told], env=environment | {"PYTHONHASHSEED": salt}, capture_output=True, check=True
        ).stdout
        for salt in "12"
    }
    assert said == {solve(pool(90), 7).model_dump_json().encode() + b"\n"}


@given(st.lists(st.sampled_from([("a",), ("b",), ("a", "b"), ()]), min_size=2, max_size=7), st.integers(2, 3))
@settings(max_examples=60, deadline=None)
def test_as_many_are_placed_as_can_be_with_slots_alone(slots: list[tuple[str, ...]], least: int) -> None:
    """Against every way to seat them: one room, so one group in each of two slots."""
    people = [person(n, slots=list(each)) for n, each in enumerate(slots)]
    places = [{"id": "v0", "municipality": "x", "rooms": 1}]
    found = solved(size=[least, 4], people=people, places=places)
    ways = itertools.product(*([None, *each] for each in slots))
    counts = [[way.count(slot) for slot in "ab"] for way in ways]
    assert len(seats(found)) == max(sum(each) for each in counts if all(not one or least <= one <= 4 for one in each))


def test_there_are_as_many_groups_as_it_takes_where_fewer_would_have_seats_enough() -> None:
    three = [{"id": f"f{n}", "municipality": "x", "travel_km": 9, "slots": list("abc"), "groups": 1} for n in range(3)]
    people = [person(n, slots=["abc"[n % 3]]) for n in range(30)]
    assert len(seats(solved(size=[10, 15], slots=list("abc"), people=people, facilitators=three))) == 30


def test_who_waits_longest_is_placed_first() -> None:
    people = [person(n, waiting_days=n) for n in range(6)]
    found = solved(
        people=people, facilitators=[{"id": "f0", "municipality": "x", "travel_km": 9, "slots": ["a"], "groups": 1}]
    )
    assert set(seats(found)) == {"p2", "p3", "p4", "p5"}
    assert reasons(found) == {"p0": ("full",), "p1": ("full",)}


def test_who_waits_longest_is_placed_before_those_who_have_no_other_slot() -> None:
    people = [person(n, waiting_days=1) for n in range(4)] + [
        person(n, slots=["a", "b"], waiting_days=9) for n in (4, 5)
    ]
    facilitators = [{"id": "f0", "municipality": "x", "travel_km": 9, "slots": ["a", "b"], "groups": 1}]
    found = solved(people=people, facilitators=facilitators)
    assert {"p4", "p5"} < set(seats(found))
    assert len(seats(found)) == 4


def test_somebody_moves_along_so_that_another_can_sit() -> None:
    people = [person(n, slots=["a", "b"], waiting_days=9) for n in range(4)] + [person(n) for n in range(4, 8)]
    found = solved(people=people)
    assert len(seats(found)) == 8


def test_too_few_who_wait_are_joined_by_some_who_sit_where_more_sit_than_must() -> None:
    frozen = [group("p0", "p1", id="old")]
    people = [person(0), person(1), person(2, slots=["a", "b"]), person(3, slots=["b"])]
    assert seats(solved(people=people, frozen=frozen)) == {"p0": "old", "p1": "old", "p2": "new-1", "p3": "new-1"}


def test_a_group_that_meets_stays_where_it_is_and_others_join_it() -> None:
    found = solved(frozen=[group("p0", id="old", slot="b", place="v1")], people=people_with(p1={"slots": ["b"]}))
    (old,) = [each for each in found.groups if each.id == "old"]
    assert (old.slot, old.place, old.members) == ("b", "v1", ("p0", "p1"))


def test_nobody_who_has_a_seat_moves_to_make_room() -> None:
    people = [person(n, slots=["a", "b"]) for n in range(4)] + [
        person(4, waiting_days=99),
        person(5, slots=["b"]),
        person(6, slots=["b"]),
    ]
    found = solved(people=people, frozen=[group("p0", "p1", "p2", "p3", id="old")])
    assert reasons(found) == {"p4": ("full",)}


def test_two_who_are_alone_of_their_kind_are_brought_together_by_an_exchange() -> None:
    told = {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}}
    both = {"slots": ["a", "b"]}
    people = [person(n, **both, attributes={"gender": "f" if n in (0, 4) else "m"}) for n in range(8)]
    seating = Seating(Problem.model_validate(small(attributes=told, people=people)), random.Random(0))
    for slot, numbers in (("a", range(4)), ("b", range(4, 8))):
        place, leader = seating.problem.places[0], seating.problem.facilitators[0]
        table = Table(slot, place, leader)
        table.members = {f"p{n}": seating.waiting.pop(f"p{n}") for n in numbers}
        seating.tables.append(table)
    assert all(seating.wrong(table) for table in seating.tables)
    mend(seating)
    assert not any(seating.wrong(table) for table in seating.tables)
    assert [len(table.members) for table in seating.tables] == [4, 4]


def test_colleagues_who_insist_sit_among_themselves_and_those_who_do_not_may_fill_their_group() -> None:
    told = {"company": "acme", "with": "colleagues"}
    found = solved(size=[3, 4], people=people_with(p0=told, p1=told, p2={"company": "acme"}))
    assert set(seats(found)) == {"p0", "p1", "p2"}


def test_a_company_that_is_too_small_for_a_group_is_told_so() -> None:
    found = solved(people=people_with(p0={"company": "acme", "with": "colleagues"}))
    assert reasons(found)["p0"] == ("too_few_colleagues",)


def test_who_wants_others_does_not_sit_among_colleagues_alone() -> None:
    colleague = {"company": "acme"}
    found = solved(people=people_with(p0=colleague | {"with": "others"}, p1=colleague, p2=colleague, p3=colleague))
    assert "p0" in reasons(found)


def test_everybody_is_told_why_they_wait() -> None:
    alone = {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}}
    woman, man = {"attributes": {"gender": "f"}}, {"attributes": {"gender": "m"}}
    assert reasons(solved(people=people_with(p0={"travel_km": 0, "municipality": "y", "needs_access": True})))[
        "p0"
    ] == ("no_place_in_reach",)
    assert reasons(solved(people=people_with(p0={"slots": []})))["p0"] == ("no_slot_in_reach",)
    assert reasons(solved(people=people_with(p0={"slots": ["b"]})))["p0"] == ("no_slot_in_reach",)
    assert reasons(solved(facilitators=[]))["p0"] == ("no_facilitator",)
    assert reasons(solved(on="2026-01-01", people=people_with(p0={"not_before": "2026-01-02"})))["p0"] == (
        "not_before",
    )
    assert reasons(solved(attributes=alone, people=people_with(p0=man, p1=woman, p2=woman, p3=woman)))["p0"] == (
        "alone",
    )
    one_room = [{"id": "v0", "municipality": "x", "rooms": 1}]
    assert reasons(solved(size=[2, 5], apart=[["p0", f"p{n}"] for n in (1, 2, 3)], places=one_room))["p0"] == ("apart",)
    assert reasons(solved(size=[4, 4], places=[{"id": "v0", "municipality": "x", "rooms": 0}]))["p0"] == ("no_room",)


def test_the_answer_says_how_good_it_is() -> None:
    attributes = {
        "age": {"kind": "ordinal", "levels": ["1", "2", "3"]},
        "gender": {"kind": "nominal", "levels": ["f", "m"], "weight": 2},
    }
    who = {
        "p0": {"age": "1", "gender": "f"},
        "p1": {"age": "3", "gender": "f"},
        "p2": {"age": "2", "gender": "m"},
        "p3": {"gender": "m"},
    }
    people = people_with(**{id: {"attributes": each} for id, each in who.items()})
    found = solved(size=[4, 4], attributes=attributes, people=people, together=[["p0", "p1"]])
    assert found.score is not None
    # by hand: 1 for p0 and p1, 2.5 for each of them with p2 and with p3, 0.5 for p2 and p3; a pair counts for both, over three groupmates
    assert found.score.diversity == pytest.approx(2 * 11.5 / 3 / 4)
    assert (found.score.placed, found.score.together) == (4, 1)
    assert found.score.bound is not None
    assert found.score.bound >= found.score.diversity


def test_an_answer_of_another_engine_can_be_read() -> None:
    told = answer(group("p0", "p1")).model_dump(mode="json")
    told |= {
        "unplaced": [{"id": "p2", "reasons": ["no_slot_in_reach"], "helps": [{"change": "slot", "to": "tue-evening"}]}],
        "score": {"placed": 2, "diversity": 1.25, "bound": 1.31, "together": 0},
        "seconds": 4.9,
    }
    assert Answer.model_validate_json(Answer.model_validate(told).model_dump_json()) == Answer.model_validate(told)
