"""A cancellation that nobody asked for begins the work again; one that somebody asked for ends it."""

import asyncio
from contextlib import suppress

import pytest

from services.store.unasked import until_asked


async def test_work_that_is_cancelled_by_nobody_begins_again() -> None:
    begun: list[int] = []

    async def work() -> str:
        begun.append(1)
        if len(begun) < 3:
            raise asyncio.CancelledError
        return "done"

    assert await until_asked(work, "work") == "done"
    assert len(begun) == 3


async def test_so_is_work_that_awaits_what_somebody_else_cancelled() -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)
        if len(begun) == 1:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    await until_asked(work, "work")
    assert len(begun) == 2


@pytest.mark.parametrize("deaf", [0, 1])
async def test_work_that_somebody_cancels_ends_also_when_it_swallowed_the_first_time(deaf: int) -> None:
    told: list[int] = []

    async def work() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append(1)
                if len(told) > deaf:
                    raise

    task = asyncio.create_task(until_asked(work, "work"))
    for _ in range(deaf + 1):
        await asyncio.sleep(0.01)
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 2)
    assert task.cancelled()
    assert len(told) == deaf + 1


async def test_a_time_limit_within_is_no_request_to_end() -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(1)
        if len(begun) == 1:
            raise asyncio.CancelledError

    await until_asked(work, "work")
    assert len(begun) == 2


async def test_work_that_stops_in_this_way_does_not_begin_again() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await until_asked(work, "work", over=lambda: True)
