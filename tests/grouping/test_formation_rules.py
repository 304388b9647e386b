"""No step of the search breaks a rule after the repair; what fails the check is taken out of the answer; reasons are true."""

import itertools
import random
from typing import Any

import numpy as np
import pytest

from grouping.formation import Answer, Problem, annealing, check, explanations, solve
from grouping.formation.answering import answered
from grouping.formation.exact import PEOPLE
from grouping.formation.explaining import Telling
from grouping.formation.keeping import kept
from grouping.formation.pool import pool as arrays_of
from grouping.formation.settled import wanting
from grouping.formation.tables import seated
from tests.grouping.wild import judged, wild
from tests.helpers.problems import group, people_with, person, small
from tests.helpers.randomness import chance, exploring

KIND = {"gender": {"kind": "nominal", "levels": ["f", "m", "x"], "no_one_alone": True}}


def after_many_steps(asked: Problem, found: Answer, *, strict: bool) -> Answer:
    """The answer after steps of the annealing that regard neither faults nor diversity."""
    pool = arrays_of(asked)
    made = seated(asked, pool, found.groups)
    totals = annealing.totals_of(pool, made, np.array([7], np.uint64), strict=strict)
    annealing.anneal(pool, made, totals, 2000, 1e3, 0.0)
    return answered(asked, pool, made, 0)


def test_no_step_of_a_strict_annealing_breaks_a_rule_and_the_same_steps_break_many_without() -> None:
    every = (wild(number) for number in itertools.count())
    # So many wait that the members are found by annealing.
    problems = list(itertools.islice((each for each in every if each.frozen and wanting(each) > PEOPLE), 30))
    answers = [solve(asked, steps=1000) for asked in problems]
    assert [
        check(asked, after_many_steps(asked, found, strict=True))
        for asked, found in zip(problems, answers, strict=True)
    ] == [[]] * len(problems)
    loose = [
        check(asked, after_many_steps(asked, found, strict=False))
        for asked, found in zip(problems, answers, strict=True)
    ]
    broken = "\n".join(line for each in loose for line in each)
    for rule in ("alone (gender)", "alone (age)", "is among colleagues alone", "are to be apart"):
        assert rule in broken


@pytest.mark.explore
def test_random_problems_with_groups_that_meet_are_solved_without_a_fault() -> None:
    first, count = chance(0).randrange(10**6), 2000 if exploring() else 25
    assert {number: told for number in range(first, first + count) if (told := judged(number))} == {}


def lone() -> Problem:
    """Four people who can form a group, and one who would be alone of their gender in it, as long as the facilitator is busy."""
    people = [person(n, attributes={"gender": "fm"[n % 2]}) for n in range(4)]
    return Problem.model_validate(
        small(
            size=[3, 5],
            attributes=KIND,
            people=[*people, person(4, attributes={"gender": "x"}, waiting_days=500)],
            facilitators=[{"id": "f0", "municipality": "x", "travel_km": 99, "slots": ["a"], "groups": 9}],
            places=[{"id": "v0", "municipality": "x", "rooms": 9}],
        )
    )


def test_a_person_alone_of_their_kind_is_told_so_and_what_would_help() -> None:
    asked = lone()
    found = solve(asked)
    assert [(each.id, each.reasons) for each in found.unplaced] == [("p4", ("alone",))]
    assert explanations(asked, found) == [
        "alone of their kind (gender x): 1 person waits, and sits if one more comes who can be there when and where they can"
    ]
    (told,) = Telling(asked, found).waiting()
    assert told.helps == ("one more person with gender x who can come when and where they can",)


def test_the_person_sits_once_one_more_of_their_kind_comes() -> None:
    asked = lone()
    twin = asked.people[4].model_copy(update={"id": "p5"})
    assert not [
        each
        for each in solve(asked.model_copy(update={"people": (*asked.people, twin), "size": (3, 6)})).unplaced
        if each.id == "p4"
    ]


def test_a_person_alone_of_their_kind_is_told_so_also_where_the_groups_are_full() -> None:
    asked = lone().model_copy(update={"size": (3, 4)})
    found = solve(asked)
    assert [(each.id, each.reasons) for each in found.unplaced] == [("p4", ("alone",))]


def test_a_person_whose_kind_is_there_is_not_told_that_they_are_alone() -> None:
    people = people_with(**{f"p{n}": {"attributes": {"gender": "f"}} for n in range(4)})
    found = solve(
        Problem.model_validate(small(size=[2, 3], attributes=KIND, people=people, facilitators=[facilitator()]))
    )
    assert [each.reasons for each in found.unplaced] == [("full",)]


def facilitator() -> dict[str, Any]:
    return {"id": "f0", "municipality": "x", "travel_km": 9, "slots": ["a"], "groups": 1}


def test_a_company_without_a_name_is_a_company_to_the_search_as_it_is_to_the_checker() -> None:
    told = {"company": "", "with": "others"}
    people = [person(n, **told) for n in range(24)]
    asked = Problem.model_validate(small(people=people))
    found = solve(asked, steps=2000)
    assert check(asked, found) == []
    assert found.defects is None
    assert not found.groups


def wrong(asked: Problem, *groups: dict[str, Any]) -> Answer:
    seats = {id for each in groups for id in each["members"]}
    waiting = [{"id": each.id, "reasons": ["full"]} for each in asked.people if each.id not in seats]
    return Answer.model_validate({"groups": groups, "unplaced": waiting})


def test_an_answer_that_fails_the_check_places_fewer_and_says_which_rule_it_broke() -> None:
    attributes: dict[str, Any] = {"attributes": {"gender": "f"}}
    people = [person(n, **attributes) for n in range(6)] + [person(6, attributes={"gender": "x"})]
    asked = Problem.model_validate(small(attributes=KIND, people=people, frozen=[group("p0", "p1", id="old")]))
    new = group("p4", "p5", id="new-1", place="v1", facilitator="f1")
    found = kept(asked, wrong(asked, group("p0", "p1", "p2", "p6", id="old"), new))
    assert check(asked, found) == []
    assert {each.id: set(each.members) for each in found.groups} == {"old": {"p0", "p1", "p2"}, "new-1": {"p4", "p5"}}
    assert found.defects == ("old has one x alone (gender)",)
    assert {each.id: each.reasons for each in found.unplaced} == {"p3": ("no_slot_in_reach",), "p6": ("alone",)}
    assert found.score is not None
    assert found.score.placed == 5


def test_whatever_is_wrong_with_an_answer_what_is_kept_of_it_passes() -> None:
    drawn = random.Random(1)
    for number in range(40):
        asked = wild(number)
        ids = [each.id for each in asked.people]
        drawn.shuffle(ids)
        groups = [
            {
                "id": f"g{n}",
                "slot": drawn.choice("abc"),
                "place": drawn.choice(["v0", "v1"]),
                "facilitator": asked.facilitators[0].id,
                "members": ids[3 * n : 3 * n + 4],
            }
            for n in range(3)
        ]
        assert check(asked, kept(asked, wrong(asked, *groups))) == []
