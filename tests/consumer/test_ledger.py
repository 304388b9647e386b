"""A ledger in each store of the kit: an entry that fails or waits holds back its person alone, and no withdrawal of consent."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.consumer import Consumer, FeedStopped, NotYet, Reactions, Sqlite, Store, taker
from services.contracts import Event
from services.contracts.feed import Admitted, ConsentWithdrawn, Erased, Referred, Seated
from services.engines import Engines
from tests.consumer import stores
from tests.consumer.conftest import Book
from tests.consumer.outcomes import Outcomes, failing, rows
from tests.consumer.stores import NOWHERE, journal, journalling, places, take


@pytest.fixture(params=stores.NAMES)
def store(request: pytest.FixtureRequest, engines: Engines, tmp_path: Path) -> Store:
    """Each store of the kit, one after the other."""
    return stores.make(request.param, engines, tmp_path)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)), max_size=8))
def test_whatever_is_read_again_from_wherever_each_place_takes_effect_once(
    many: int, looks: list[tuple[int, int]]
) -> None:
    book = Book()
    values = [book.value(Referred.type, f"p{each}") for each in range(many)]

    async def read() -> list[int]:
        with tempfile.TemporaryDirectory() as folder:
            store = Sqlite(Path(folder) / "x.db")
            for start, length in [*looks, (0, many)]:
                await take(journalling(store), values[start : start + length], start)
            found = await places(store)
            store.close()
            return found

    assert asyncio.run(read()) == list(range(1, many + 1))


async def test_what_fails_is_set_aside_with_its_person_and_the_others_flow(store: Store) -> None:
    values = Book().values(
        (Referred.type, "a"), (Admitted.type, "a"), (Referred.type, "b"), (Seated.type, "a"), (Admitted.type, "b")
    )
    bad, fail = failing(2)
    consumer = journalling(store, fail)
    await take(consumer, values)
    assert await places(store) == [1, 3, 5]
    (dead_letter,) = await consumer.dead()
    assert (dead_letter.sequence, dead_letter.why, dead_letter.behind) == (
        2,
        "RuntimeError: a defect of the partner's",
        1,
    )
    assert dead_letter.entry == orjson.loads(values[1])
    assert await consumer.redrive(2)
    assert (await places(store), len(await consumer.dead())) == ([1, 3, 5], 1)
    bad.clear()
    assert await consumer.redrive(2)
    assert await places(store) == [1, 3, 5, 2, 4]
    assert await consumer.dead() == []
    assert not await consumer.redrive(2)


async def test_a_redrive_goes_as_far_as_it_can(store: Store) -> None:
    bad, fail = failing(1, 3)
    consumer = journalling(store, fail)
    await take(consumer, Book().values((Referred.type, "a"), (Admitted.type, "a"), (Seated.type, "a")))
    bad.remove(1)
    await consumer.redrive(1)
    assert await places(store) == [1, 2]
    assert [(dead_letter.sequence, dead_letter.behind) for dead_letter in await consumer.dead()] == [(3, 0)]


async def test_what_is_dismissed_has_no_effect_and_those_behind_it_go_on(store: Store) -> None:
    _, fail = failing(1)
    consumer, values = journalling(store, fail), Book().values((Referred.type, "a"), (Admitted.type, "a"))
    await take(consumer, values)
    assert await consumer.dismiss(1)
    assert await places(store) == [2]
    assert await consumer.dead() == []


async def test_a_withdrawal_or_an_erasure_waits_behind_nothing_and_what_waits_of_the_person_goes(store: Store) -> None:
    _, fail = failing(1, 2)
    consumer = journalling(store, fail)
    await take(
        consumer,
        Book().values((Referred.type, "a"), (Referred.type, "b"), (ConsentWithdrawn.type, "a"), (Erased.type, "b")),
    )
    assert await places(store) == [3, 4]
    assert await consumer.dead() == []


async def test_rows_about_a_person_go_with_their_consent_or_with_them(store: Store) -> None:
    consumer = Consumer(Outcomes(), store, NOWHERE)
    people = [(kind, person) for person in "abc" for kind in (Referred.type, Admitted.type)]
    await take(consumer, Book().values(*people, (ConsentWithdrawn.type, "a"), (Erased.type, "b")))
    assert await rows(store) == {"c": {"referred": "2027-01-11", "admitted": "2027-01-11"}}


async def test_what_is_not_yet_possible_is_tried_again_in_order_and_not_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {1, 3}

    def need(event: Event[Any]) -> None:
        if event.sequence in missing:
            raise NotYet("the person in our own register")

    consumer = journalling(store, need)
    await take(
        consumer, Book().values((Referred.type, "a"), (Admitted.type, "a"), (Referred.type, "b"), (Admitted.type, "b"))
    )
    assert await places(store) == []
    assert [each.why for each in await consumer.dead()] == ["not yet: the person in our own register"] * 2
    missing.remove(1)
    await (await consumer._taker()).retry()
    assert await places(store) == [1, 2]
    monkeypatch.setattr(taker, "PATIENCE", timedelta(0))
    await (await consumer._taker()).retry()
    missing.clear()
    await (await consumer._taker()).retry()
    assert await places(store) == [1, 2]
    assert [each.why for each in await consumer.dead()] == ["waited too long, not yet: the person in our own register"]


async def test_a_payload_that_breaks_its_schema_is_dead_and_the_field_is_named(store: Store) -> None:
    book = Book()
    broken = orjson.loads(book.value(Referred.type, "a")) | {"data": {"on": "someday"}}
    consumer = journalling(store)
    await take(consumer, [orjson.dumps(broken), book.value(Referred.type, "b")])
    assert await places(store) == [2]
    assert (await consumer.dead())[0].why.startswith("data.on: ")


async def test_what_the_ledger_cannot_account_for_stops_it_where_it_stands(store: Store) -> None:
    book = Book()
    one, two, three = book.values((Referred.type, "a"), (Referred.type, "b"), (Referred.type, "c"))
    other = Book().values((Referred.type, "a"), (Referred.type, "x"))[1]
    consumer = journalling(store)
    assert await take(consumer, [one, three]) == "place 2 is missing: 3 comes after 1"
    assert "is no entry: value: not JSON" in str(await take(consumer, [b"\x00", two, three]))
    assert await places(store) == [1]
    assert await take(consumer, [two]) is None
    assert "at place 2, which was taken as" in str(await take(consumer, [other]))
    assert await take(consumer, [one, two, three]) is None
    assert await places(store) == [1, 2, 3]


async def test_a_type_that_is_not_known_yet_keeps_its_place_and_has_no_effect(store: Store) -> None:
    book = Book()
    new = orjson.loads(book.value(Referred.type)) | {"type": "it.amalavoro.feed.worker.promoted.v1"}
    await take(journalling(store), [orjson.dumps(new), book.value(Admitted.type)])
    assert await places(store) == [2]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many that fail alike are too many, so that the test need not wait for more."""
    monkeypatch.setattr(taker, "ALIKE", 5)
    return 5


