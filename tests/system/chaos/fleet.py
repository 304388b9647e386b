"""The service processes: started as an operator starts them, hit by signals, started again.

Invariant: a copy that ended is started again, as an orchestrator does; one that ended by itself is noted.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.engines.ports import free_port

ROOT = Path(__file__).parents[3]
COPIES = (
    ("enrolment", "api"),
    ("enrolment", "api"),
    ("enrolment", "consume"),
    ("enrolment", "relay"),
    ("enrolment", "relay"),
    ("grouping", "api"),
    ("grouping", "api"),
    ("grouping", "consume,relay"),
    ("grouping", "consume,relay"),
    ("sessions", "api,consume,relay"),
    ("sessions", "api,consume,relay"),
    ("notifications", "consume,relay"),
    ("notifications", "consume,relay"),
    ("analytics", "consume"),
    ("analytics", "consume"),
)
BOUND = str(Path(__file__).with_name("bound.py"))
AMA = str(Path(sys.executable).with_name("ama"))
AGAIN = 1.0  # seconds until a copy that ended by itself is started again


@dataclass(eq=False)
class Copy:
    """One process: its service, its roles, its HTTP port."""

    name: str
    service: str
    roles: str
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None
    frozen: bool = False

    @property
    def runs(self) -> bool:
        """Tell if the process is neither dead nor frozen."""
        return self.process is not None and self.process.poll() is None and not self.frozen


class Fleet:
    """All copies. `breach` names a guarantee that is broken in all of them; see `breaches`."""

    def __init__(self, folder: Path, settings: dict[str, str], breach: str | None = None) -> None:
        self._folder, self._breach = folder, breach
        self._environment = {**os.environ, **settings}
        self.copies: dict[str, Copy] = {}
        self.ended: list[str] = []
        self._over = False

    def add(self, service: str, roles: str) -> Copy:
        """Add a copy, without starting it."""
        number = 1 + sum(each.service == service for each in self.copies.values())
        name = f"{service}.{number}({roles})"
        port = free_port(others={each.port for each in self.copies.values()})
        self.copies[name] = Copy(name, service, roles, port, self._folder / f"{service}.{number}.log")
        return self.copies[name]

    def start(self, copy: Copy) -> None:
        """Start it; it dies with this process. After `stop`, nothing starts."""
        if self._over:
            return
        ama = [sys.executable, "-m", "tests.system.chaos.breaches", self._breach] if self._breach else [AMA]
        where = ["serve", copy.service, "--roles", copy.roles, "--port", str(copy.port)]
        bound = [sys.executable, "-I", "-S", BOUND, str(os.getpid())]
        with copy.log.open("ab") as log:
            copy.process = subprocess.Popen(
                [*bound, *ama, *where],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        copy.frozen = False

    def kill(self, copy: Copy) -> None:
        """Send SIGKILL to a copy, and reap it."""
        assert copy.process is not None
        copy.process.kill()
        copy.process.wait()
        copy.process, copy.frozen = None, False

    def freeze(self, copy: Copy) -> None:
        """Send SIGSTOP to a copy."""
        assert copy.process is not None
        copy.process.send_signal(signal.SIGSTOP)
        copy.frozen = True

    def thaw(self, copy: Copy) -> None:
        """Send SIGCONT to a frozen copy."""
        if copy.process is not None and copy.frozen:
            copy.process.send_signal(signal.SIGCONT)
            copy.frozen = False

    async def look_after(self) -> None:
        """Start copies again that ended by themselves, until this task is cancelled."""
        while True:
            for copy in self.copies.values():
                if copy.process is not None and copy.process.poll() is not None:
                    self.ended.append(f"{copy.name} ended by itself: {last_line(copy.log)}")
                    copy.process = None
                    asyncio.get_running_loop().call_later(AGAIN, self.start, copy)
            await asyncio.sleep(0.2)

    async def ready(self, copies: Iterable[Copy] | None = None, seconds: float = 120.0) -> None:
        """Wait until each answers that it is ready."""
        async with asyncio.timeout(seconds), httpx.AsyncClient(timeout=5) as client:
            for copy in list(copies or self.copies.values()):
                while not await _is_ready(client, copy):
                    await asyncio.sleep(0.2)

    def apis(self, service: str) -> Sequence[str]:
        """Addresses of the service's APIs, down ones too."""
        mine = [each for each in self.copies.values() if each.service == service and "api" in each.roles.split(",")]
        return [f"http://127.0.0.1:{each.port}/{service}" for each in mine]

    def stop(self) -> None:
        """Send SIGKILL to all copies, which leave what a crash leaves."""
        self._over = True
        for copy in self.copies.values():
            if copy.process is not None:
                self.kill(copy)


async def _is_ready(client: httpx.AsyncClient, copy: Copy) -> bool:
    try:
        answer = await client.get(f"http://127.0.0.1:{copy.port}/{copy.service}/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == 200


def last_line(log: Path) -> str:
    """Last line of a log, cut to 300 characters."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][-300:] if lines else "it said nothing"
