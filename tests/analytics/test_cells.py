"""The means that analytics shows: stored, the same over copies and restarts, and silent about whoever is behind them."""

import asyncio
from collections.abc import AsyncIterator

import bson
import pytest
import pytest_asyncio

from analytics import cells
from analytics.cells import NOT_SHOWN, SHOWN, Cells
from analytics.indicators import BlockKey, Scored, Wave
from analytics.shown_blocks import ShownBlock
from services.programmes import load_all
from services.programmes.instruments import Instrument
from services.programmes.instruments import load_all as load_instruments
from services.settings import Settings
from services.store.clock import now_utc
from services.store.mongo import Store, Transaction
from services.store.people import ErasedPerson

SECRET = bytes(range(32))
KEY = ("who5", "T0", "wellbeing")


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    made = Store(settings.mongo, settings.database_of("analytics"))
    yield made
    await made.close()


def seated(*numbers: int) -> Scored:
    return {"seated": {f"worker-{n}": 30.0 + n for n in numbers}, "waiting": {}}


async def show(
    store: Store, scored: Scored, cells: Cells | None = None, programme: str = "p", key: BlockKey = KEY
) -> Wave:
    rules = load_all()["monza-brianza"].model_copy(update={"id": programme})
    (wave,) = await (cells or Cells(SECRET)).show(store, rules, {key: scored}, {})
    return wave


async def test_a_mean_of_one_is_a_note_and_nothing_else(store: Store) -> None:
    wave = await show(store, seated(6))
    assert wave.seated.model_dump() == {"n": None, "mean": None, "note": NOT_SHOWN}
    assert wave.waiting == wave.seated
    assert "36" not in wave.model_dump_json()


async def test_a_note_does_not_tell_which_rule_decided(store: Store) -> None:
    few, alike = await show(store, seated(6)), {"seated": {f"worker-{n}": 100.0 for n in range(30)}, "waiting": {}}
    assert (await show(store, alike, programme="q")).seated == few.seated
    kept = await show(store, seated(*range(10)), programme="r")
    assert kept.seated.note == (await show(store, seated(*range(11)), programme="r")).seated.note == SHOWN


