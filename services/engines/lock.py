"""A lock for the one holder of a data folder.

Invariant: the lock lives as long as any process that has its descriptor, so it is free only when the holder *and* its
engines are gone, however they died. The text in the file names the holder; without a lock, the file means nothing.
"""

import fcntl
import json
import os
import socket
import sys
import time
from pathlib import Path

from services.engines.errors import DataHeld

DYING = 1.0  # seconds in which a holder that was just killed has gone
STOPPING = 30.0  # seconds in which the engines of a holder that died have ended


class Lock:
    """An exclusive lock on a folder. Hand `descriptor` to the child processes that work in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "lock"
        self.descriptor = -1

    def acquire(self) -> None:
        """Take the lock; wait only while the engines of a dead holder end. Raises DataHeld, which names the holder."""
        # Without O_TRUNC: until the lock is taken, the text is another holder's.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        began = time.monotonic()
        while not _locked(descriptor):
            holder = _read(descriptor)
            if time.monotonic() - began > (DYING if _alive(holder) else STOPPING):
                os.close(descriptor)
                raise DataHeld(_sentence(self.folder, holder))
            time.sleep(0.1)
        note = {
            "pid": os.getpid(),
            "born": _born(os.getpid()),
            "host": socket.gethostname(),
            "command": " ".join(sys.argv),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        self.descriptor = descriptor

    def release(self) -> None:
        """Release it. The folder stays locked while a child process with the descriptor still runs."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _locked(descriptor: int) -> bool:
    try:
        # A lock of flock belongs to the open file, so engines that inherit it hold it too.
        # A lock of fcntl would end with this process.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> dict[str, str | int]:
    """Return the holder's note; empty while it is being written."""
    text = os.pread(descriptor, 4096, 0)
    try:
        note = json.loads(text)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def _alive(holder: dict[str, str | int]) -> bool:
    """Return True while the holder's own process runs; one on another host is assumed to run."""
    if not holder:
        return False
    return holder["host"] != socket.gethostname() or holder["born"] == _born(int(holder["pid"]))


def _born(pid: int) -> int | None:
    """Return the start of a process (kernel ticks), which tells it from a later one with its id; None for a dead one."""
    try:
        # The name of the command, in brackets, may hold spaces and brackets itself: fields count from its end.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    # A zombie has ended; its parent has only not asked for its status.
    return None if fields[0] in "ZX" else int(fields[19])


def _sentence(folder: Path, holder: dict[str, str | int]) -> str:
    if not holder:
        return f"The data folder {folder} is held by an unknown process; choose another folder."
    host = "" if holder["host"] == socket.gethostname() else f" on {holder['host']}"
    return (
        f"The data folder {folder} is in use by process {holder['pid']}{host} ({holder['command']}); "
        "stop that process or choose another folder."
    )
