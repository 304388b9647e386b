"""The rule by which a mean is shown: no two totals that can be had tell the score of fewer than ten people."""

from itertools import combinations, product
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.disclosure import (
    LEAST,
    OFTEN,
    SEATED,
    SIDES,
    WAITING,
    Block,
    Limits,
    Shown,
    differ,
    looked_at,
    may_stand,
)
from tests.analytics.brute import fewest

Scores = dict[str, float]
WIDE = Limits(LEAST, -5000, 5000)  # no mean lies near an end


def shown(scores: Scores) -> Shown:
    people = {person.encode(): repr(value).encode() for person, value in scores.items()}
    return Shown(people, fsum(scores.values()) / len(scores))


def look(block: Block, seated: Scores, waiting: Scores | None = None, limits: Limits = WIDE) -> Block:
    cells = {SEATED: seated, WAITING: waiting or {}}
    return looked_at(block, {side: shown(scores) for side, scores in cells.items() if scores}, limits)


def some(first: int, number: int, value: float = 36.0) -> Scores:
    return {f"w{n}": value + n for n in range(first, first + number)}


def n_of(block: Block, side: str = SEATED) -> int | None:
    value = block.value(side)
    return None if value is None else len(value.people)


@pytest.mark.parametrize(("number", "is_shown"), [(0, False), (1, False), (9, False), (10, True), (11, True)])
def test_a_mean_of_fewer_than_ten_people_is_not_shown(number: int, is_shown: bool) -> None:
    assert (n_of(look(Block.empty(), some(0, number))) == number) is is_shown


def test_one_answer_more_changes_nothing_and_ten_more_do() -> None:
    block = look(Block.empty(), some(0, 10))
    first = block.value(SEATED)
    for number in range(11, 20):
        block = look(block, some(0, number))
        assert block.value(SEATED) == first
    assert n_of(look(block, some(0, 20))) == 20


def test_who_came_who_went_and_whose_value_changed_count_each_once() -> None:
    block = look(Block.empty(), some(0, 12))
    nine = some(3, 9) | some(20, 3) | {"w11": 1.0, "w10": 1.0, "w9": 1.0}
    assert look(block, nine) == block, "three went, three came, three answered otherwise"
    assert n_of(look(block, nine | {"w8": 1.0})) == 12


def test_fewer_than_ten_left_is_seen_only_when_ten_have_gone() -> None:
    block = look(Block.empty(), some(0, 15))
    assert n_of(look(block, some(0, 6))) == 15
    assert n_of(look(block, some(0, 5))) is None


def test_a_value_that_was_shown_earlier_is_not_approached_step_by_step() -> None:
    """Ten came, were shown, and all but one went again: the third value beside the first would tell that one's score."""
    block = look(look(Block.empty(), some(0, 10)), some(0, 20))
    assert n_of(block) == 20
    assert n_of(look(block, some(0, 11))) == 20
    assert n_of(look(block, some(0, 10))) == 10, "the same people as at first tell nothing new"


def test_people_who_move_from_waiting_to_a_seat_do_not_uncover_who_comes_with_them() -> None:
    block = look(Block.empty(), {}, some(0, 24))
    seated, waiting = some(0, 12) | {"new": 99.0}, some(12, 12)
    moved = look(look(block, seated, waiting), seated, waiting)
    assert (n_of(moved), n_of(moved, WAITING)) == (13, 24), (
        "both at once would differ from the first in the new one alone"
    )


def test_all_who_waited_and_one_more_with_a_seat_do_not_uncover_that_one() -> None:
    block = look(Block.empty(), {}, some(0, 12))
    assert n_of(look(block, some(0, 12) | {"new": 99.0})) is None


P, Q, R, X = some(0, 10), some(10, 10), some(20, 10), {"x": 99.0}


