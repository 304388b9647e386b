"""Groups that can meet: no rule is ever broken, and who can be seated is."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grouping.formation import Answer, Problem, check, solve

SLOTS = [f"{day}-{part}" for day in ("mon", "tue", "wed", "thu", "fri") for part in ("morning", "afternoon", "evening")]


def problem(number: int, seed: int = 0, **changes: Any) -> Problem:
    """A pool in which everybody can attend about a third of the slots."""
    chance = random.Random(seed)
    towns = [f"m{n}" for n in range(6)]
    document: dict[str, Any] = {
        "size": [10, 15],
        "slots": SLOTS,
        "municipalities": towns,
        "km": [[0.0 if a == b else 8.0 for b in towns] for a in towns],
        "people": [
            {
                "id": f"p{n}",
                "municipality": chance.choice(towns),
                "travel_km": 20,
                "slots": chance.sample(SLOTS, 5),
                "waiting_days": chance.randrange(90),
            }
            for n in range(number)
        ],
        "facilitators": [
            {
                "id": f"f{n}",
                "municipality": chance.choice(towns),
                "travel_km": 60,
                "slots": chance.sample(SLOTS, 8),
                "groups": 2,
            }
            for n in range(max(2, number // 8))
        ],
        "places": [{"id": f"v{n}", "municipality": town, "rooms": 2, "access": n == 0} for n, town in enumerate(towns)],
    }
    return Problem.model_validate({**document, **changes})


@pytest.mark.parametrize(("people", "seed", "may_wait"), [(90, 1, 4), (90, 2, 4), (300, 0, 0), (600, 3, 0)])
def test_nearly_everybody_is_seated_where_there_is_room_for_all(people: int, seed: int, may_wait: int) -> None:
    asked = problem(people, seed)
    answer = solve(asked, seed)
    assert check(asked, answer) == []
    assert len(answer.unplaced) <= may_wait


def test_the_same_problem_and_seed_give_the_same_answer() -> None:
    assert solve(problem(90), 7) == solve(problem(90), 7)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_rule_is_ever_broken(data: st.DataObject) -> None:
    draw = data.draw
    people = draw(st.integers(0, 14))
    slots = ["a", "b", "c"]
    ids = [f"p{n}" for n in range(people)]
    pairs = (
        st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda p: p[0] != p[1]), max_size=3)
        if people > 1
        else st.just([])
    )
    asked = Problem.model_validate(
        {
            "size": [2, 4],
            "attributes": {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": draw(st.booleans())}},
            "slots": slots,
            "municipalities": ["x", "y"],
            "km": [[0, 10], [10, 0]],
            "people": [
                {
                    "id": id,
                    "municipality": draw(st.sampled_from("xy")),
                    "travel_km": draw(st.sampled_from([0, 20])),
                    "slots": draw(st.lists(st.sampled_from(slots), unique=True)),
                    "attributes": {"gender": draw(st.sampled_from("fm"))},
                    "company": draw(st.sampled_from(["acme", None])),
                    "with": draw(st.sampled_from(["colleagues", None])),
                    "needs_access": draw(st.booleans()),
                }
                for id in ids
            ],
            "facilitators": [
                {
                    "id": f"f{n}",
                    "municipality": draw(st.sampled_from("xy")),
                    "travel_km": 5,
                    "slots": slots,
                    "groups": draw(st.integers(0, 2)),
                }
                for n in range(3)
            ],
            "places": [
                {"id": f"v{n}", "municipality": "xy"[n], "rooms": draw(st.integers(0, 2)), "access": n == 0}
                for n in range(2)
            ],
            "apart": draw(pairs),
        }
    )
    assert check(asked, solve(asked)) == []


def test_whoever_starts_later_waits_and_is_told_why() -> None:
    people = [{**each.model_dump(by_alias=True), "not_before": "2026-09-01"} for each in problem(12).people[:2]]
    rest = [each.model_dump(by_alias=True) for each in problem(12).people[2:]]
    answer = solve(problem(0, people=[*people, *rest], on="2026-01-01"))
    assert {("p0", ("not_before",)), ("p1", ("not_before",))} <= {(each.id, each.reasons) for each in answer.unplaced}


MUTATIONS = {
    "a member twice": lambda a: {
        **a,
        "groups": [
            {**a["groups"][0], "members": [*a["groups"][0]["members"], a["groups"][0]["members"][0]]},
            *a["groups"][1:],
        ],
    },
    "somebody forgotten": lambda a: {
        **a,
        "groups": [{**a["groups"][0], "members": a["groups"][0]["members"][1:]}, *a["groups"][1:]],
    },
    "another slot": lambda a: {
        **a,
        "groups": [{**a["groups"][0], "slot": next(s for s in SLOTS if s != a["groups"][0]["slot"])}, *a["groups"][1:]],
    },
    "one facilitator for all": lambda a: {**a, "groups": [{**g, "facilitator": "f0"} for g in a["groups"]]},
    "all in one room": lambda a: {**a, "groups": [{**g, "place": "v1", "slot": "mon-morning"} for g in a["groups"]]},
    "a stranger": lambda a: {**a, "unplaced": [{"id": "nobody", "reasons": ["full"]}]},
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_checker_sees(name: str) -> None:
    asked = problem(90, 1)
    good = solve(asked, 1)
    assert check(asked, Answer.model_validate(MUTATIONS[name](good.model_dump(mode="json"))))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"apart": [["p1", "px"]]}, r"apart\[0\]: px"),
        ({"km": [[0.0]]}, "km: not 6 rows"),
        (
            {"frozen": [{"id": "g", "slot": "never", "place": "v0", "facilitator": "f0", "members": []}]},
            r"frozen\[0\].slot: never",
        ),
    ],
)
def test_a_problem_that_names_what_it_does_not_define_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        problem(12, **changes)
