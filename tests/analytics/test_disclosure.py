"""The rule by which a mean is shown: no two totals that can be had tell the score of fewer than ten people."""

from itertools import combinations, product
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.disclosure import LEAST, SEATED, SIDES, WAITING, Block, Shown, differ, looked_at

Scores = dict[str, float]


def shown(scores: Scores) -> Shown:
    people = {person.encode(): repr(value).encode() for person, value in scores.items()}
    return Shown(people, fsum(scores.values()) / len(scores), 1.0)


def look(block: Block, seated: Scores, waiting: Scores | None = None) -> Block:
    cells = {SEATED: seated, WAITING: waiting or {}}
    return looked_at(block, {side: shown(scores) for side, scores in cells.items() if scores})


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
