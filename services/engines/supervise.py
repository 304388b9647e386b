"""Run a command so that it ends with the process that started it, however that one dies.

Invariant: no engine outlives its owner. The owner holds the writing end of a pipe; a tiny watcher process, which
runs this file as a script, holds the reading end and owns the engine. End of file, a byte, or another parent
process id makes the watcher end the engine. Should the watcher itself be killed, the kernel kills the engine
(PR_SET_PDEATHSIG, sound here because the watcher has one thread). The watcher knows only the standard library, so
that it starts in milliseconds and stays small.
"""

import ctypes
import functools
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
KILL_MARGIN = 5.0  # seconds beyond the grace in which the watcher must have ended


class Supervised:
    """A command under a watcher. `grace` is the time in seconds between asking it to stop (SIGTERM) and killing it."""

    def __init__(self, command: Sequence[str], output: Path, *, grace: float, lock: int) -> None:
        reading, self._pipe = os.pipe()
        # `-I -S`: without site packages it starts in milliseconds.
        watcher = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(grace), str(lock), *command]
        with output.open("wb") as log:
            # `start_new_session`: Ctrl-C reaches the owner alone, which stops the engines in order.
            self._watcher = subprocess.Popen(
                watcher, stdin=reading, stdout=log, stderr=log, pass_fds=[lock], start_new_session=True
            )
        os.close(reading)
        self._grace = grace

    @property
    def pid(self) -> int:
        """The process id of the watcher."""
        return self._watcher.pid

    def ended(self) -> int | None:
        """Return the exit status of the engine, or None while it runs."""
        return self._watcher.poll()

    def stop(self) -> None:
        """End the engine and wait until it has ended. Safe to repeat."""
        if self._pipe >= 0:
            if self._watcher.poll() is None:
                # End of file would not do: a fork of the owner may still hold the pipe open.
                os.write(self._pipe, b".")
            os.close(self._pipe)
            self._pipe = -1
        try:
            self._watcher.wait(self._grace + KILL_MARGIN)
        except subprocess.TimeoutExpired:
            # The kernel then kills the engine as well (PR_SET_PDEATHSIG).
            self._watcher.kill()
            self._watcher.wait()


def _die_with(watcher: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # A watcher that died before `prctl` sends no signal any more.
    if os.getppid() != watcher:
        os._exit(1)


def watch(owner: int, grace: float, lock: int, command: Sequence[str]) -> int:
    """Run the command until it ends or the owner is gone; return its exit status."""
    bound = functools.partial(_die_with, os.getpid())
    engine = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[lock], preexec_fn=bound)  # noqa: PLW1509 - one thread
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_end(engine, grace)))
    while engine.poll() is None:
        readable, _, _ = select.select([0], [], [], 0.2)
        # The parent's id is looked at too, since a fork of a dead owner may hold the pipe open.
        if readable or os.getppid() != owner:
            return _end(engine, grace)
    return engine.returncode


def _end(engine: "subprocess.Popen[bytes]", grace: float) -> int:
    engine.terminate()
    try:
        return engine.wait(grace)
    except subprocess.TimeoutExpired:
        engine.kill()
        return engine.wait()


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
