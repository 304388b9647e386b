"""Calls of a driver that blocks run in few threads, in the context of their callers, and answer them alone."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from services.store.threads import Threads

limit: ContextVar[str] = ContextVar("limit", default="none")


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(2, "tried")
    yield made
    made.close()


def named() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("tried_")]


async def test_a_call_answers_its_caller_and_runs_in_the_caller_s_context(threads: Threads) -> None:
    def work() -> tuple[str, bool]:
        return limit.get(), threading.current_thread() is threading.main_thread()

    limit.set("20 s")
    assert await threads.run(work) == ("20 s", False)
    limit.set("none")
    assert await threads.run(work) == ("none", False)


async def test_an_error_is_raised_where_the_call_was_made_and_the_thread_goes_on(threads: Threads) -> None:
    def failing() -> None:
        raise ValueError("not stored")

    for _ in range(3):
        with pytest.raises(ValueError, match="not stored"):
            await threads.run(failing)
    assert await threads.run(lambda: 1) == 1


async def test_calls_one_after_the_other_need_one_thread(threads: Threads) -> None:
    for number in range(5):
        assert await threads.run(lambda number=number: number) == number  # type: ignore[misc]
    assert len(named()) == 1


async def test_no_more_calls_run_at_once_than_there_are_threads(threads: Threads) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(9)))
    assert most == len(named()) == 2


async def test_a_call_whose_caller_is_gone_before_it_began_is_not_run(threads: Threads) -> None:
    done, go = list[str](), threading.Event()
    busy = [asyncio.create_task(threads.run(go.wait)) for _ in range(2)]
    waiting = asyncio.create_task(threads.run(lambda: done.append("too late")))
    await asyncio.sleep(0)
    waiting.cancel()
    busy[0].cancel()  # that one runs on, for nobody
    await asyncio.wait([waiting, busy[0]])
    go.set()
    assert await busy[1] is True
    await threads.run(lambda: done.append("in time"))
    assert done == ["in time"]


async def test_after_the_end_no_call_is_taken_and_no_thread_is_left() -> None:
    threads = Threads(2, "tried")
    await threads.run(lambda: None)
    threads.close()
    with pytest.raises(RuntimeError, match="tried"):
        await threads.run(lambda: None)
    for each in named():
        each.join(5)
    assert named() == []