def test_four_looks_of_which_each_two_differ_in_ten_do_not_tell_the_score_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """x = S4 - (S2 + S3 - 2 S1) for the sums of P, P+Q, P+R and Q+R+x."""
    monkeypatch.setattr("analytics.disclosure.OFTEN", 9)  # so that the number of looks refuses nothing
    block = Block.empty()
    for scores in (P, P | Q, P | R):
        block = look(block, scores)
    assert look(block, Q | R | X) == block
    assert look(block, Q | R).value(SEATED) == shown(Q | R), "without x the fourth tells nothing of anybody"


def test_nor_do_they_when_one_of_the_looks_was_at_the_other_side() -> None:
    block = Block.empty()
    for seated, waiting in (({}, P | R), (P, {}), (P | Q, {})):
        block = look(block, seated, waiting)
    assert look(block, Q | R | X) == block
    assert look(block, Q | R).value(SEATED) == shown(Q | R)


def test_five_people_with_other_scores_each_are_five_and_not_ten() -> None:
    """The third total less the other two leaves the difference of two scores, of five people."""
    five = [some(50, 5, value) for value in (1.0, 2.0)]
    block = Block.empty()
    for seated, waiting in ((P | five[0], {}), (P | five[0], Q), (P | Q | five[1], Q)):
        block = look(block, seated, waiting)
    assert block.value(SEATED) == shown(P | five[0])


def test_a_side_shows_so_many_values_and_keeps_the_last_but_goes_back_to_those_it_had() -> None:
    crowds = [some(100 * n, 20) for n in range(OFTEN + 1)]
    block = Block.empty()
    for crowd in crowds:
        block = look(block, crowd)
    assert block.value(SEATED) == shown(crowds[OFTEN - 1])
    block = look(block, crowds[0], crowds[-1])
    assert (block.value(SEATED), block.value(WAITING)) == (shown(crowds[0]), shown(crowds[-1]))
    assert len(block.shown[SEATED]) == OFTEN


LIKERT = Limits(LEAST, 1, 5)


def answers(first: int, *values: float) -> Scores:
    return {f"w{first + n}": value for n, value in enumerate(values)}


@pytest.mark.parametrize("most", [[5] * 10, [5] * 9 + [4], [5] * 7 + [1, 4, 5], [1] * 10, [1] * 9 + [2]])
def test_a_mean_that_tells_the_scores_of_most_is_not_shown(most: list[float]) -> None:
    assert n_of(look(Block.empty(), answers(0, *most), limits=LIKERT)) is None


def test_a_mean_with_three_ranges_to_both_ends_is_shown() -> None:
    assert n_of(look(Block.empty(), answers(0, *[5] * 7, 1, 1, 1), limits=LIKERT)) == 10
    assert n_of(look(Block.empty(), answers(0, *[5] * 7, 1, 1, 2), limits=LIKERT)) is None


def test_newcomers_who_all_answered_alike_are_not_told_by_the_difference() -> None:
    middle, high = answers(0, *[3] * 20), answers(20, *[5] * 10)
    block = look(Block.empty(), middle, limits=LIKERT)
    assert n_of(block) == 20
    assert n_of(look(block, middle | high, limits=LIKERT)) == 20, (
        "the mean of all is in the middle, that of the ten is 5"
    )


def test_those_who_are_left_over_by_two_earlier_means_are_not_told() -> None:
    seated, waiting, late = answers(0, *[3] * 12), answers(12, *[3] * 12), answers(24, *[1] * 10)
    block = look(Block.empty(), seated, waiting, LIKERT)
    assert (n_of(block), n_of(block, WAITING)) == (12, 12)
    assert look(block, seated | waiting | late, limits=LIKERT).value(SEATED) == block.value(SEATED)


def test_one_answer_after_a_refusal_is_not_told_by_being_shown_then() -> None:
    """Refused with ten and shown with eleven would say that the eleventh brought the sum away from the end."""
    high = answers(0, *[5] * 7, 1, 1, 2)
    block = look(Block.empty(), high, limits=LIKERT)
    assert n_of(look(Block.empty(), high | answers(10, 1), limits=LIKERT)) == 11
    for number in range(1, 10):
        block = look(block, high | answers(10, *[1] * number), limits=LIKERT)
        assert n_of(block) is None
    assert n_of(look(block, high | answers(10, *[1] * 10), limits=LIKERT)) == 20


