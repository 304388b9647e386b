"""The checker sees every kind of violation, and does not count what the frozen groups broke before."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grouping.formation import Answer, Problem, check, inherited, solve
from tests.helpers.problems import SLOTS, answer, group, people_with, person, pool, problems, small

ALONE = {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}}
WOMAN, MAN = {"attributes": {"gender": "f"}}, {"attributes": {"gender": "m"}}
ALL = ("p0", "p1", "p2", "p3")


def leader(**changes: Any) -> dict[str, Any]:
    """The only facilitator, with these differences."""
    return {"facilitators": [{"id": "f0", "municipality": "x", "travel_km": 9, "slots": ["a"], "groups": 1} | changes]}


GOOD = answer(group(*ALL))

PLANTED: dict[str, tuple[dict[str, Any], Answer, str]] = {
    "too small": ({"size": [5, 9]}, GOOD, "g1 has too few members"),
    "too large": ({"size": [1, 2]}, GOOD, "g1 has too many members (by 2)"),
    "twice in one group": ({}, answer(group(*ALL, "p0")), "p0 stands in the answer 2 times"),
    "in two groups": (
        {},
        answer(group(*ALL), group("p0", "p1", id="g2", slot="b", place="v1")),
        "p0 stands in the answer 2 times",
    ),
    "seated and waiting": ({}, answer(group(*ALL), waiting=("p3",)), "p3 stands in the answer 2 times"),
    "forgotten": ({}, answer(group("p0", "p1", "p2")), "p3 stands in the answer 0 times"),
    "a stranger": ({}, answer(group(*ALL), waiting=("px",)), "px is nobody"),
    "one name for two groups": (
        {},
        answer(group("p0", "p1"), group("p2", "p3", place="v1", facilitator="f1")),
        "2 groups are called g1",
    ),
    "slot": ({"people": people_with(p2={"slots": ["b"]})}, GOOD, "p2 cannot attend a"),
    "reach": ({"people": people_with(p2={"municipality": "y", "travel_km": 9})}, GOOD, "p2 does not reach v0"),
    "access": (
        {"people": people_with(p2={"needs_access": True})},
        answer(group(*ALL, place="v1")),
        "p2 cannot enter v1",
    ),
    "too early": (
        {"people": people_with(p2={"not_before": "2026-02-01"}), "on": "2026-01-31"},
        GOOD,
        "p2 waits until 2026-02-01",
    ),
    "apart": ({"apart": [["p3", "p1"]]}, GOOD, "p1 and p3 are to be apart"),
    "alone": (
        {"attributes": ALONE, "people": people_with(p0=MAN, p1=WOMAN, p2=WOMAN)},
        GOOD,
        "g1 has one m alone (gender)",
    ),
    "not colleagues": (
        {"people": people_with(p1={"company": "acme", "with": "colleagues"})},
        GOOD,
        "p1 is not among colleagues alone",
    ),
    "colleague of nobody": (
        {"people": people_with(p1={"with": "colleagues"})},
        GOOD,
        "p1 is not among colleagues alone",
    ),
    "colleagues alone": (
        {
            "people": people_with(
                **{id: {"company": "acme"} for id in ALL[1:]}, p0={"company": "acme", "with": "others"}
            )
        },
        GOOD,
        "p0 is among colleagues alone",
    ),
    "facilitator's slot": (leader(slots=["b"]), GOOD, "f0 is not free in a"),
    "facilitator's way": (leader(municipality="y"), GOOD, "f0 does not reach v0"),
    "facilitator's load": (leader(groups=0), GOOD, "f0 leads too many groups"),
    "two groups at once": (
        {},
        answer(group("p0", "p1"), group("p2", "p3", id="g2", place="v1")),
        "f0 leads more than one group in a",
    ),
    "rooms": ({}, answer(group("p0", "p1"), group("p2", "p3", id="g2", facilitator="f1")), "v0 has too few rooms in a"),
    "no such slot": ({}, answer(group(*ALL, slot="z")), "g1 meets in z, which is no slot"),
    "no such place": ({}, answer(group(*ALL, place="v9")), "g1 meets at v9, which is no place"),
    "no such facilitator": ({}, answer(group(*ALL, facilitator="f9")), "g1 is led by f9, who is no facilitator"),
    "frozen at another time": ({"frozen": [group("p0", "p1", slot="b")]}, GOOD, "frozen group g1 has another slot"),
    "frozen elsewhere": ({"frozen": [group("p0", "p1", place="v1")]}, GOOD, "frozen group g1 has another place"),
    "frozen with another": (
        {"frozen": [group("p0", "p1", facilitator="f1")]},
        GOOD,
        "frozen group g1 has another facilitator",
    ),
    "frozen gone": ({"frozen": [group("p0", "p1", id="g0")]}, GOOD, "frozen group g0 is gone"),
    "frozen seat lost": (
        {"frozen": [group("p0", "p1")]},
        answer(group("p0", "p2", "p3"), waiting=("p1",)),
        "frozen group g1 lost p1",
    ),
}


def test_what_breaks_no_rule_has_no_line() -> None:
    assert check(Problem.model_validate(small()), GOOD) == []


@pytest.mark.parametrize("kind", PLANTED)
def test_the_checker_sees(kind: str) -> None:
    changes, wrong, line = PLANTED[kind]
    assert line in check(Problem.model_validate(small(**changes)), wrong)


INHERITED: dict[
    str, tuple[dict[str, Any], dict[str, Any], str]
] = {  # the changes, the frozen group, what it breaks already
    "too small": ({"size": [3, 4]}, group("p0"), "g1 has too few members (by 2)"),
    "alone": (
        {"attributes": ALONE, "people": people_with(p0=MAN, p1=WOMAN)},
        group("p0"),
        "g1 has one m alone (gender)",
    ),
    "slot": ({"people": people_with(p0={"slots": []})}, group("p0", "p2"), "p0 cannot attend a"),
    "apart": ({"apart": [["p0", "p2"]]}, group("p0", "p2"), "p0 and p2 are to be apart"),
    "load": (leader(groups=0), group("p0", "p2"), "f0 leads too many groups"),
    "colleagues": (
        {"people": people_with(p0={"company": "acme", "with": "colleagues"})},
        group("p0", "p2"),
        "p0 is not among colleagues alone",
    ),
}


@pytest.mark.parametrize("kind", INHERITED)
def test_what_a_frozen_group_breaks_already_is_inherited_and_no_violation(kind: str) -> None:
    changes, frozen, line = INHERITED[kind]
    asked = Problem.model_validate(small(**changes, frozen=[frozen]))
    assert line in inherited(asked)
    rest = tuple(id for id in ALL if id not in frozen["members"])
    assert check(asked, answer(frozen, waiting=rest)) == []
    assert check(asked, solve(asked)) == []


def test_what_was_inherited_must_not_get_worse() -> None:
    frozen = group("p0", "p1", "p2")
    asked = Problem.model_validate(small(size=[1, 2], frozen=[frozen]))
    assert check(asked, answer(frozen, waiting=("p3",))) == []
    assert check(asked, answer(group(*ALL))) == ["g1 has too many members (by 2)"]


def test_a_newcomer_may_not_take_from_a_frozen_member_what_they_had() -> None:
    insisting = {"company": "acme", "with": "colleagues"}
    asked = Problem.model_validate(small(people=people_with(p0=insisting, p1=insisting), frozen=[group("p0", "p1")]))
    assert "p0 is not among colleagues alone" in check(asked, answer(group("p0", "p1", "p2"), waiting=("p3",)))


@given(problems(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_right_answer_from_which_somebody_was_taken_is_seen(asked: Problem, data: st.DataObject) -> None:
    good = solve(asked).model_dump(mode="json")
    if not asked.people:
        return
    gone = data.draw(st.sampled_from([each.id for each in asked.people]))
    for each in good["groups"]:
        each["members"] = [id for id in each["members"] if id != gone]
    good["unplaced"] = [each for each in good["unplaced"] if each["id"] != gone]
    assert f"{gone} stands in the answer 0 times" in check(asked, Answer.model_validate(good))


@pytest.mark.parametrize("seed", range(4))
def test_a_large_answer_with_one_member_exchanged_for_one_of_another_slot_is_seen(seed: int) -> None:
    asked = pool(90, seed)
    told = solve(asked, seed).model_dump(mode="json")
    slots = {each.id: each.slots for each in asked.people}
    one = told["groups"][0]
    other, comes = next((each, id) for each in told["groups"] for id in each["members"] if one["slot"] not in slots[id])
    goes = one["members"][0]
    one["members"][0] = comes
    other["members"][other["members"].index(comes)] = goes
    assert f"{comes} cannot attend {one['slot']}" in check(asked, Answer.model_validate(told))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"apart": [["p1", "px"]]}, r"apart\[0\]: px is not defined"),
        ({"together": [["p1", "p1"]]}, r"together\[0\]: p1 and nobody else"),
        ({"km": [[0.0]]}, "km: not 2 rows of 2"),
        ({"km": [[0, -1], [1, 0]]}, r"km\[0\]\[1\]: less than none"),
        ({"km": [[0, float("nan")], [1, 0]]}, r"km\.0\.1\s+Input should be a finite number"),
        ({"size": [3, 2]}, "size: not from"),
        ({"size": [0, 2]}, "size: not from"),
        ({"slots": ["a", "b", "a"]}, r"slots\[2\]: a stands there twice"),
        ({"slots": [], "people": [], "facilitators": []}, "slots: empty"),
        (
            {"attributes": {"a": {"kind": "nominal", "levels": ["1", "2", "1"]}}},
            r"attributes\.a\.levels\[2\]: 1 stands there twice",
        ),
        ({"people": [person(1), person(1)]}, r"people\[1\]\.id: p1 stands there twice"),
        ({"people": [person(1, slots=["c"])]}, r"people\[0\]\.slots: c is not defined"),
        ({"people": [person(1, municipality="z")]}, r"people\[0\]\.municipality: z is not defined"),
        ({"people": [person(1, attributes={"size": "9"})]}, r"people\[0\]\.attributes: size is not defined"),
        (
            {"attributes": ALONE, "people": [person(1, attributes={"gender": "x"})]},
            r"people\[0\]\.attributes\.gender: x is not defined",
        ),
        ({"people": [person(1, not_before="2026-01-01")]}, r"people\[0\]\.not_before: the problem does not say"),
        ({"places": [{"id": "v", "municipality": "z", "rooms": 1}]}, r"places\[0\]\.municipality: z"),
        (
            {"facilitators": [{"id": "f", "municipality": "x", "travel_km": 1, "slots": ["c"], "groups": 1}]},
            r"facilitators\[0\]\.slots: c",
        ),
        ({"frozen": [group("p0", slot="never")]}, r"frozen\[0\].slot: never"),
        ({"frozen": [group("p0"), group("p0", id="g2")]}, r"frozen\[1\]\.members: p0 stands there twice"),
        ({"frozen": [group("p0"), group("p1")]}, r"frozen\[1\]\.id: g1 stands there twice"),
        ({"attributes": {"a": {"kind": "nominal", "levels": ["1"], "weight": -1}}}, r"attributes\.a\.weight"),
        ({"coordinates": {"z": [45, 9]}}, "coordinates: z is not defined"),
    ],
)
def test_a_problem_that_is_none_is_refused_by_the_path_in_it(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Problem.model_validate(small(**changes))


@pytest.mark.parametrize("number", [0, 1])
def test_nobody_and_one_person_are_a_problem_too(number: int) -> None:
    asked = pool(number, slots=SLOTS)
    assert [each.id for each in solve(asked).unplaced] == [f"p{n}" for n in range(number)]
