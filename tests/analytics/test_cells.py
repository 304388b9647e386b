"""The means that analytics shows: stored, the same over copies and restarts, and silent about whoever is behind them."""

import asyncio
from collections.abc import AsyncIterator

import bson
import pytest_asyncio

from analytics.cells import Cells, ShownBlock
from analytics.indicators import Scored, Wave
from services.settings import Settings
from services.store.clock import now_utc
from services.store.mongo import Store
from services.store.people import ErasedPerson

SECRET = bytes(range(32))
KEY = ("who5", "T0", "total")


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    made = Store(settings.mongo, settings.database_of("analytics"))
    yield made
    await made.close()


def seated(*numbers: int) -> Scored:
    return {"seated": {f"worker-{n}": 30.0 + n for n in numbers}, "waiting": {}}


async def show(store: Store, scored: Scored, cells: Cells | None = None, programme: str = "p") -> Wave:
    (wave,) = await (cells or Cells(SECRET)).show(store, programme, {KEY: scored})
    return wave


async def test_a_mean_of_one_is_a_note_and_nothing_else(store: Store) -> None:
    wave = await show(store, seated(6))
    assert wave.seated.model_dump() == {"n": None, "mean": None, "sd": None, "note": "fewer than 10"}
    assert wave.waiting == wave.seated
    assert "36" not in wave.model_dump_json()


async def test_a_second_look_after_one_more_answer_differs_in_nothing_also_on_another_copy(store: Store) -> None:
    first = await show(store, seated(*range(10)))
    assert (first.seated.n, first.seated.mean) == (10, 34.5)
    assert await show(store, seated(*range(11))) == first
    assert await show(store, seated(*range(20))) != first


async def test_copies_that_look_at_once_show_the_same(store: Store) -> None:
    await show(store, seated(*range(10)))
    looks = [show(store, seated(*range(20 + n))) for n in range(8)]
    waves = [each.model_dump_json() for each in await asyncio.gather(*looks)]
    assert len(set(waves)) == 1, "one of them decided, and the others repeat it"
    kept = await store[ShownBlock.collection].find_one({"_id": "p/who5/T0/total"})
    assert kept is not None
    assert (kept["version"], len(kept["shown"]["seated"])) == (2, 2)


async def test_programmes_are_apart(store: Store) -> None:
    await show(store, seated(*range(10)), programme="p")
    assert (await show(store, seated(*range(11)), programme="q")).seated.n == 11


async def test_what_is_kept_names_nobody_and_the_digests_are_under_the_key(store: Store) -> None:
    await show(store, seated(*range(10)))
    await show(store, seated(*range(10)), Cells(bytes(32)), programme="q")
    one, other = [bson.encode(each) async for each in store[ShownBlock.collection].find().sort("_id", 1)]
    assert b"worker" not in one
    people = [bson.decode(each)["shown"]["seated"][0]["people"] for each in (one, other)]
    digests = [{each[at : at + 16] for at in range(0, len(each), 16)} for each in people]
    assert not digests[0] & digests[1]


async def test_the_digests_of_an_erased_person_become_random_and_still_count(store: Store) -> None:
    first = await show(store, seated(*range(10)))
    before = await store[ShownBlock.collection].find_one({})
    await store.write(ErasedPerson.collection, [ErasedPerson("p/worker-3", "p", now_utc()).add()])
    others = [n for n in range(10) if n != 3]
    assert await show(store, seated(*others)) == first, "one has gone"
    after = await store[ShownBlock.collection].find_one({})
    assert before is not None
    assert after is not None
    old, new = (each["shown"]["seated"][0]["people"] for each in (before, after))
    pairs = [{each[at : at + 32] for at in range(0, len(each), 32)} for each in (old, new)]
    assert len(pairs[0] - pairs[1]) == len(pairs[1] - pairs[0]) == 1
    assert (await show(store, seated(*others[1:], *range(20, 27)))).seated == first.seated, "two went and seven came"
    assert (await show(store, seated(*others[1:], *range(20, 28)))).seated.n == 16
