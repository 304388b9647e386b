"""Advice for the unplaced is right when it is tried; the effect of a late comer on each group is exact."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouping.formation import Answer, Problem, advise, check, place, solve
from grouping.formation.helping import explanations
from grouping.formation.model import Help
from grouping.formation.scoring import score
from tests.helpers.problems import people_with, person, pool, problems, small


def advised(**changes: Any) -> tuple[Problem, Answer]:
    asked = Problem.model_validate(small(**changes))
    return asked, advise(asked, solve(asked))


def helps(answer: Answer) -> dict[str, list[tuple[Any, ...]]]:
    return {each.id: [(one.change, one.of, one.to, one.places) for one in each.helps] for each in answer.unplaced}


def leader(**changes: Any) -> list[dict[str, Any]]:
    return [{"id": "f0", "municipality": "x", "travel_km": 9, "slots": ["a"], "groups": 2} | changes]


def test_somebody_is_told_in_which_slot_they_would_sit() -> None:
    _, answer = advised(people=people_with(p3={"slots": []}))
    assert helps(answer) == {"p3": [("slot", None, "a", 1)]}


def test_somebody_is_told_how_far_they_would_have_to_go() -> None:
    _, answer = advised(
        people=people_with(p3={"municipality": "y", "travel_km": 3}),
        places=[{"id": "v0", "municipality": "x", "rooms": 1}],
    )
    assert helps(answer) == {"p3": [("travel_km", None, 10.0, 1)]}


def test_a_slot_more_of_a_facilitator_places_all_who_wait_for_it() -> None:
    people = [person(n) for n in range(2)] + [person(n, slots=["b"]) for n in range(2, 5)]
    asked, answer = advised(people=people, facilitators=leader())
    assert helps(answer) == {f"p{n}": [("facilitator_slot", "f0", "b", 3), ("slot", None, "a", 1)] for n in (2, 3)} | {
        "p4": [("facilitator_slot", "f0", "b", 3), ("slot", None, "a", 1)]
    }
    assert explanations(asked, answer) == ["no facilitator free on b at v0 within reach: 3 people wait for it"]


def test_a_room_more_places_all_who_wait_for_it() -> None:
    people = [person(n) for n in range(8)]
    leaders = leader(groups=1) + leader(id="f1", groups=1)
    asked, answer = advised(people=people, facilitators=leaders, places=[{"id": "v0", "municipality": "x", "rooms": 1}])
    waiting = {each.id for each in answer.unplaced}
    assert len(waiting) == 4
    assert all(told[0] == ("room", "v0", 2, 4) for told in helps(answer).values())
    assert explanations(asked, answer) == ["no room free on a at v0: 4 people wait for it"]


def test_a_company_that_cannot_be_split_is_told_what_can_be_done() -> None:
    people = [person(n, company="acme", **{"with": "colleagues"}) for n in range(17)]
    asked = Problem.model_validate(small(size=[10, 15], people=people))
    answer = solve(asked)
    assert check(asked, answer) == []
    assert [len(each.members) for each in answer.groups] == [15]
    assert {each.reasons for each in answer.unplaced} == {("too_few_colleagues",)}
    (told,) = explanations(asked, answer)
    assert told == (
        "acme: 17 colleagues make at most 15 of them in 1 of 10 to 15; 2 wait, and sit if 3 more come or if they sit with others too"
    )


@given(problems())
@settings(max_examples=60, deadline=None)
def test_every_help_that_is_named_helps(asked: Problem) -> None:
    answer = solve(asked)
    for waiting in advise(asked, answer).unplaced:
        for told in waiting.helps:
            changed = with_change(asked, waiting.id, told)
            again = solve(changed, 1)
            assert check(changed, again) == []
            assert len(answer.unplaced) - len(again.unplaced) >= told.places


def with_change(asked: Problem, person: str, told: Help) -> Problem:
    """The problem with that change, made on the document."""
    document = asked.model_dump(mode="json", by_alias=True)
    what = {"slot": "people", "travel_km": "people", "facilitator_slot": "facilitators", "room": "places"}[told.change]
    one = next(each for each in document[what] if each["id"] == (told.of or person))
    if told.change in ("slot", "facilitator_slot"):
        one["slots"].append(told.to)
    else:
        one["rooms" if told.change == "room" else "travel_km"] = told.to
    return Problem.model_validate(document)


@given(problems(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_effect_of_a_late_comer_is_the_difference_of_the_figures_and_no_rule_is_broken(
    asked: Problem, data: st.DataObject
) -> None:
    answer = solve(asked)
    if not answer.unplaced:
        return
    comer = data.draw(st.sampled_from(answer.unplaced)).id
    before = score(asked, answer.groups)
    for effect in place(asked, answer.groups, comer):
        groups = tuple(
            each.model_copy(update={"members": (*each.members, comer)}) if each.id == effect.group else each
            for each in answer.groups
        )
        after = score(asked, groups)
        assert effect.diversity == pytest.approx(after.diversity - before.diversity)
        assert effect.together == after.together - before.together
        left = tuple(each for each in answer.unplaced if each.id != comer)
        assert check(asked, Answer(groups=groups, unplaced=left)) == []


def test_a_late_comer_may_join_any_group_that_the_checker_would_allow() -> None:
    asked = pool(96, 3)
    answer = solve(asked)
    left = max(answer.groups, key=lambda each: len(each.members))  # and still large enough without them
    comer = left.members[0]
    groups = [
        each.model_copy(update={"members": tuple(id for id in each.members if id != comer)}) for each in answer.groups
    ]
    offered = {each.group for each in place(asked, groups, comer)}
    allowed = set()
    for at, each in enumerate(groups):
        joined = [*groups[:at], each.model_copy(update={"members": (*each.members, comer)}), *groups[at + 1 :]]
        if check(asked, Answer(groups=tuple(joined), unplaced=answer.unplaced)) == []:
            allowed.add(each.id)
    assert left.id in offered
    assert offered == allowed
