"""Kept results: read once for all who ask at once, again when they are old, and never after an error."""

import asyncio
from datetime import datetime

import pytest

from analytics.kept import Kept


class Reads:
    """Counts reads, and answers with their number."""

    def __init__(self) -> None:
        self.number, self.fails = 0, False

    async def __call__(self, at: datetime) -> int:
        self.number += 1
        await asyncio.sleep(0)
        if self.fails:
            raise RuntimeError("away")
        return self.number


async def test_all_who_ask_at_once_have_one_read_and_its_moment() -> None:
    read, kept = Reads(), Kept[int](10)
    taken = await asyncio.gather(*(kept.of("monza-brianza", read) for _ in range(20)))
    assert read.number == 1
    assert len({(each.value, each.at) for each in taken}) == 1


async def test_it_is_read_again_only_when_it_is_old() -> None:
    now, read = [0.0], Reads()
    kept = Kept[int](10, lambda: now[0])
    found = []
    for now[0] in (0.0, 9.9, 10.0, 19.0, 20.0):
        found.append((await kept.of("monza-brianza", read)).value)
    assert found == [1, 1, 2, 2, 3]


async def test_each_programme_has_its_own() -> None:
    read, kept = Reads(), Kept[int](10)
    assert (await kept.of("monza-brianza", read)).value == 1
    assert (await kept.of("jobs2", read)).value == 2


async def test_an_error_is_kept_for_nobody() -> None:
    read, kept = Reads(), Kept[int](10)
    read.fails = True
    with pytest.raises(RuntimeError):
        await kept.of("monza-brianza", read)
    read.fails = False
    assert (await kept.of("monza-brianza", read)).value == 2
