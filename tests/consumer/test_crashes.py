"""A consumer whose process dies between any two statements to its store: every entry takes effect exactly once."""

import asyncio
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from services.consumer import Mongo, Sqlite, Store
from services.engines import Engines
from tests.consumer.conftest import ROOT, Ledger, environment
from tests.consumer.stores import places
from tests.helpers.randomness import chance

PEOPLE, LIVES = 12, 8
# times in about three transactions, with what is said before the first
SPOKEN = {"sqlite": 45, "mongo": 50}


@pytest.fixture
def quick(engines: Engines) -> Iterator[None]:
    """MongoDB ends a dead client's transaction after two seconds instead of a minute."""
    with MongoClient[dict[str, Any]](engines.mongo) as client:
        before = client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=2)["was"]
        yield
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=before)


@pytest.mark.explore
@pytest.mark.parametrize("kind", SPOKEN)
async def test_a_death_at_any_instant_loses_nothing_and_doubles_nothing(
    kind: str, quick: None, ledger: Ledger, engines: Engines, tmp_path: Path
) -> None:
    await ledger.many(PEOPLE)
    points = chance().sample(range(1, SPOKEN[kind]), LIVES)
    database, path = f"kit{uuid.uuid4().hex[:8]}", tmp_path / "x.db"
    store: Store = Sqlite(path) if kind == "sqlite" else Mongo(MongoClient(engines.mongo), database)
    told = await lives(ledger, kind, str(path) if kind == "sqlite" else engines.mongo, points, DATABASE=database)
    assert told[-1] == "finished", (points, told)
    assert told.count("died") >= 3, (points, told)
    assert sorted(await places(store)) == list(range(1, 2 * PEOPLE + 1)), (points, told)


async def lives(ledger: Ledger, kind: str, where: str, points: list[int], **given: str) -> list[str]:
    """The exit status of each life."""
    arguments = ("-W", "ignore", "-m", "tests.consumer.dying", kind, where, ",".join(map(str, points)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=environment(ledger.feed, **given), stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    return out.decode().split()
