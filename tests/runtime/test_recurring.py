"""Work that falls due in one programme waits for no other programme, and fails for itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.kernel import Unavailable
from services.programmes import Programme, load_all
from services.runtime.recurring import in_parts, look_again_and_again
from tests.helpers.waiting import eventually

SERVICE: Any = SimpleNamespace(name="any", rules=load_all())
FAILING, SLOW, GOOD = "jobs2", "monza-brianza", "smoke"


@asynccontextmanager
async def looking(look: Any) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(look_again_and_again(SERVICE, look))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=2)
        assert task.cancelled()


@pytest.mark.parametrize("error", [RuntimeError("of its content"), Unavailable("now"), asyncio.CancelledError()])
async def test_a_programme_that_fails_or_takes_for_ever_keeps_no_other_waiting(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.recurring.EVERY", 0.01)
    seen: list[str] = []

    async def look(_service: Any, rules: Programme, _now: datetime) -> None:
        seen.append(rules.id)
        if rules.id == FAILING:
            raise error
        if rules.id == SLOW:
            await asyncio.Event().wait()

    async with looking(look) as task:
        await asyncio.sleep(0.2)
        assert not task.done()
    assert seen.count(GOOD) > 3
    assert seen.count(FAILING) > 3, "it is tried again"
    assert seen.count(SLOW) == 1, "the next look waits for the one before"


async def test_a_programme_that_has_changed_is_looked_at_soon_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.recurring.STEP", 0.01)
    rules = dict(load_all())
    monkeypatch.setattr(SERVICE, "rules", rules)
    seen: list[tuple[str, int]] = []

    async def look(_service: Any, rules: Programme, _now: datetime) -> None:
        seen.append((rules.id, rules.cadence_days))

    async def looks(number: int) -> None:
        async def there() -> bool:
            return len(seen) >= number

        await eventually(there, 20)

    async with looking(look):
        await looks(len(rules))
        rules[GOOD] = rules[GOOD].model_copy(update={"cadence_days": 3})
        rules[SLOW] = rules[SLOW].model_copy()  # read again, and the same
        await looks(len(rules) + 1)
        await asyncio.sleep(0.1)
    assert seen[len(rules) :] == [(GOOD, 3)]


async def test_of_many_the_one_that_fails_is_left_out() -> None:
    done: list[int] = []

    async def work(some: Sequence[int]) -> None:
        if 3 in some:
            raise ValueError("cannot be read")
        done.extend(some)

    await in_parts(SERVICE, range(6), work)
    assert done == [0, 1, 2, 4, 5]


async def test_an_engine_that_is_away_fails_them_all_at_once() -> None:
    tries: list[int] = []

    async def work(some: Sequence[int]) -> None:
        tries.append(len(some))
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        await in_parts(SERVICE, range(6), work)
    assert tries == [6]
