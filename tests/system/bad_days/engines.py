"""Engines of a test's own that can fail: Kafka behind a wire, and MongoDB as a replica set of three.

RLIMIT_FSIZE on the running engine makes a full disk: no file takes another byte, and the engine gets EFBIG where a full file system gives
ENOSPC. It needs no root, mount or namespace, begins at any moment, and leaves the machine's own disk alone. The signal that comes with
it is ignored, as the JVM does by itself. A new start of the engine ends it, since both engines end when they cannot write.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from services.engines import jars
from services.engines.kafka import Kafka
from services.engines.mongod import GRACE, Mongod
from services.engines.ports import LOOPBACK, Ports
from services.engines.supervise import Supervised
from tests.helpers.wire import Wire

SET = "bad"
LATER_MS = 300_000
UNTIL = 90.0  # seconds within which an engine starts, ends, or elects
IGNORING = (
    "-I",
    "-S",
    "-c",
    "import os, sys; os.execv(sys.argv[1], sys.argv[1:])",
)  # Python ignores SIGXFSZ, and passes that on


def within(check: Callable[[], Any], what: str) -> Any:
    """Repeat `check` until it gives something true, and return that. Fails with `what` after UNTIL seconds."""
    deadline = time.monotonic() + UNTIL
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {UNTIL} s: {what}"
        time.sleep(0.1)
    return found


def engine_of(process: Supervised) -> psutil.Process:
    """Process of the engine under its watcher."""
    return within(lambda: psutil.Process(process.pid).children(), "the engine is started")[0]


def fill_disk(process: psutil.Process) -> None:
    """Let the process write no more bytes."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


class WiredKafka(Kafka):
    """One node whose clients reach it through a wire; it speaks to itself by a listener of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "kafka", folder / "kafka.log", secure=False)
        self._ports = Ports(folder / "ports.json")
        self._lock = os.open(folder / "kafka.lock", os.O_RDWR | os.O_CREAT)
        self._outside, self._inside = self._ports.take("kafka-wire"), self._ports.take("kafka-inside")
        self.address = f"{LOOPBACK}:{self._outside}"
        self.wire: Wire | None = None

    def up(self) -> None:
        """Start the node, or start it anew."""
        self.stop()
        direct = self.start(self._ports, jars.ready(), self._lock)
        self.wire = self.wire or Wire(self._outside, int(direct.rpartition(":")[2]))

    def down(self) -> None:
        """Stop the node for good."""
        if self.wire is not None:
            self.wire.close()
        self.stop()
        os.close(self._lock)

    def disk_full(self) -> None:
        """Fill the node's disk, which ends it."""
        assert self._process is not None
        fill_disk(engine_of(self._process))

    def _write_settings(self, data: Path, port: int, controller_port: int) -> Path:
        path = super()._write_settings(data, port, controller_port)
        listeners = {"CLIENT": port, "BROKER": self._inside, "CONTROLLER": controller_port}
        changed = {
            "listeners": ",".join(f"{name}://{LOOPBACK}:{number}" for name, number in listeners.items()),
            "advertised.listeners": f"CLIENT://{self.address},BROKER://{LOOPBACK}:{self._inside}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "inter.broker.listener.name": "BROKER",
        }
        path.write_text(path.read_text() + "".join(f"{key}={value}\n" for key, value in changed.items()))
        return path


