"""Engines start, stop, die and start again: acknowledged data survives, and no engine outlives its owner."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import psutil
import pytest

from services.engines import DataHeld, Embedded, Engines
from tests.helpers.traffic import make_topic, read, write

TOPIC = "life"
SHORT = 15.0  # seconds in which engines without an owner must have ended


class Squatter(ThreadingTCPServer):
    """Listens on a port and closes every connection."""

    allow_reuse_address = True


@contextmanager
def owned(data: Path) -> Iterator[tuple[subprocess.Popen[str], Engines]]:
    """Start engines that belong to another process."""
    owner = subprocess.Popen(
        [sys.executable, "-m", "tests.engines.owner", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout
    try:
        yield owner, Engines(**json.loads(owner.stdout.readline()))
    finally:
        owner.kill()
        owner.communicate()


def children(owner: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the processes of the watchers and engines."""
    found: list[psutil.Process] = psutil.Process(owner.pid).children(recursive=True)
    assert len(found) == 4
    return found


def runs(process: psutil.Process) -> bool:
    """Return True while it runs; a zombie does not."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def all_end(processes: list[psutil.Process]) -> bool:
    """Return True when they all end within SHORT seconds."""
    return eventually(lambda: not any(runs(process) for process in processes))


def eventually(holds: Callable[[], bool]) -> bool:
    """Return True when the condition holds within SHORT seconds."""
    deadline = time.monotonic() + SHORT
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_restart_keeps_what_was_written_and_its_ports(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path)
    with embedded as first:
        asyncio.run(make_topic(first, TOPIC))
        write(first, TOPIC, "one")
    with embedded as second:
        write(second, TOPIC, "two")
        assert second == first
        assert read(second, TOPIC) == (["one", "two"], ["one", "two"])


@pytest.mark.long
def test_a_restart_whose_ports_were_taken_by_others_keeps_what_was_written(tmp_path: Path) -> None:
    with Embedded(tmp_path) as first:
        asyncio.run(make_topic(first, TOPIC))
        write(first, TOPIC, "one")
    with ExitStack() as others:
        for port in json.loads((tmp_path / "ports.json").read_text()).values():
            squatter = others.enter_context(Squatter(("127.0.0.1", port), BaseRequestHandler))
            threading.Thread(target=squatter.serve_forever, args=(0.05,)).start()
            others.callback(squatter.shutdown)
        with Embedded(tmp_path) as second:
            assert {second.kafka, second.mongo}.isdisjoint({first.kafka, first.mongo})
            write(second, TOPIC, "two")
            assert read(second, TOPIC) == (["one", "two"], ["one", "two"])


def test_engines_end_when_their_owner_is_killed_and_the_next_start_has_everything(tmp_path: Path) -> None:
    with owned(tmp_path) as (owner, engines):
        asyncio.run(make_topic(engines, TOPIC))
        write(engines, TOPIC, "one")
        running = children(owner)
        owner.kill()
        with Embedded(tmp_path) as again:
            assert not any(runs(process) for process in running)
            assert eventually(lambda: read(again, TOPIC) == (["one"], ["one"]))


def test_a_start_after_everything_was_killed_at_once_has_everything(tmp_path: Path) -> None:
    with owned(tmp_path) as (owner, engines):
        asyncio.run(make_topic(engines, TOPIC))
        write(engines, TOPIC, "one")
        for process in [*children(owner), psutil.Process(owner.pid)]:
            process.kill()
        with Embedded(tmp_path) as again:
            # Killed between commit and commit marker, Kafka 4.3.1 may never write the marker: at its start the coordinator does not
            # know the partition's leader yet, and skips it as deleted. The producer's next commit ends that transaction as well.
            write(again, TOPIC, "two")
            assert eventually(lambda: read(again, TOPIC) == (["one", "two"], ["one", "two"]))


def test_an_engine_ends_when_its_watcher_is_killed(tmp_path: Path) -> None:
    with owned(tmp_path) as (owner, _engines):
        running = children(owner)
        # Ctrl-C at a terminal is for the owner's session alone.
        assert {os.getsid(process.pid) for process in running}.isdisjoint({os.getsid(owner.pid)})
        for watcher in psutil.Process(owner.pid).children():
            watcher.kill()
        assert all_end(running)


def test_engines_end_although_a_fork_of_the_owner_lives_on(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; from services.engines import Embedded\n"
        "Embedded(Path(sys.argv[1])).start()\n"
        "if os.fork() == 0: time.sleep(60)\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    assert owner.stdout.readline() == "up\n"
    running = psutil.Process(owner.pid).children(recursive=True)
    forks = [process for process in running if process.cmdline()[1:2] == ["-c"]]
    owner.kill()
    owner.wait()
    try:
        engines = [process for process in running if process not in forks]
        assert len(engines) == 4
        assert all_end(engines)
    finally:
        for fork in forks:
            fork.kill()


def test_a_second_start_says_who_holds_the_folder_and_disturbs_nothing(tmp_path: Path) -> None:
    with owned(tmp_path) as (owner, _engines):
        with pytest.raises(DataHeld, match=rf"in use by process {owner.pid} \(.*owner.py .*\); stop that process"):
            Embedded(tmp_path).start()
        assert all(runs(process) for process in children(owner))


def test_an_engine_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path)
    with embedded:
        assert embedded.ended() is None
        all_here = [process for process in psutil.Process().children(recursive=True) if process.name() == "mongod"]
        engines = [process for process in all_here if any(str(tmp_path) in word for word in process.cmdline())]
        assert engines
        for process in engines:
            process.kill()
        assert all_end(engines)
        assert eventually(lambda: embedded.ended() is not None)
        assert str(embedded.ended()).startswith("Mongod has ended by itself (exit status")


def test_a_folder_whose_holder_died_long_ago_is_free_and_a_stop_is_quick(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(
        json.dumps({"pid": 1, "born": 1, "host": socket.gethostname(), "command": "someone else"})
    )
    embedded = Embedded(tmp_path)
    embedded.start()
    began = time.monotonic()
    embedded.stop()
    embedded.stop()
    assert time.monotonic() - began < SHORT