def test_a_mean_that_was_shown_before_this_rule_stands_no_longer() -> None:
    assert not may_stand(10, 5.0, LIKERT)
    assert not may_stand(10, 4.9, LIKERT)
    assert not may_stand(9, 3.0, LIKERT)
    assert may_stand(10, 3.8, LIKERT)


lives_of_few = st.lists(st.lists(st.sampled_from(["seated", "waiting", "gone"]), min_size=8, max_size=8), max_size=5)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([0, 1]), min_size=8, max_size=8), lives_of_few)
def test_whatever_was_shown_any_two_could_still_have_answered_otherwise(
    scores: list[int], lives: list[list[str]]
) -> None:
    """Tries every answer that fits what was shown, for eight people who answered yes or no and a limit of six."""
    block, limits = Block.empty(), Limits(6, 0, 1)
    for places in lives:
        cells = {side: {f"w{n}": float(scores[n]) for n, at in enumerate(places) if at == side} for side in SIDES}
        block = look(block, cells[SEATED], cells[WAITING], limits)
    totals = [(set(each.people), round(each.mean * len(each.people))) for side in SIDES for each in block.shown[side]]
    people = [f"w{n}".encode() for n in range(8)]
    fitting = [
        dict(zip(people, answers, strict=True))
        for answers in product((0, 1), repeat=8)
        if all(sum(dict(zip(people, answers, strict=True))[each] for each in some) == total for some, total in totals)
    ]
    for one, other in combinations(set().union(*(some for some, _ in totals)), 2):
        assert {(each[one], each[other]) for each in fitting} == set(product((0, 1), repeat=2))


def nothing_tells(block: Block) -> None:
    totals = [each.people for side in SIDES for each in block.shown[side]]
    totals += [
        dict(one.people) | dict(other.people)
        for one, other in product(block.shown[SEATED], block.shown[WAITING])
        if not one.people.keys() & other.people.keys()
    ]
    for one, other in combinations(totals, 2):
        assert not 0 < differ(one, other) < LEAST


sides = st.lists(st.sampled_from(["seated", "waiting", "gone"]), min_size=40, max_size=40)


@settings(max_examples=60)
@given(st.lists(sides, min_size=2, max_size=6))
def test_no_two_totals_that_can_be_had_differ_in_fewer_than_ten_people(lives: list[list[str]]) -> None:
    block = Block.empty()
    for places in lives:
        cells = {side: {f"w{n}": float(n) for n, place in enumerate(places) if place == side} for side in SIDES}
        block = look(block, cells[SEATED], cells[WAITING])
    nothing_tells(block)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["seated", "waiting", "gone"])), max_size=120))
def test_neither_do_they_when_people_move_one_by_one(moves: list[tuple[int, str]]) -> None:
    places, block = ["seated"] * 14 + ["waiting"] * 14 + ["gone"] * 12, Block.empty()
    for person, place in moves:
        places[person] = place
        cells = {side: {f"w{n}": float(n) for n, at in enumerate(places) if at == side} for side in SIDES}
        block = look(block, cells[SEATED], cells[WAITING])
    nothing_tells(block)


lives_of_groups = st.lists(
    st.lists(st.sampled_from(["seated", "waiting", "gone", "seated otherwise"]), min_size=6, max_size=6),
    min_size=3,
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=6, max_size=6), lives_of_groups)
def test_no_combination_of_all_that_was_shown_concerns_fewer_than_ten_people(
    sizes: list[int], lives: list[list[str]]
) -> None:
    block = Block.empty()
    for places in lives:
        cells: dict[str, Scores] = {side: {} for side in SIDES}
        for group, (size, place) in enumerate(zip(sizes, places, strict=True)):
            if place != "gone":
                cells[place.split()[0]] |= some(100 * group, size, 36.0 if place in SIDES else 7.0)
        block = look(block, cells[SEATED], cells[WAITING])
    assert fewest([each.people for side in SIDES for each in block.shown[side]]) not in range(1, LEAST)
