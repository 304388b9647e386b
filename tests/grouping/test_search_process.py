"""The search runs in a process of its own, which is replaced when it ends, and ends when nobody needs it or the service is gone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from grouping.search_process import SearchProcesses
from services.kernel import Unavailable

ALONE = """
import asyncio, os, sys
from grouping.search_process import SearchProcesses

async def main():
    print(await SearchProcesses().run(os.getpid), flush=True)
    sys.stdin.read()
    os._exit(9)  # as a process that is killed

if __name__ == "__main__":
    asyncio.run(main())
"""


def end_once(flag: Path) -> str:
    """End this process at the first call, as the system ends one for want of memory."""
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def end_always() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise ValueError("not this one")


def lives(pid: int) -> bool:
    """Tell if a process runs; one that has ended and whose parent does not ask does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while lives(pid):
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def processes() -> AsyncIterator[SearchProcesses]:
    found = SearchProcesses(idle=0.3)
    yield found
    found.close()


async def test_a_search_runs_in_another_process_which_stays_for_the_next(processes: SearchProcesses) -> None:
    first = await processes.run(os.getpid)
    assert first != os.getpid()
    assert await processes.run(os.getpid) == first


async def test_an_error_of_a_search_is_that_of_the_caller(processes: SearchProcesses) -> None:
    with pytest.raises(ValueError, match="not this one"):
        await processes.run(refuse)


async def test_a_process_that_ended_is_replaced_once(processes: SearchProcesses, tmp_path: Path) -> None:
    assert await processes.run(end_once, tmp_path / "ended") == "done"
    with pytest.raises(Unavailable, match="ended twice"):
        await processes.run(end_always)
    assert await processes.run(os.getpid)


async def test_idle_processes_end_and_begin_again_when_they_are_needed(processes: SearchProcesses) -> None:
    ending = asyncio.create_task(processes.end_idle())
    first = await processes.run(os.getpid)
    await until_gone(first)
    slow = asyncio.create_task(processes.run(time.sleep, 1.0))
    await slow  # longer than idle ones are kept: who works is not idle
    assert await processes.run(os.getpid) != first
    last = await processes.run(os.getpid)
    ending.cancel()
    await until_gone(last)


def test_a_process_does_not_outlive_a_service_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    service = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert service.stdin
    assert service.stdout
    pid = int(service.stdout.readline())
    assert lives(pid)
    service.stdin.close()
    assert service.wait() == 9
    asyncio.run(until_gone(pid))
    service.stdout.close()
