"""The budget of bodies: nobody keeps others out with bodies that do not end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from services.kernel import Unavailable
from services.web.budget import Body, Budget

MOST, SHARE = 100, 40


def message(size: int, more: bool = True) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": more}

    return receive


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def came(bodies: ExitStack, budget: Budget, caller: str, size: int, more: bool = True) -> Body:
    body = bodies.enter_context(budget.counting((caller,)))
    await body.part(message(size, more))
    return body


async def test_who_has_more_than_a_share_gives_way_to_themselves_and_takes_nothing_from_others() -> None:
    budget = Budget(MOST, SHARE)
    with ExitStack() as bodies:
        other = await came(bodies, budget, "good", 20)
        many = [await came(bodies, budget, "greedy", 15) for _ in range(10)]
        assert [each.held for each in many] == [0] * 8 + [15] * 2
        assert (other.held, budget.held) == (20, 50)
        for each in many[:8]:
            with pytest.raises(Unavailable):
                await each.part(message(1))
    assert budget.held == 0


async def test_when_the_budget_is_full_the_oldest_body_of_whoever_holds_the_most_gives_way() -> None:
    budget = Budget(MOST)
    with ExitStack() as bodies:
        small = await came(bodies, budget, "small", 10)
        large = [await came(bodies, budget, "large", 30) for _ in range(3)]
        new = await came(bodies, budget, "new", 20)
        assert [each.held for each in (small, *large, new)] == [10, 0, 30, 30, 20]


async def test_whoever_waits_for_more_of_a_body_that_gives_way_is_told_at_once() -> None:
    budget = Budget(MOST, SHARE)
    with ExitStack() as bodies:
        slow = await came(bodies, budget, "greedy", SHARE)
        waiting = asyncio.create_task(slow.part(never))
        await asyncio.sleep(0)
        await came(bodies, budget, "greedy", 1)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(waiting, 1)


async def test_a_time_limit_of_somebody_else_is_not_taken_for_giving_way() -> None:
    async def late() -> Message:
        raise TimeoutError

    with Budget(MOST).counting(("a",)) as body, pytest.raises(TimeoutError):
        await body.part(late)


async def test_a_body_that_is_whole_keeps_its_place_and_the_next_one_is_refused() -> None:
    budget = Budget(MOST)
    with ExitStack() as bodies:
        whole = [await came(bodies, budget, "busy", 50, more=False) for _ in range(2)]
        with pytest.raises(Unavailable):
            await came(bodies, budget, "new", 1)
        assert [each.held for each in whole] == [50, 50]
    with ExitStack() as bodies:
        assert (await came(bodies, budget, "new", 100, more=False)).held == 100


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, SHARE), st.booleans()), max_size=40))
async def test_no_more_than_the_budget_and_the_shares_is_ever_held(coming: list[tuple[str, int, bool]]) -> None:
    budget = Budget(MOST, SHARE)
    with ExitStack() as bodies:
        there = list[Body]()
        for caller, size, more in coming:
            try:
                there.append(await came(bodies, budget, caller, size, more))
            except Unavailable:
                assert budget.held + size > SHARE
            assert budget.held == sum(each.held for each in there) <= MOST
            assert all(sum(each.held for each in there if each.caller == (name,)) <= SHARE for name in "abc")
