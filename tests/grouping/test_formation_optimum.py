"""The engine, the checker and the measure against every answer that there is, where there are few enough."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouping.formation import Answer, Problem, check, solve
from grouping.formation.bound import bound
from grouping.formation.measuring import measure
from tests.grouping.brute import best, distance, legal
from tests.helpers.problems import problems, roomy


@given(problems(most=12))
@settings(max_examples=100, deadline=None)
def test_no_answer_there_is_is_better_than_the_engines(asked: Problem) -> None:
    found = solve(asked)
    assert check(asked, found) == []
    assert measure(asked, found).rank[:4] == best(asked)


@given(st.integers(6, 12), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_nor_where_most_could_sit_with_most_others(number: int, seed: int) -> None:
    asked = roomy(number, seed)
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert measure(asked, found).rank[:4] == best(asked)


@pytest.mark.parametrize(("number", "seed"), [(13, 0), (13, 1), (13, 2), (14, 1), (14, 2), (15, 1)])
def test_nor_of_more_people_than_everything_can_be_tried_for(number: int, seed: int) -> None:
    asked = roomy(number, seed)
    found = solve(asked, seed)
    assert check(asked, found) == []
    assert measure(asked, found).rank[:4] == best(asked)


@st.composite
def answers(draw: st.DrawFn, asked: Problem) -> Answer:
    """Answers to this problem, most of them wrong: frozen groups with at most one more member, other groups of random people."""
    order = draw(st.permutations([each.id for each in asked.people]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    parts = [order[one:other] for one, other in itertools.pairwise([0, *cuts])]
    groups: list[dict[str, Any]] = [
        {
            "id": f"n{number}",
            "slot": draw(st.sampled_from(asked.slots)),
            "place": draw(st.sampled_from([each.id for each in asked.places])),
            "facilitator": draw(st.sampled_from([each.id for each in asked.facilitators])),
            "members": members,
        }
        for number, members in enumerate(parts)
        if members
    ]
    for frozen in asked.frozen:
        others = [id for id in order if id not in frozen.members]
        sitting = [*frozen.members, *(draw(st.lists(st.sampled_from(others), max_size=1)) if others else [])]
        for each in groups:
            each["members"] = [id for id in each["members"] if id not in sitting]
        groups.append(frozen.model_dump() | {"members": sitting})
    groups = [each for each in groups if each["members"]]
    seated = {id for each in groups for id in each["members"]}
    waiting = [{"id": id, "reasons": ["full"]} for id in order if id not in seated]
    return Answer.model_validate({"groups": groups, "unplaced": waiting})


@given(problems(most=8), st.data())
@settings(max_examples=300, deadline=None)
def test_the_checker_and_a_second_reading_of_the_format_agree(asked: Problem, data: st.DataObject) -> None:
    said = data.draw(answers(asked))
    assert (check(asked, said) == []) == legal(asked, said)


@given(problems(), st.data())
@settings(max_examples=200, deadline=None)
def test_diversity_is_what_it_is_pair_by_pair_and_never_above_the_bound(asked: Problem, data: st.DataObject) -> None:
    said = data.draw(answers(asked))
    people = {each.id: each for each in asked.people}
    means: list[float] = []
    for each in said.groups:
        members = [people[id] for id in each.members]
        if members and (len({one.company for one in members}) > 1 or members[0].company is None):
            for one in members:
                far = [distance(asked, one, other) for other in members if other is not one]
                means.append(sum(far) / len(far) if far else 0.0)
    told = measure(asked, said)
    assert told.diversity == pytest.approx(sum(means) / len(means) if means else 0.0)
    assert told.diversity <= told.bound + 1e-9


@given(problems(), st.data())
@settings(max_examples=200, deadline=None)
def test_the_engines_bound_and_the_judges_are_one(asked: Problem, data: st.DataObject) -> None:
    said = data.draw(answers(asked))
    assert bound(asked, said.groups) == pytest.approx(measure(asked, said).bound)
