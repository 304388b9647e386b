"""Commands over HTTP, as a careful client sends them: under an Idempotency-Key, repeated until one copy acknowledges.

Invariant: a command is acknowledged at most once here; the events that it promises are noted for the oracle. Some commands are sent to
two copies at the same moment, or again after they were acknowledged: both answers must be equal.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.system.chaos.fleet import Fleet

Says = Callable[[Any], Sequence[tuple[str, str]]]  # from the answer to the promised events: short types and subjects
TWINS, REPEATS = 0.05, 0.08  # of all commands
TIMEOUTS = (3.0, 6.0, 12.0)  # seconds; less and more than a service waits for an engine before it answers 503


@dataclass(frozen=True, slots=True)
class Caller:
    """Role and subject of a request."""

    role: str
    subject: str
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Last answer to a command: its status, its body, and for a refusal its code."""

    status: int
    body: Any
    code: str | None = None

    @property
    def done(self) -> bool:
        """Tell if the command was acknowledged, not refused."""
        return self.status < 300


@dataclass
class Ledger:
    """Counts of acknowledged commands, with the events that they promised."""

    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    promised: Counter[tuple[str, str]] = field(default_factory=Counter)
    trouble: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)  # answers that no client may get
    waiting: dict[str, str] = field(default_factory=dict)  # sent, and neither acknowledged nor refused yet


class Driver:
    """Sends commands to the copies of the services, through all faults."""

    def __init__(self, fleet: Fleet, token: Callable[[Caller], str], seed: int) -> None:
        self._fleet, self._token = fleet, token
        self.chance = random.Random(seed)
        self._tokens: dict[Caller, str] = {}
        self._client = httpx.AsyncClient(limits=httpx.Limits(max_connections=None, max_keepalive_connections=40))
        self.ledger, self._number = Ledger(), 0

    async def send(
        self, who: Caller, where: str, body: Any, says: Says, until: Collection[str] = (), method: str = "POST"
    ) -> Answer:
        """Send `where` (`/service/path`) until it is acknowledged or refused. Refusals in `until` are repeated."""
        self._number += 1
        key = f"command-{self._number}"
        self.ledger.waiting[key] = f"{method} {where}"
        if self.chance.random() < TWINS:
            first, second = await asyncio.gather(*(self._insist(key, who, method, where, body, until) for _ in "12"))
            self._alike(key, where, first, second)
            answer = first
        else:
            answer = await self._insist(key, who, method, where, body, until)
        self._note(answer, says)
        if answer.done and self.chance.random() < REPEATS:
            self._alike(key, where, answer, await self._insist(key, who, method, where, body, ()))
        del self.ledger.waiting[key]
        return answer

    def _note(self, answer: Answer, says: Says) -> None:
        if answer.done:
            self.ledger.acknowledged += 1
            self.ledger.promised.update(says(answer.body))
        else:
            self.ledger.refused[str(answer.code)] += 1

    def _alike(self, key: str, where: str, first: Answer, second: Answer) -> None:
        if (first.status, first.body) != (second.status, second.body):
            self.ledger.broken.append(f"{key} {where} was answered {first} and {second}")

    async def _insist(
        self, key: str, who: Caller, method: str, where: str, body: Any, until: Collection[str]
    ) -> Answer:
        while True:
            response = await self._once(key, who, method, where, body)
            if response is not None and response.status_code < 500:
                given: Any = response.json() if response.content else None
                if response.status_code < 300:
                    return Answer(response.status_code, given)
                if given["code"] not in until:
                    return Answer(response.status_code, given, given["code"])
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))

    async def read(self, who: Caller, where: str) -> Any:
        """Send a GET until a copy answers. Gives the body; None for a 404."""
        while True:
            response = await self._once(None, who, "GET", where, None)
            if response is not None and response.status_code < 500:
                return response.json() if response.status_code < 300 else None
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))

    async def _once(self, key: str | None, who: Caller, method: str, where: str, body: Any) -> httpx.Response | None:
        """Send it once to one copy. None without an answer. An answer that the API does not describe is noted as broken."""
        _, service, path = where.split("/", 2)
        headers = {"Authorization": f"Bearer {self._bearer(who)}"} | ({"Idempotency-Key": key} if key else {})
        url = f"{self.chance.choice(self._fleet.apis(service))}/{path}"
        try:
            response = await self._client.request(
                method, url, json=body, headers=headers, timeout=self.chance.choice(TIMEOUTS)
            )
        except httpx.TransportError as error:
            self.ledger.trouble[type(error).__name__] += 1
            return None
        if response.status_code >= 500:
            self.ledger.trouble[str(response.status_code)] += 1
            if response.status_code != 503 or "retry-after" not in response.headers:
                self.ledger.broken.append(
                    f"{method} {where} was answered {response.status_code}: {response.text[:300]}"
                )
        return response

    def _bearer(self, who: Caller) -> str:
        if who not in self._tokens:
            self._tokens[who] = self._token(who)
        return self._tokens[who]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
