"""Real Kafka and real MongoDB as child processes on loopback, their data kept in one folder.

Invariants: a data folder has one holder at a time; its engines end with that holder, however it dies; acknowledged
writes are there at the next start. Ports stay the same between starts while no other process takes them.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from services.engines import jars, system
from services.engines.jar_list import Report
from services.engines.kafka import Kafka, Sasl
from services.engines.lock import Lock
from services.engines.mongod import Mongod
from services.engines.ports import Ports


@dataclass(frozen=True)
class Engines:
    """The addresses of Kafka and MongoDB. `sasl` and `mongo` hold the administrator's credentials when an engine asks for some."""

    kafka: str
    mongo: str = field(repr=False)
    sasl: Sasl | None = None

    def login(self) -> dict[str, Any]:
        """The administrator's login to Kafka, by the names of the settings; empty when Kafka asks for none."""
        if self.sasl is None:
            return {}
        names = {"username": self.sasl.username, "password": self.sasl.password, "mechanism": self.sasl.mechanism}
        return {f"sasl_{name}": value for name, value in names.items()}


class Embedded:
    """The embedded engines on the data folder `data`; `secure` gives both users with rights.

    `report` is called with the name of the download, the bytes fetched so far and the bytes in all. Starting raises
    EngineError, whose text is one sentence for the operator.
    """

    def __init__(self, data: Path, *, secure: bool = False, report: Report | None = None) -> None:
        self.data = data.expanduser().resolve()
        self._report = report
        logs = self.data / "logs"
        self._kafka = Kafka(self.data / "kafka", logs / "kafka.log", secure=secure)
        self._mongod = Mongod(self.data / "mongo", logs / "mongod.log", secure=secure)
        self._lock = Lock(self.data)

    def start(self) -> Engines:
        """Start both engines side by side and return when both serve."""
        system.check()
        (self.data / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        # A folder that existed keeps its mode, and people's data is for its owner alone.
        self.data.chmod(0o700)
        self._lock.acquire()
        try:
            libraries = jars.ready(self._report)
            ports = Ports(self.data / "ports.json")
            with ThreadPoolExecutor(2) as pool:
                kafka = pool.submit(self._kafka.start, ports, libraries, self._lock.descriptor)
                mongo = pool.submit(self._mongod.start, ports, self._lock.descriptor)
                engines = Engines(kafka.result(), mongo.result(), self._kafka.sasl)
        # Ctrl-C too: an engine that started while the other one failed must not stay.
        except BaseException:
            self.stop()
            raise
        return engines

    def stop(self) -> None:
        """Stop both engines in order. Safe to repeat."""
        with ThreadPoolExecutor(2) as pool:
            ends = [pool.submit(self._kafka.stop), pool.submit(self._mongod.stop)]
        # Before an error of a stop is raised: it must not keep the folder locked.
        self._lock.release()
        for end in ends:
            end.result()

    def ended(self) -> str | None:
        """Return one sentence about an engine that has ended by itself, or None while both run."""
        for engine in (self._kafka, self._mongod):
            if (status := engine.ended()) is not None:
                return f"{type(engine).__name__} has ended by itself (exit status {status}): {engine.complaint()}"
        return None

    def __enter__(self) -> Engines:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
