"""A level counts only while the consumer is still at the offset for which it was stored."""

import pytest

from services.runtime.levels import Level


@pytest.mark.parametrize(("offset", "position"), [(7, 9), (6, 6), (8, 8), (9, 9)])
def test_a_consumer_that_moved_since_is_not_level(offset: int, position: int) -> None:
    assert Level("reactions|ama.enrolment|0", next=7, end=9).position(offset) == position


def test_a_level_comes_back_as_it_went_in() -> None:
    level = Level("reactions|ama.enrolment|0", next=7, end=9)
    assert Level.of(level.document()) == level
