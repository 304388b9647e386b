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


async def test_four_looks_under_switched_consents_do_not_tell_the_score_of_one(store: Store) -> None:
    """The sums of P, P+Q, P+R and Q+R+x give x, though each two of them differ in ten people."""
    p, q, r = range(10), range(10, 20), range(20, 30)
    await show(store, {"seated": {}, "waiting": seated(*p, *r)["seated"]})
    assert (await show(store, seated(*p))).seated.n == 10
    before = await show(store, seated(*p, *q))
    assert before.seated.n == 20
    assert await show(store, seated(*q, *r, 69)) == before
    after = await show(store, seated(*q, *r))
    assert (after.seated.n, after.seated.mean) == (20, 49.5), "without x they tell nothing of anybody"


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


async def test_two_values_of_an_erased_person_stay_two(store: Store) -> None:
    """Were they one, a combination that leaves the difference of the two would seem to concern nobody."""
    for value, others in ((1.0, range(10)), (2.0, range(20, 30))):
        scored = seated(*others)
        scored["seated"]["worker-60"] = value
        await show(store, scored)
    await store.write(ErasedPerson.collection, [ErasedPerson("p/worker-60", "p", now_utc()).add()])
    await show(store, seated(*range(30, 50)))
    kept = await store[ShownBlock.collection].find_one({})
    assert kept is not None
    pairs = [
        {each["people"][at : at + 32] for at in range(0, len(each["people"]), 32)} for each in kept["shown"]["seated"]
    ]
    people = [{pair[:16]: pair[16:] for pair in some} for some in pairs]
    (person,) = people[0].keys() & people[1].keys()
    assert people[0][person] != people[1][person]
