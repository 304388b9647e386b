"""Callers who enrol workers through HTTP and repeat each command under its key until it is acknowledged, and one who reads.

Invariant: every answer is counted and timed; an answer that is neither success nor 503 with Retry-After is noted as wrong.
"""

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from tests.helpers.waiting import eventually
from tests.system.bad_days.services import Services, Serving

HANGS = 30.0  # seconds: what is not answered by then is taken to hang
PATIENCE = 120.0  # seconds in which a command must have been acknowledged, however often it is sent
PERSON = {"given_name": "Ada", "family_name": "Prova"}
PROFILE = {"municipality": "monza", "slots": ["mon-evening"]}


def mark() -> str:
    """A moment a minute ago that no other caller reports, as a record tells it."""
    moment = datetime.now(UTC) - timedelta(minutes=1)
    return f"{moment.replace(microsecond=1 + uuid.uuid4().int % 999_999):%Y-%m-%dT%H:%M:%S.%fZ}"


@dataclass
class Callers:
    """Several callers. What they report happened at the moment `marked`, by which their events are known."""

    services: Services
    number: int = 6
    marked: str = field(default_factory=mark)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    admitted: list[str] = field(default_factory=list)  # who went the whole way, each step acknowledged
    _stopped: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._client = one_caller(self.services)
        self._tasks = [asyncio.create_task(self._call()) for _ in range(self.number)]
        self._tasks.append(asyncio.create_task(self._look()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def finish(self) -> None:
        """Wait until every begun command is acknowledged. Raises what stopped a caller."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    async def more(self, people: int, seconds: float = 60.0) -> None:
        """Wait until so many more workers are admitted."""
        wanted, deadline = len(self.admitted) + people, time.monotonic() + seconds
        while len(self.admitted) < wanted:
            for each in self._tasks:
                if each.done():
                    each.result()
            assert time.monotonic() < deadline, f"{len(self.admitted)} of {wanted} within {seconds} s; {self.statuses}"
            await asyncio.sleep(0.05)

    async def answered_503(self) -> None:
        """Wait until a caller gets a 503."""
        before = self.statuses[503]

        async def answered() -> bool:
            return self.statuses[503] > before

        await eventually(answered, 2 * HANGS)

    async def _call(self) -> None:
        while not self._stopped:
            about = {"partner": "afol", "person": PERSON, "profile": PROFILE}
            made = await self._insist("referrals", about)
            worker = str(made["worker"])
            consents = {"consents": {"participation": True}, "notice": "2026-09"}
            await self._insist(f"workers/{worker}/consents", consents)
            await self._insist(f"workers/{worker}/admission", {})
            self.admitted.append(worker)
            await asyncio.sleep(0.2)

    async def _look(self) -> None:
        while not self._stopped:
            await self._send("GET", "workers?limit=1", None, {})
            await asyncio.sleep(0.5)

    async def _insist(self, path: str, body: dict[str, Any]) -> Any:
        """Send a command until it is acknowledged, always under one key."""
        key, deadline = uuid.uuid4().hex, time.monotonic() + PATIENCE
        while True:
            answer = await self._send("POST", path, {**body, "at": self.marked}, {"Idempotency-Key": key})
            if answer is not None and answer.is_success:
                return answer.json() if answer.content else None
            if answer is not None and answer.is_client_error:
                raise AssertionError(self.wrong[-1])
            assert time.monotonic() < deadline, f"POST {path} was not acknowledged; {self.statuses}; {self.wrong}"
            await asyncio.sleep(0.3)

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response | None:
        began, answer, why = time.monotonic(), None, ""
        try:
            answer = await self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            why = repr(error)
        else:
            self.statuses[answer.status_code] += 1
            if not (answer.is_success or (answer.status_code == 503 and answer.headers.get("retry-after"))):
                why = f"{answer.status_code} {answer.text[:300]}"
        self.slowest = max(self.slowest, time.monotonic() - began)
        if why:
            self.wrong.append(f"{method} {path}: {why} after {time.monotonic() - began:.1f} s")
        return answer


def one_caller(services: Services, service: Serving | None = None) -> httpx.AsyncClient:
    """A client of enrolment, or of another service, that does not repeat."""
    headers = {"Authorization": f"Bearer {services.token}"}
    return httpx.AsyncClient(base_url=(service or services.enrolment).base, headers=headers, timeout=HANGS)
