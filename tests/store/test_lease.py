"""The lease on a real server: one holder at a time, until it gives the lease up or the server's clock passes its end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from services.settings import Settings
from services.store import lease as leases
from services.store.clock import now_utc
from services.store.lease import DURATION, Lease, LeaseLost, held, held_now
from services.store.mongo import Store
from tests.harness import eventually

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings.mongo, settings.database_of("leases"))
    yield opened
    await opened.close()


async def test_of_two_copies_one_holds_the_lease_until_it_gives_it_up(store: Store) -> None:
    first, second = Lease(store, "work"), Lease(store, "work")
    taken = await first.take()
    assert taken is not None
    assert taken["holder"] == first.holder
    assert await second.take() is None
    with pytest.raises(LeaseLost):
        await second.keep()
    await second.release()  # it is not the second one's to give up
    assert (await held(store, "work") or {})["holder"] == first.holder
    await first.release()
    assert await held(store, "work") is None
    assert not held_now(store, "work")
    assert await second.take() is not None
    assert held_now(store, "work")
    first._renewed = float("-inf")
    with pytest.raises(LeaseLost):
        await first.keep()


async def test_a_renewed_lease_has_the_same_beginning_and_a_new_holder_another(store: Store) -> None:
    first, second = Lease(store, "work"), Lease(store, "work")
    taken, renewed = await first.take(), await first.take()
    assert taken is not None
    assert renewed is not None
    assert renewed["since"] == taken["since"]
    assert renewed["until"] > taken["until"]
    assert renewed["epoch"] == taken["epoch"] == 1
    await first.release()
    following = await second.take()
    assert following is not None
    assert following["since"] >= renewed["since"]
    assert following["epoch"] == 2


async def test_a_lease_ends_by_the_servers_clock_whatever_its_holder_believes(store: Store) -> None:
    gone, other = Lease(store, "work"), Lease(store, "work")
    await gone.take()
    assert await other.take() is None
    past = {"$set": {"until": now_utc() - timedelta(seconds=1)}}
    await store["leases"].update_one({"_id": "work"}, past)
    assert await held(store, "work") is None
    assert await other.take() is not None
    assert await gone.take() is None
    written = await store["leases"].update_one(gone.mine, {"$set": {"note": "late"}})
    assert written.matched_count == 0, "a fenced write of the former holder must not match"


async def test_a_holder_that_does_nothing_more_is_followed_after_the_leases_duration(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "DURATION", timedelta(seconds=1))
    silent, other = Lease(store, "work"), Lease(store, "work")
    await silent.take()

    async def taken() -> bool:
        return await other.take() is not None

    await eventually(taken, DURATION.total_seconds())


async def test_the_lease_is_renewed_only_when_a_quarter_has_passed(store: Store) -> None:
    lease = Lease(store, "work")
    taken = await lease.take()
    await lease.keep()
    assert await held(store, "work") == taken
    lease._renewed -= DURATION.total_seconds() / 3
    await lease.keep()
    assert (await held(store, "work") or {})["until"] > (taken or {})["until"]


async def test_a_lease_in_a_document_of_another_collection_leaves_its_other_fields_alone(store: Store) -> None:
    await store["relay"].insert_one({"_id": "relay", "token": {"_data": "00"}})
    taken = await Lease(store, "relay", "relay").take()
    assert taken is not None
    assert taken["token"] == {"_data": "00"}
    assert await held(store, "relay") is None, "another collection, another lease"


def test_no_other_module_decides_whether_a_lease_is_held() -> None:
    rooms = ("services", "enrolment", "grouping", "sessions", "notifications", "analytics")
    modules = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    deciding = [str(path.relative_to(ROOT)) for path in modules if "$until" in path.read_text()]
    assert deciding == ["services/store/lease.py"]
