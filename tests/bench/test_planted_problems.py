"""The problems that formation is measured on have the answer that was planted in them."""

import pytest

from bench.formation.generator import FAMILIES, LEAST, MOST, Family, plant
from grouping.formation import check


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("number", "seed"), [(60, 0), (60, 1), (90, 2), (300, 3), (900, 4)])
def test_the_planted_answer_breaks_no_rule(number: int, seed: int, family: Family) -> None:
    problem, answer = plant(number, seed, family)
    assert check(problem, answer) == []
    assert len(problem.people) == number
    assert bool(answer.unplaced) == (family == "infeasible")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_problem_is_as_its_family_promises(family: Family) -> None:
    problem, answer = plant(300, 1, family)
    sizes = {len(each.members) for each in answer.groups}
    assert sizes == {MOST} if family != "slack" else min(sizes) >= LEAST and len(sizes) > 2
    loads = sum(each.groups for each in problem.facilitators)
    assert loads == len(answer.groups) if family != "slack" else loads > len(answer.groups)
    assert len(problem.apart) == len(problem.together) == 15
    assert 0.27 < sum(len(each.slots) for each in problem.people) / 300 / 15 < 0.33
    assert {len(each.levels) for each in problem.attributes.values()} == {2, 4, 5, 6, 8}


def test_the_same_number_family_and_seed_give_the_same_problem_and_another_seed_another() -> None:
    assert plant(90, 1) == plant(90, 1)
    assert plant(90, 1).problem != plant(90, 2).problem


def test_a_number_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(ValueError, match="19 people are no groups of 10 to 15"):
        plant(19)


def test_what_cannot_be_split_evenly_is_shared_out_within_bounds() -> None:
    problem, answer = plant(100)
    assert check(problem, answer) == []
    assert min(len(each.members) for each in answer.groups) >= LEAST