class Member(Mongod):
    """One node of the replica set."""

    def __init__(self, folder: Path, port: int, lock: int) -> None:
        super().__init__(folder, folder.with_suffix(".log"))
        self.address, self._port, self._lock = f"{LOOPBACK}:{port}", port, lock

    def up(self) -> None:
        """Start the node, or start it anew, without waiting."""
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._command(self._port)
        command[command.index("--replSet") + 1] = SET
        command = [sys.executable, *IGNORING, *command, "--setParameter", "enableTestCommands=1"]
        self._process = Supervised(command, self.log.with_suffix(".out"), grace=GRACE, lock=self._lock)

    @property
    def process(self) -> psutil.Process:
        """Process of mongod, under its watcher."""
        assert self._process is not None
        return engine_of(self._process)

    def ask(self, *command: Any, **options: Any) -> dict[str, Any]:
        """Send an administrator's command to this node."""
        with MongoClient[dict[str, Any]](
            f"mongodb://{self.address}/?directConnection=true", serverSelectionTimeoutMS=2000, socketTimeoutMS=5000
        ) as client:
            return client.admin.command(*command, **options)

    def stall(self, client: str, *commands: str) -> None:
        """Block these commands of one client for LATER_MS; `be_well` does not end that earlier."""
        self._fail(client, *commands, blockConnection=True, blockTimeMS=LATER_MS)

    def commit_unsurely(self, client: str) -> None:
        """Commit one client's transactions, but answer that no majority confirmed them in time."""
        unsure = {"code": 64, "errmsg": "waiting for replication timed out"}
        self._fail(client, "commitTransaction", writeConcernError=unsure)

    def be_well(self) -> None:
        """Remove the planned failures."""
        self.ask("configureFailPoint", "failCommand", mode="off")

    def _fail(self, client: str, *commands: str, **how: Any) -> None:
        data = {"failCommands": list(commands), "appName": client, **how}
        self.ask("configureFailPoint", "failCommand", mode="alwaysOn", data=data)


class ReplicaSet:
    """Three nodes on loopback, which elect within seconds."""

    def __init__(self, folder: Path) -> None:
        self._lock = os.open(folder / "mongo.lock", os.O_RDWR | os.O_CREAT)
        ports = Ports(folder / "ports.json")
        self.members = [Member(folder / f"mongo{n}", ports.take(f"mongo{n}"), self._lock) for n in range(3)]
        self.uri = f"mongodb://{','.join(each.address for each in self.members)}/?replicaSet={SET}"

    def up(self) -> None:
        """Start the nodes that do not run, and wait for a primary that the others follow."""
        fresh = not self.members[0].folder.exists()
        for each in self.members:
            if each.ended() is not None or fresh:
                each.up()
        if fresh:
            within(lambda: all(_answers(each) for each in self.members), "the nodes answer")
            hosts = [{"_id": n, "host": each.address} for n, each in enumerate(self.members)]
            settings = {"electionTimeoutMillis": 3000, "heartbeatIntervalMillis": 500}
            self.members[0].ask("replSetInitiate", {"_id": SET, "members": hosts, "settings": settings})
        within(self.whole, "the set is whole")

    def down(self) -> None:
        """Kill all nodes for good; their files are not needed any more."""
        for each in self.members:
            if each.ended() is None:
                each.process.kill()
            each.stop()
        os.close(self._lock)

    def whole(self) -> bool:
        """Tell if there is one primary and the others follow."""
        try:
            answers = [each.ask("hello") for each in self.members]
        except PyMongoError:
            return False
        return sum(each["isWritablePrimary"] for each in answers) == 1 and all(
            each["isWritablePrimary"] or each["secondary"] for each in answers
        )

    def primary(self) -> Member:
        """Wait for the primary, and return it."""
        found = within(lambda: [each for each in self.members if _is_primary(each)], "there is a primary")
        return cast("Member", found[0])

    def all_ended(self) -> bool:
        """Tell if no node runs any more."""
        return all(each.ended() is not None for each in self.members)

    def disk_full(self) -> None:
        """Fill the disk of every node, which ends them."""
        for each in self.members:
            fill_disk(each.process)


def _answers(member: Member) -> bool:
    try:
        member.ask("ping")
    except PyMongoError:
        return False
    return True


def _is_primary(member: Member) -> bool:
    try:
        return bool(member.ask("hello")["isWritablePrimary"])
    except PyMongoError:
        return False
