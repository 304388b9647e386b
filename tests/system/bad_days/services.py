"""Services as processes of their own (`ama serve`), as an operator runs them.

Invariant: a process ends with the test, however the test ends.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from services.engines.ports import LOOPBACK, free_port
from services.engines.supervise import Supervised
from services.identity.issuer import Issuer
from tests.helpers.waiting import eventually

PROGRAMME = "monza-brianza"
STARTS = 90.0  # seconds in which a process is up and ready
GRACE = 30.0


class Serving:
    """One service in one process, in all of its roles."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], lock: int) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        port = free_port()
        self.base = f"http://{LOOPBACK}:{port}/{name}"
        given = [f"{key}={value}" for key, value in environment.items()]
        ama = str(Path(sys.executable).with_name("ama"))
        command = ["/usr/bin/env", *given, ama, "serve", name, "--port", str(port)]
        self._process = Supervised(command, self.log, grace=GRACE, lock=lock)

    def ended(self) -> bool:
        """Tell if the process has ended."""
        return self._process.ended() is not None

    def stop(self) -> None:
        """Stop the process in order."""
        self._process.stop()

    async def missing(self) -> str | None:
        """Text of /readyz: empty when ready, None without an answer."""
        async with httpx.AsyncClient(timeout=10) as client:
            try:
                answer = await client.get(f"{self.base}/readyz")
            except httpx.TransportError:
                return None
        if answer.status_code == 503:
            assert answer.headers["retry-after"]
            return str(answer.json()["detail"])
        return "" if answer.status_code == 200 else None


class Services:
    """Enrolment and grouping, side by side."""

    def __init__(self, folder: Path, environment: Mapping[str, str], issuer: Issuer) -> None:
        self._lock = os.open(folder / "services.lock", os.O_RDWR | os.O_CREAT)
        self.enrolment = Serving("enrolment", folder, environment, self._lock)
        self.grouping = Serving("grouping", folder, environment, self._lock)
        self.all = (self.enrolment, self.grouping)
        self.token = issuer.token("operator", PROGRAMME, "operator")

    async def ready(self) -> None:
        """Wait until both services are ready."""
        for each in self.all:

            async def up(one: Serving = each) -> bool:
                assert not one.ended(), f"{one.name} has ended: {one.log.read_text()[-3000:]}"
                return await one.missing() == ""

            await eventually(up, STARTS)

    async def name_as_missing(self, engine: str) -> None:
        """Wait until both name this engine as missing at /readyz. Fails when a process ended."""
        for each in self.all:

            async def named(one: Serving = each) -> bool:
                assert not one.ended(), f"{one.name} has ended: {one.log.read_text()[-3000:]}"
                return f"{engine}: does not answer" in (await one.missing() or "")

            await eventually(named, 60)

    async def stop(self) -> None:
        """Stop both services side by side."""
        await asyncio.gather(*(asyncio.to_thread(each.stop) for each in self.all))
        os.close(self._lock)
