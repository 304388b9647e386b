"""Failed sign-ins wait longer and longer, in all copies together, and nobody waits for the failures of others."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from services.engines import Engines
from services.identity.attempts import ACCOUNT_WAITS, ADDRESS_WAITS, COLLECTION, FORGOTTEN, FREE, Attempt, Attempts
from services.store.mongo import Store

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
KEY = b"k" * 32


class Clock:
    """Time that passes when a test says so. It begins in the future, so that MongoDB removes nothing meanwhile."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def store(engines: Engines) -> AsyncIterator[Store]:
    one = Store(engines.mongo, f"a{uuid.uuid4().hex[:10]}")
    yield one
    await one.close()


@pytest_asyncio.fixture
async def attempts(store: Store, clock: Clock) -> Attempts:
    one = Attempts(store, KEY, clock)
    await one.prepare()
    return one


async def fail(attempts: Attempts, account: str = "anna", address: str = HERE) -> float:
    """Guess once, wrongly. Gives the seconds that the guess has to wait instead; 0 when it was made."""
    attempt = await attempts.begin(account, address)
    if isinstance(attempt, float):
        return attempt
    attempts.failed(attempt)
    return 0.0


async def succeed(attempts: Attempts, account: str, address: str) -> None:
    attempt = await attempts.begin(account, address)
    assert isinstance(attempt, Attempt)
    await attempts.succeeded(attempt)


async def waits(attempts: Attempts, account: str = "anna", address: str = HERE) -> float:
    """The seconds that one has to wait; asking is an attempt, so it is taken back."""
    attempt = await attempts.begin(account, address)
    if isinstance(attempt, float):
        return attempt
    others = {"_id": {"$in": list(attempt.counted)}}
    await attempts._documents.update_many(others, {"$inc": {"count": -1}, "$set": {"until": attempts._clock()}})
    return 0.0


async def guess(attempts: Attempts, clock: Clock, seconds: float, account: str = "anna", address: str = HERE) -> int:
    """Guess as often as one may for so many seconds. Gives the number of guesses."""
    end, guesses = clock.now + timedelta(seconds=seconds), 0
    while clock.now < end:
        if (wait := await fail(attempts, account, address)) <= 0:
            guesses += 1
        clock.forward(max(min(wait, (end - clock.now).total_seconds()), 0.25))
    return guesses


async def test_an_hour_of_guesses_from_one_address_is_a_few_whatever_account_is_named(
    attempts: Attempts, clock: Clock
) -> None:
    guesses = 0
    for number in range(120):
        guesses += await guess(attempts, clock, 30.0, f"anna {number}")
    assert FREE < guesses < 30


async def test_the_wait_grows_to_its_longest_and_is_forgotten(attempts: Attempts, clock: Clock) -> None:
    waited = []
    for _ in range(14):
        assert await fail(attempts) == 0
        waited.append(await waits(attempts))
        clock.forward(waited[-1])
    assert waited[: FREE + 3] == [0, 0, 1, 2, 4, 8]
    assert waited[-1] == ADDRESS_WAITS
    clock.forward(FORGOTTEN)
    assert await fail(attempts) == 0
    assert await waits(attempts) == 0


async def test_from_many_addresses_an_account_is_guessed_slowly_and_a_stranger_waits_little(
    attempts: Attempts, clock: Clock
) -> None:
    guesses = 0
    for number in range(300):
        guesses += await guess(attempts, clock, 2.0, "anna", f"203.0.{number // 250}.{number % 250}")
    assert guesses < 40
    assert await waits(attempts, "anna", HERE) <= ACCOUNT_WAITS
    assert await waits(attempts, "eva", HERE) == 0, "others are not concerned"


async def test_nobody_is_locked_out_of_a_place_where_they_have_signed_in_before(
    attempts: Attempts, clock: Clock
) -> None:
    await succeed(attempts, "anna", HERE)
    await guess(attempts, clock, 120.0, "anna", ELSEWHERE)
    await guess(attempts, clock, 120.0, "eva", HERE)
    assert await waits(attempts, "anna", HERE) == 0
    assert await waits(attempts, "carla", HERE) > 0


async def test_a_success_forgives_no_failure_of_others(attempts: Attempts, clock: Clock) -> None:
    """Whoever has an account of their own must not clear the way for guesses by signing in between them."""
    for number in range(FREE - 1):
        await fail(attempts, f"guessed {number}")
    await succeed(attempts, "mallory", HERE)
    assert await fail(attempts, "guessed") == 0
    assert await fail(attempts, "guessed") > 0


async def test_guesses_that_come_at_once_to_several_copies_wait_as_well(store: Store, clock: Clock) -> None:
    copies = [Attempts(store, KEY, clock) for _ in range(4)]
    await copies[0].prepare()
    made = await asyncio.gather(*(copies[n % 4].begin("anna", HERE) for n in range(40)))
    assert len([each for each in made if isinstance(each, Attempt)]) <= FREE


async def test_an_ipv6_subscriber_is_one_address(attempts: Attempts) -> None:
    for number in range(10):
        await fail(attempts, f"anna {number}", f"2001:db8::{number:x}")
    assert await waits(attempts, "carla", "2001:db8::ffff") > 0
    assert await waits(attempts, "carla", "2001:db8:0:1::1") == 0


async def test_neither_the_log_nor_the_database_holds_a_name_or_an_address(
    attempts: Attempts, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await fail(attempts, "Anna Bianchi")
        await fail(attempts, "anna bianchi ")
    first, second = caplog.records
    kept = str([each async for each in store[COLLECTION].find()])
    for text in (str(first.__dict__), kept):
        assert "anna" not in text.lower()
        assert HERE not in text
    assert (first.account, first.address) == (second.account, second.address)  # type: ignore[attr-defined]  # extra


async def test_mongodb_forgets_what_no_longer_counts(attempts: Attempts, store: Store, clock: Clock) -> None:
    await fail(attempts)
    indexes = await store[COLLECTION].index_information()
    assert [each["expireAfterSeconds"] for each in indexes.values() if "expireAfterSeconds" in each] == [0]
    found = [each async for each in store[COLLECTION].find()]
    assert {each["expires"] for each in found} == {clock.now + timedelta(seconds=FORGOTTEN)}