async def test_a_scale_of_one_item_needs_twenty_people(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = load_instruments()["ama-own"].model_dump()
    alone = {"scales": [{"id": "identity", "items": ["identity"], "method": "mean"}]}
    monkeypatch.setattr(cells, "load_all", lambda: {"ama-own": Instrument.model_validate(ours | alone)})
    key = ("ama-own", "T0", "identity")
    scored = {side: {f"{side}-{n}": 3.0 for n in range(number)} for side, number in (("seated", 19), ("waiting", 20))}
    wave = await show(store, scored, key=key)
    assert (wave.seated.n, wave.waiting.n) == (None, 20)


async def test_no_mean_of_an_unknown_scale_is_shown(store: Store) -> None:
    assert (await show(store, seated(*range(30)), key=("who5", "T0", "unknown"))).seated.n is None


async def test_a_block_of_before_these_rules_is_read_and_goes_on(store: Store) -> None:
    first = await show(store, seated(*range(10)))
    kept = await store[ShownBlock.collection].find_one({})
    assert kept is not None
    (shown,) = kept["shown"]["seated"]
    old = {each: kept[each] for each in ("_id", "programme", "version", "now")}
    bare = {"people": shown["people"], "mean": shown["mean"], "sd": 1.0}
    await store[ShownBlock.collection].replace_one({}, {**old, "shown": {"seated": [bare], "waiting": []}})
    await store["looks"].drop()
    assert await show(store, seated(*range(11))) == first
    assert (await show(store, seated(*range(20)))).seated.n == 20


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
    kept = await store[ShownBlock.collection].find_one({"_id": "p/who5/T0/wellbeing"})
    assert kept is not None
    assert (kept["version"], len(kept["shown"]["seated"])) == (2, 2)


async def test_programmes_are_apart(store: Store) -> None:
    await show(store, seated(*range(10)), programme="p")
    assert (await show(store, seated(*range(11)), programme="q")).seated.n == 11


async def test_what_is_kept_names_nobody_and_the_digests_are_under_the_key(store: Store) -> None:
    await show(store, seated(*range(10)))
    await store["looks"].drop()  # the second one is as another installation's, which has another key
    await show(store, seated(*range(10)), Cells(bytes(32)), programme="q")
    one, other = [bson.encode(each) async for each in store[ShownBlock.collection].find().sort("_id", 1)]
    assert b"worker" not in one
    people = [bson.decode(each)["shown"]["seated"][0]["people"] for each in (one, other)]
    digests = [{each[at : at + 16] for at in range(0, len(each), 16)} for each in people]
    assert not digests[0] & digests[1]


async def erase(store: Store, person: str) -> None:
    """Erase a person by the means of the gate."""
    cells = Cells(SECRET)

    async def erased(transaction: Transaction) -> None:
        await store.write(ErasedPerson.collection, [ErasedPerson(f"p/{person}", "p", now_utc()).add()], transaction)
        await cells.forget(store, "p", person, transaction)

    await store.transaction(erased)
    assert await cells.count(store, "p", person) == 0


async def test_the_digests_of_an_erased_person_become_random_and_still_count(store: Store) -> None:
    first = await show(store, seated(*range(10)))
    before = await store[ShownBlock.collection].find_one({})
    assert await Cells(SECRET).count(store, "p", "worker-3") == 1
    await erase(store, "worker-3")
    after = await store[ShownBlock.collection].find_one({})
    assert before is not None
    assert after is not None
    old, new = (each["shown"]["seated"][0]["people"] for each in (before, after))
    pairs = [{each[at : at + 32] for at in range(0, len(each), 32)} for each in (old, new)]
    assert len(pairs[0] - pairs[1]) == len(pairs[1] - pairs[0]) == 1
    others = [n for n in range(10) if n != 3]
    assert await show(store, seated(*others)) == first, "one has gone"
    assert (await show(store, seated(*others[1:], *range(20, 27)))).seated == first.seated, "two went and seven came"
    assert (await show(store, seated(*others[1:], *range(20, 28)))).seated.n == 16


async def test_whoever_was_refused_is_forgotten_as_well(store: Store) -> None:
    alike: Scored = {"seated": {f"worker-{n}": 100.0 for n in range(10)}, "waiting": {}}
    await show(store, alike)
    assert await Cells(SECRET).count(store, "p", "worker-3") == 1
    await erase(store, "worker-3")


async def test_a_look_that_read_its_rows_before_an_erasure_keeps_nothing_of_the_person(store: Store) -> None:
    rows = seated(*range(11))
    await erase(store, "worker-3")
    assert (await show(store, rows)).seated.n == 10
    assert await Cells(SECRET).count(store, "p", "worker-3") == 0


async def test_an_erasure_beside_a_look_leaves_nothing_of_the_person(store: Store) -> None:
    await show(store, {"seated": {}, "waiting": {}})
    for number in range(5):
        programme_rows = seated(*range(10 * number, 10 * number + 12))
        person = f"worker-{10 * number + 3}"
        await asyncio.gather(show(store, programme_rows), erase(store, person), show(store, programme_rows))
        assert await Cells(SECRET).count(store, "p", person) == 0


async def test_whoever_was_erased_before_this_version_is_forgotten_at_the_start(store: Store) -> None:
    await show(store, seated(*range(10)))
    await store.write(ErasedPerson.collection, [ErasedPerson("p/worker-3", "p", now_utc()).add()])
    assert await Cells(SECRET).count(store, "p", "worker-3") == 1
    await Cells(SECRET).begin(store)
    assert await Cells(SECRET).count(store, "p", "worker-3") == 0


async def test_two_values_of_an_erased_person_stay_two(store: Store) -> None:
    """Were they one, a combination that leaves the difference of the two would seem to concern nobody."""
    for value, others in ((1.0, range(10)), (2.0, range(20, 30))):
        scored = seated(*others)
        scored["seated"]["worker-60"] = value
        await show(store, scored)
    await erase(store, "worker-60")
    kept = await store[ShownBlock.collection].find_one({})
    assert kept is not None
    pairs = [
        {each["people"][at : at + 32] for at in range(0, len(each["people"]), 32)} for each in kept["shown"]["seated"]
    ]
    people = [{pair[:16]: pair[16:] for pair in some} for some in pairs]
    (person,) = people[0].keys() & people[1].keys()
    assert people[0][person] != people[1][person]
