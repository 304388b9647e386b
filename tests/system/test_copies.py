"""Two copies of every service share the work, whichever of them is killed, frozen, woken or added while people are served."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.helpers.waiting import eventually
from tests.system.chaos.field import Field, field_of
from tests.system.chaos.fleet import Copy
from tests.system.chaos.lives import Lives
from tests.system.chaos.oracle import verdict
from tests.system.chaos.oracle.reading import SERVICES
from tests.system.chaos.oracle.sharing import shares, taken_once

ROLES = "api,consume,relay"
SEED = 4
PATIENCE = 90.0  # seconds; a session ends after 10, a lease after 6


async def members(field: Field) -> set[int]:
    """How many hold partitions, in whichever group."""
    told = await shares(field.engines.addresses["Kafka"])
    return {sum(held > 0 for held in each.values()) for each in told.values()}


async def shared_by(field: Field, number: int) -> None:
    """Every consumer's partitions are held by so many."""

    async def so() -> bool:
        return await members(field) == {number}

    await eventually(so, PATIENCE)


def relaying(field: Field) -> dict[str, str | None]:
    """Who holds each service's lease; None when it has run out."""
    found: dict[str, str | None] = {}
    with MongoClient[dict[str, Any]](field.engines.addresses["MongoDB"], tz_aware=True) as client:
        for service in SERVICES:
            state = client[f"ama_{service}"]["relay"].find_one() or {}
            held = state.get("holder") and state["until"] > datetime.now(UTC)
            found[service] = str(state["holder"]) if held else None
    return found


async def all_relay(field: Field, but: dict[str, str | None]) -> None:
    """Every lease is held, by others than these."""

    async def so() -> bool:
        now = relaying(field)
        return all(now[each] not in {None, but.get(each)} for each in SERVICES)

    await eventually(so, PATIENCE)


async def work_goes_on(field: Field) -> None:
    """Commands are acknowledged, and what they say is relayed and taken: somebody sits who did not."""
    before = field.driver.ledger.promised.copy()

    async def more() -> bool:
        news = field.driver.ledger.promised - before
        kinds = Counter(kind for kind, _ in news.elements())
        return kinds["worker.admitted"] >= 5 and kinds["survey.submitted"] >= 2

    await eventually(more, PATIENCE)


async def freeze(field: Field, copies: list[Copy]) -> None:
    """SIGSTOP until nothing is theirs any more, then SIGCONT: what they held stays with the others."""
    before = relaying(field)
    for each in copies:
        field.fleet.freeze(each)
    await shared_by(field, 1)
    await all_relay(field, but=before)
    await work_goes_on(field)
    for each in copies:
        field.fleet.thaw(each)
    await shared_by(field, 2)
    await work_goes_on(field)
    await all_relay(field, but=before)


@asynccontextmanager
async def people(field: Field) -> AsyncIterator[None]:
    """They live while the block runs; after it, what was begun is done."""
    lives = Lives(field.driver, SEED)
    living = asyncio.ensure_future(lives.go_on(at_once=10, pause=0.5))
    try:
        yield
        lives.over.set()
        await asyncio.wait_for(living, PATIENCE)
    finally:
        living.cancel()


def copies(field: Field, number: int) -> list[Copy]:
    """The first, or the second, of each service."""
    return [next(c for c in field.fleet.copies.values() if c.name.startswith(f"{s}.{number}(")) for s in SERVICES]


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_copies_share_the_work_whoever_dies_freezes_or_joins(tmp_path: Path) -> None:
    both = [(service, ROLES) for service in SERVICES for _ in "12"]
    async with field_of(tmp_path, SEED, print, both) as field:
        async with people(field):
            await shared_by(field, 2)
            for each in copies(field, 1):
                field.fleet.kill(each)
            await shared_by(field, 1)
            await all_relay(field, but={})  # only the second copies can
            await work_goes_on(field)
            for each in copies(field, 1):
                field.fleet.start(each)
            await shared_by(field, 2)
            await freeze(field, copies(field, 2))
        findings, events = await asyncio.to_thread(verdict, field.evidence(), PATIENCE)
        assert not findings
        assert not list(taken_once(field.engines.addresses["MongoDB"]))
        assert events > 500
        assert not field.fleet.ended
