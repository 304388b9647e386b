"""Combinations of totals: what the rule finds is what a search over all of them finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.telling import tells
from tests.analytics.brute import fewest

GROUPS = 6
places = st.lists(st.sampled_from([None, None, b"one", b"one", b"other"]), min_size=GROUPS, max_size=GROUPS)


def total(sizes: list[int], values: list[bytes | None]) -> dict[bytes, bytes]:
    return {
        f"{group}/{n}".encode(): value
        for group, (size, value) in enumerate(zip(sizes, values, strict=True))
        for n in range(size)
        if value is not None
    }


def test_three_totals_and_twice_a_fourth_leave_one_person() -> None:
    p, q, r, x = ({f"{name}{n}".encode(): b"" for n in range(1 if name == "x" else 10)} for name in "pqrx")
    looks = [p, p | q, p | r, q | r | x]
    assert fewest(looks) == 1
    assert tells(looks, 2)
    assert not tells(looks, 1)
    assert not tells(looks[:3], 10)


def test_nothing_and_the_same_total_again_tell_nothing() -> None:
    crowd = {bytes([n]): b"" for n in range(10)}
    assert not tells([], 10)
    assert not tells([{}], 10)
    assert not tells([crowd, crowd], 10)
    assert tells([crowd], 11)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=GROUPS, max_size=GROUPS), st.lists(places, min_size=1, max_size=5))
def test_the_least_number_is_that_of_a_search_over_all_combinations(
    sizes: list[int], looks: list[list[bytes | None]]
) -> None:
    totals = [total(sizes, values) for values in looks]
    few = fewest(totals)
    assert not tells(totals, few)
    if few:
        assert tells(totals, few + 1)
