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
from tests.system.chaos.deployment import Deployment, deployed
from tests.system.chaos.fleet import Copy
from tests.system.chaos.lives import Lives
from tests.system.chaos.oracle import verdict
from tests.system.chaos.oracle.reading import SERVICES
from tests.system.chaos.oracle.sharing import shares, taken_once

ROLES = "api,consume,relay"
SEED = 4
PATIENCE = 90.0  # seconds; a session ends after 10, a lease after 6


async def members(deployment: Deployment) -> set[int]:
    """Numbers of members that hold partitions, over all groups."""
    groups = await shares(deployment.engines.addresses["Kafka"])
    return {sum(held > 0 for held in each.values()) for each in groups.values()}


async def shared_by(deployment: Deployment, number: int) -> None:
    """Wait until so many members hold each consumer's partitions."""

    async def so() -> bool:
        return await members(deployment) == {number}

    await eventually(so, PATIENCE)


def relaying(deployment: Deployment) -> dict[str, str | None]:
    """Holder of each service's relay lease; None when it has expired."""
    found: dict[str, str | None] = {}
    with MongoClient[dict[str, Any]](deployment.engines.addresses["MongoDB"], tz_aware=True) as client:
        for service in SERVICES:
            state = client[f"ama_{service}"]["relay"].find_one() or {}
            held = state.get("holder") and state["until"] > datetime.now(UTC)
            found[service] = str(state["holder"]) if held else None
    return found


async def all_relay(deployment: Deployment, but: dict[str, str | None]) -> None:
    """Wait until every lease is held, by others than these."""

    async def so() -> bool:
        now = relaying(deployment)
        return all(now[each] not in {None, but.get(each)} for each in SERVICES)

    await eventually(so, PATIENCE)


async def work_goes_on(deployment: Deployment) -> None:
    """Wait until commands are acknowledged, relayed and taken: five more admissions and two more surveys."""
    before = deployment.driver.ledger.promised.copy()

    async def more() -> bool:
        news = deployment.driver.ledger.promised - before
        kinds = Counter(kind for kind, _ in news.elements())
        return kinds["worker.admitted"] >= 5 and kinds["survey.submitted"] >= 2

    await eventually(more, PATIENCE)


async def freeze(deployment: Deployment, copies: list[Copy]) -> None:
    """Send SIGSTOP until the others hold everything, then SIGCONT: leases stay with the others."""
    before = relaying(deployment)
    for each in copies:
        deployment.fleet.freeze(each)
    await shared_by(deployment, 1)
    await all_relay(deployment, but=before)
    await work_goes_on(deployment)
    for each in copies:
        deployment.fleet.thaw(each)
    await shared_by(deployment, 2)
    await work_goes_on(deployment)
    await all_relay(deployment, but=before)


@asynccontextmanager
async def people(deployment: Deployment) -> AsyncIterator[None]:
    """Let people act while the block runs; after it, wait until begun acts have ended."""
    lives = Lives(deployment.driver, SEED)
    living = asyncio.ensure_future(lives.go_on(at_once=10, pause=0.5))
    try:
        yield
        lives.over.set()
        await asyncio.wait_for(living, PATIENCE)
    finally:
        living.cancel()


def copies(deployment: Deployment, number: int) -> list[Copy]:
    """The first, or the second, copy of each service."""
    return [next(c for c in deployment.fleet.copies.values() if c.name.startswith(f"{s}.{number}(")) for s in SERVICES]


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_copies_share_the_work_whoever_dies_freezes_or_joins(tmp_path: Path) -> None:
    both = [(service, ROLES) for service in SERVICES for _ in "12"]
    async with deployed(tmp_path, SEED, print, both) as deployment:
        async with people(deployment):
            await shared_by(deployment, 2)
            for each in copies(deployment, 1):
                deployment.fleet.kill(each)
            await shared_by(deployment, 1)
            await all_relay(deployment, but={})  # only the second copies can
            await work_goes_on(deployment)
            for each in copies(deployment, 1):
                deployment.fleet.start(each)
            await shared_by(deployment, 2)
            await freeze(deployment, copies(deployment, 2))
        findings, events = await asyncio.to_thread(verdict, deployment.evidence(), PATIENCE)
        assert not findings
        assert not list(taken_once(deployment.engines.addresses["MongoDB"]))
        assert events > 500
        assert not deployment.fleet.ended
