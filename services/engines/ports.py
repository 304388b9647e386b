"""Ports on 127.0.0.1 that stay the same between starts while no other process takes them.

Invariant: they are below the range from which the kernel serves outgoing connections, so that no client socket takes one
between the choice and the bind of the engine.
"""

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path
from threading import Lock

LOOPBACK = "127.0.0.1"
RANGE = range(20_000, 32_000)
TRIES = 1_000


class Ports:
    """The ports of one data folder, by name, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    def take(self, name: str) -> int:
        """Return the last port of this name if it is free, else another."""
        # Kafka and MongoDB take their ports at the same time, in two threads.
        with self._lock:
            others = {port for other, port in self._known.items() if other != name}
            self._known[name] = free_port(self._known.get(name), others)
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self._known))
            new.replace(self._path)
            return self._known[name]


def free_port(preferred: int | None = None, others: Collection[int] = ()) -> int:
    """Return a port on which no process listens and which is none of the others: the preferred one if it is free."""
    # At random: two starts at the same moment would otherwise choose the same port.
    candidates = random.sample(RANGE, TRIES)
    for port in [preferred, *candidates] if preferred else candidates:
        if port not in others and _free(port):
            return port
    raise OSError(f"No free port was found on {LOOPBACK} from {RANGE.start} to {RANGE.stop}.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As the engines bind: a port with connections in TIME_WAIT counts as free, so it is the same after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
