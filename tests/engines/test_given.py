"""Engines that the environment gives to tests, which delete topics there."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from services.engines import Engines
from tests.helpers.topics import ours
from tests.helpers.traffic import administrator, make_topic

ROOT = Path(__file__).parents[2]


async def test_a_bus_that_somebody_uses_is_refused_and_nothing_there_is_deleted(engines: Engines) -> None:
    await make_topic(engines, "ama.somebodys")
    given = {"AMA_TEST_ENGINES": "env", "AMA_KAFKA": engines.kafka, "AMA_MONGO": engines.mongo}
    words = ["pytest", "--numprocesses", "2", "-p", "no:cacheprovider", "tests/events/test_fenced.py"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", *words], cwd=ROOT, env=inherited | given, capture_output=True, text=True
    )
    assert done.returncode == 4, done.stdout + done.stderr
    assert "has ama.somebodys already, and tests delete topics: name another." in done.stdout + done.stderr
    assert "workers" not in done.stdout, "one process, however many were asked for"
    async with administrator(engines) as admin:
        assert await ours(admin) == ["ama.somebodys"]
