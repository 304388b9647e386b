"""Services in processes of their own, and a client that costs little.

Invariant: the service is measured and not the client. The client writes prepared bytes and reads the status line. A comfortable client
takes as long as the service, and would halve every figure on a small machine.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.ground import Ground
from services.identity.issuer import Issuer
from services.runtime.serving import listen
from services.runtime.serving import serving as serving_app
from services.settings import Settings

AMA = Path(sys.executable).parent / "ama"
START, STOP = 180.0, 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an HTTP response."""

    status: int
    body: bytes


class Connection:
    """A kept HTTP connection with one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader, self._writer, self._token = reader, writer, token

    @classmethod
    async def to(cls, port: int, token: str) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port), token)

    async def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request and wait for the answer. RuntimeError unless the status is 200 to 299."""
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._token}\r\n"
        kind = "Content-Type: application/json\r\n" if text else ""
        self._writer.write(f"{head}{kind}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answered[9:12])
        length = next(
            (int(line[15:]) for line in answered.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        answer = Answer(status, await self._reader.readexactly(length))
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {answer.body[:300]!r}")
        return answer

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def issuing(ground: Ground) -> AsyncIterator[Issuer]:
    """An issuer of tokens that answers HTTP requests."""
    listening = listen(0)
    issuer = Issuer(ground.folder / "keys", f"http://127.0.0.1:{listening.getsockname()[1]}")
    async with serving_app(issuer.app(), listening):
        yield issuer


@contextmanager
def child(command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Callable[[], int]]:
    """A process that lives as long as the block. Yields a function that returns its id, and raises RuntimeError once it has ended."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def alive() -> int:
        if process.poll() is not None:
            raise RuntimeError(f"{' '.join(command)} ended: {log.read_text()[-2000:]}")
        return process.pid

    try:
        yield alive
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def resident(pid: int) -> float:
    """Memory of a process in MB (10⁶ bytes), without its children (Linux's VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, without its children (Linux's utime and stime)."""
    # The name of the program, in parentheses, may hold a space.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A process of `ama serve`: its port and its id."""

    port: int
    pid: int


@asynccontextmanager
async def serving(ground: Ground, settings: Settings, service: str, roles: str) -> AsyncIterator[Served]:
    """Run `ama serve` of a service. Yields it once it is ready."""
    listening = listen(0)
    port = listening.getsockname()[1]
    listening.close()
    command = [str(AMA), "serve", service, "--roles", roles, "--port", str(port)]
    with child(command, ground.folder / f"{service}.log", ground.environment(settings)) as alive:
        async with asyncio.timeout(START):
            while not await _ready(port, service):
                alive()
                await asyncio.sleep(0.1)
        yield Served(port, alive())
        ground.note(f"ama serve {service} ({roles}) holds {resident(alive()):.0f} MB")


async def _ready(port: int, service: str) -> bool:
    try:
        connection = await Connection.to(port, "none")
    except OSError:
        return False
    try:
        await connection("GET", f"/{service}/readyz")
    except (RuntimeError, asyncio.IncompleteReadError):
        return False
    finally:
        connection.close()
    return True