async def test_many_that_fail_alike_stop_the_consumer_and_nothing_is_lost(few: int, tmp_path: Path) -> None:
    store, book = Sqlite(tmp_path / "x.db"), Book()
    values = [book.value(Referred.type, f"p{each}") for each in range(few + 3)]
    bad, fail = failing(*range(1, 100))
    with pytest.raises(FeedStopped, match="mend the program"):
        await take(journalling(store, fail), values)
    bad.clear()
    await take(journalling(store, fail), values)
    assert await places(store) == list(range(1, len(values) + 1))


async def test_failures_with_successes_between_them_stop_nobody(few: int, tmp_path: Path) -> None:
    store, book = Sqlite(tmp_path / "x.db"), Book()
    values = [book.value(Referred.type, f"p{each}") for each in range(2 * few + 2)]
    _, fail = failing(*range(1, 100, 2))
    consumer = journalling(store, fail)
    await take(consumer, values)
    assert len(await consumer.dead()) == few + 1


@pytest.mark.parametrize("how", ["connection", "with", "script", "sql"])
async def test_a_function_cannot_part_its_effect_from_the_mark(tmp_path: Path, how: str) -> None:
    store, reactions = Sqlite(tmp_path / "x.db"), Reactions()

    @reactions.on(Referred)
    async def commit(event: Event[Any], given: Any) -> None:
        await stores.append(given, event)
        if how == "connection":
            given.commit()
        elif how == "with":
            with given:
                pass
        elif how == "script":
            given.executescript("SELECT 1;")
        else:
            given.execute("COMMIT")

    consumer = Consumer(reactions, store, NOWHERE, name="journal")
    await take(consumer, Book().values((Referred.type, "a")))
    assert await journal(store) == []
    assert "not authorized" in (await consumer.dead())[0].why
