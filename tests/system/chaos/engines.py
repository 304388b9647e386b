"""Kafka and MongoDB that can be killed and started again separately, on the same ports and data.

Invariant: they end with this process, however it ends.
"""

import threading
from pathlib import Path

import psutil

from services.engines import jars
from services.engines.errors import EngineError
from services.engines.kafka import Kafka
from services.engines.lock import Lock
from services.engines.mongod import Mongod
from services.engines.ports import Ports

NAMES = ("Kafka", "MongoDB")
ATTEMPTS = 3  # to start one


class Engines:
    """Both engines, with their files in `folder`."""

    def __init__(self, folder: Path) -> None:
        logs = folder / "logs"
        logs.mkdir(parents=True)
        self.data = folder / "kafka" / "data"
        self._engines: dict[str, Kafka | Mongod] = {
            "Kafka": Kafka(folder / "kafka", logs / "kafka.log", secure=False),
            "MongoDB": Mongod(folder / "mongo", logs / "mongod.log"),
        }
        self._ports, self._lock, self._libraries = Ports(folder / "ports.json"), Lock(folder), jars.ready()
        self._one = threading.Lock()
        self.addresses: dict[str, str] = {}

    def start(self) -> None:
        """Start Kafka and MongoDB."""
        self._lock.acquire()
        for name in NAMES:
            self.addresses[name] = self.start_again(name)

    def kill(self, name: str) -> None:
        """Send SIGKILL to one, and reap it."""
        supervised = self._engines[name]._process
        assert supervised is not None
        for engine in psutil.Process(supervised.pid).children():
            engine.kill()
        supervised._watcher.wait()
        self._engines[name].stop()

    def start_again(self, name: str) -> str:
        """Start one, and wait until it serves at its old address. Starts run one at a time, since each needs the processor."""
        with self._one:
            address = self._patiently(name)
        if self.addresses.get(name, address) != address:
            raise RuntimeError(f"{name} has come back elsewhere, since its port was taken by a stranger")
        return address

    def _patiently(self, name: str) -> str:
        """Start one in up to ATTEMPTS tries: on a busy machine a start may time out, and the next one has less to do."""
        for attempt in range(ATTEMPTS):
            try:
                engine = self._engines[name]
                if isinstance(engine, Kafka):
                    return engine.start(self._ports, self._libraries, self._lock.descriptor)
                return engine.start(self._ports, self._lock.descriptor)
            except EngineError:
                self._engines[name].stop()
                if attempt + 1 == ATTEMPTS:
                    raise
        raise AssertionError("there is at least one attempt")

    def stop(self) -> None:
        """Stop Kafka and MongoDB."""
        for engine in self._engines.values():
            engine.stop()
        self._lock.release()
