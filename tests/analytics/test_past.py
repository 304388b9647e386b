"""Looks after a restore, or under another key: nothing is shown that includes whoever may have been in a look that nobody remembers."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from analytics.cells import NOT_SHOWN, SHOWN, Cells
from analytics.indicators import BlockKey, Scored, Wave
from analytics.past import Past
from analytics.shown_blocks import ShownBlock
from services.programmes import Programme, load_all
from services.settings import Settings
from services.store.clock import now_utc
from services.store.mongo import Store
from services.store.restored import STATE, RestoreState
from tests.helpers.days import today

KEY: BlockKey = ("who5", "T0", "wellbeing")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MONZA = load_all()["monza-brianza"]  # begins on 2026-09-01, with T1 270 days after the admission
RULES = MONZA.model_copy(update={"surveys": [each.model_copy(update={"instrument": "who5"}) for each in MONZA.surveys]})


def with_intake(opens: date) -> Programme:
    """The programme, begun on that day."""
    return RULES.model_copy(update={"starts": opens, "intake": RULES.intake.model_copy(update={"opens": opens})})


def people(*numbers: int) -> Scored:
    return {"seated": {f"worker-{n}": 30.0 + n for n in numbers}, "waiting": {}}


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    made = Store(settings.mongo, settings.database_of("analytics"))
    yield made
    await made.close()


async def show(store: Store, scored: Scored, secret: bytes = bytes(32), key: BlockKey = KEY) -> Wave:
    begun = with_intake(today() - timedelta(days=30))
    (wave,) = await Cells(secret).show(store, begun, {key: scored}, {})
    return wave


async def collections(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {name: await store[name].find().to_list(None) for name in ("cells", "looks")}


async def restore(store: Store, backup: dict[str, list[dict[str, Any]]]) -> None:
    """Put back what the collections held at a backup, as `load` does."""
    for name, documents in backup.items():
        await store[name].delete_many({})
        if documents:
            await store[name].insert_many(documents)
    mark = {"whole": True, "backup": NOW - timedelta(days=1), "at": now_utc()}
    await store[RestoreState.collection].replace_one({"_id": STATE}, mark, upsert=True)


async def test_after_a_restore_one_answer_more_is_not_told_by_a_look_that_was_forgotten(store: Store) -> None:
    nothing = await collections(store)
    assert (await show(store, people(*range(10)))).seated.n == 10
    await restore(store, nothing)
    assert (await show(store, people(*range(11)))).seated.model_dump() == {"n": None, "mean": None, "note": NOT_SHOWN}
    assert (await show(store, people(*range(40)))).seated.n is None, "it stays so"


async def test_after_a_restore_what_is_remembered_is_shown_unchanged_and_names_nobody(store: Store) -> None:
    first = await show(store, people(*range(10)))
    backup = await collections(store)
    assert (await show(store, people(*range(20)))).seated.n == 20
    await restore(store, backup)
    await Cells(bytes(32)).begin(store)
    (kept,) = await store[ShownBlock.collection].find().to_list(None)
    assert [each["people"] for each in kept["shown"]["seated"]] == [b""]
    for number in (10, 21, 30, 5):
        assert await show(store, people(*range(number))) == first
    assert first.seated.note == SHOWN


async def test_each_restore_is_one_more_and_a_start_after_it_is_not(store: Store) -> None:
    await show(store, people())
    await restore(store, await collections(store))
    await show(store, people())
    once = await collections(store)
    await Cells(bytes(32)).begin(store)
    await show(store, people())
    assert (await collections(store))["looks"] == once["looks"]
    await restore(store, once)
    await show(store, people())
    assert (await collections(store))["looks"][0]["unknown"] > once["looks"][0]["unknown"]


async def test_under_another_key_nothing_new_is_shown_and_old_digests_are_gone(store: Store) -> None:
    first = await show(store, people(*range(10)))
    other = b"1" * 32
    assert await show(store, people(*range(20)), other) == first
    (kept,) = await store[ShownBlock.collection].find().to_list(None)
    assert kept["shown"]["seated"][0]["people"] == b""
    assert (await show(store, people(*range(20)), other, ("who5", "T0", "unknown"))).seated.n is None


async def test_a_wave_that_could_not_begin_before_the_restore_is_shown_as_ever(store: Store) -> None:
    await restore(store, await collections(store))
    assert (await show(store, people(*range(20)))).seated.n is None
    later = ("who5", "T3", "wellbeing")
    assert (await show(store, people(*range(10)), key=later)).seated.n == 10
    assert (await show(store, people(*range(11)), key=later)).seated.n == 10


@pytest.mark.parametrize(
    ("rules", "wave", "due", "covered"),
    [
        (RULES, "T0", None, True),
        (RULES, "T1", None, False),
        (RULES, "T1", date(2026, 12, 14), True),  # its invitation came on the day of the restore
        (RULES, "T1", date(2026, 12, 15), False),
        (with_intake(date(2026, 3, 19)), "T1", None, True),
        (with_intake(date(2026, 3, 20)), "T1", None, False),
        (RULES, "T9", date(2099, 1, 1), True),  # no wave of the programme: nobody knows when it began
    ],
)
def test_the_unknown_past_covers_each_wave_of_which_anybody_may_have_been_asked(
    rules: Programme, wave: str, due: date | None, covered: bool
) -> None:
    assert Past("past", b"", unknown=NOW).covers(rules, "who5", wave, due) is covered
    assert not Past("past", b"").covers(rules, "who5", wave, due)
