"""Grouping compiles the engine in another process, which ends with the service, unless that was done in advance."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from grouping import precompiling
from grouping.formation import caching
from services.runtime.service import Service

SERVICE = cast("Service", SimpleNamespace(name="grouping"))  # its name is all that is read


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing was compiled."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("HOME", str(tmp_path))


def compiling() -> list[int]:
    """Processes that compile and were started here, directly or not."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (each / "cmdline").read_bytes(), (each / "environ").read_bytes()
        except OSError:
            continue
        if b"grouping.formation" in command and os.environ["NUMBA_CACHE_DIR"].encode() in environment:
            found.append(int(each.name))
    return found


async def until(done: bool) -> None:
    async with asyncio.timeout(60):
        while bool(compiling()) != done:
            await asyncio.sleep(0.05)


async def test_the_process_that_compiles_ends_with_the_service(caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(precompiling.compile_in_advance(SERVICE))
    async with asyncio.timeout(30):
        while "formed slowly until the engine is compiled" not in caplog.text:
            await asyncio.sleep(0.05)
    await until(True)
    assert os.getpriority(os.PRIO_PROCESS, compiling()[0]) == precompiling.NICE
    task.cancel()
    await asyncio.wait([task])
    await until(False)


async def test_what_is_compiled_already_is_not_compiled_again(caplog: pytest.LogCaptureFixture) -> None:
    caching.set_complete()
    task = asyncio.create_task(precompiling.compile_in_advance(SERVICE))
    await asyncio.sleep(0.5)
    assert (compiling(), task.done(), caplog.text) == ([], False, "")
    task.cancel()


def slowed(*arguments: int, call: Callable[..., None] = os.setpriority) -> None:
    """A process that ends at once has ended, and its status is collected, before it is given its priority."""
    time.sleep(0.5)
    call(*arguments)


async def test_a_compilation_that_fails_is_told_and_the_service_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompiling, "COMMAND", ("false",))
    monkeypatch.setattr(os, "setpriority", slowed)
    task = asyncio.create_task(precompiling.compile_in_advance(SERVICE))
    async with asyncio.timeout(30):
        while "was not compiled in advance" not in caplog.text:
            await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
