"""Client of the services for scenarios: one HTTP request for each human act, with the token of the person who acts.

Invariant: an act with an idempotency key is done once, also when the scenario is played again; waiting ends when an effect is visible
through the public interfaces, never after a fixed time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import httpx

from services.programmes import Programme

AT_ONCE = 16  # acts under way at the same time
TRIES_WHILE_UNAVAILABLE = 30
LONGEST_LOOK = 15.0  # seconds; the front door itself looks for a service for ten
PATIENCE = 90.0  # seconds to wait for the effect of an earlier act
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}
Caller = tuple[str, str, str | None]  # role, subject, partner
OPERATOR: Caller = ("operator", "operator-1", None)
T = TypeVar("T")
TokenOf = Callable[[str, str, str | None], str]


class Report(Protocol):
    """Shows the progress of a step."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show that `done` of `total` acts are done."""


class ScenarioFailed(Exception):
    """The services refused an act, or the effect of an earlier act did not appear in time."""


@dataclass
class ScenarioClient:
    """The services of one programme, called by many people. `seed` tells one run of a scenario from another in idempotency keys."""

    base: str
    token_of: TokenOf
    rules: Programme
    seed: int
    report: Report
    _http: httpx.AsyncClient = field(init=False)
    _tokens: dict[Caller, str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self.base, timeout=60, limits=httpx.Limits(max_connections=AT_ONCE))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def act(
        self,
        who: Caller,
        method: str,
        path: str,
        body: Any = None,
        key: str | None = None,
        also: Collection[str] = (),
    ) -> Any:
        """Send one request of one person. It is sent again after a 503 and after a lost connection. Returns the JSON of the answer
        ("done" for an empty one), or the code of a refusal that is in `also`. ScenarioFailed for any other refusal."""
        if who not in self._tokens:
            self._tokens[who] = self.token_of(*who)
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        if key is not None:
            # The seed is part of the key: an act of another run is another act, and must not get its answer.
            headers["Idempotency-Key"] = f"{self.rules.id}-{self.seed}-{key}"
        answer = await self._send(method, path, body, headers)
        for _ in range(TRIES_WHILE_UNAVAILABLE):
            # A 503 does not tell if the act was done; with its key it is done once.
            if answer.status_code != 503:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
            answer = await self._send(method, path, body, headers)
        if answer.is_success:
            return answer.json() if answer.content else "done"
        if (code := answer.json().get("code")) in also:
            return code
        raise ScenarioFailed(f"{method} {path}: {answer.status_code} {answer.text[:300]}")

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """The answer. Only a request that is safe to repeat is sent again after its connection ended."""
        # A POST without a key may have been done before the connection was lost, and would be done twice.
        for _ in range(3 if "Idempotency-Key" in headers or method != "POST" else 0):
            with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
                return await self._http.request(method, path, json=body, headers=headers)
            await asyncio.sleep(0.5)
        return await self._http.request(method, path, json=body, headers=headers)

    async def answers(self, path: str) -> bool:
        """Tell whether this path answers with success, after one try."""
        try:
            return (await self._http.get(path, timeout=LONGEST_LOOK)).is_success
        except httpx.HTTPError:
            return False

    async def each(self, step: str, items: Sequence[T], act: Callable[[T], Awaitable[Any]]) -> list[Any]:
        """Do the act for each item, at most `AT_ONCE` at the same time. Returns the results in the order of the items."""
        gate, done = asyncio.Semaphore(AT_ONCE), 0

        async def one(item: T) -> Any:
            nonlocal done
            async with gate:
                result = await act(item)
            done += 1
            self.report(step, done, len(items))
            return result

        self.report(step, 0, len(items))
        async with asyncio.TaskGroup() as together:
            tasks = [together.create_task(one(item)) for item in items]
        return [task.result() for task in tasks]

    async def until(self, effect: str, check: Callable[[], Awaitable[bool]]) -> None:
        """Wait until the check succeeds. ScenarioFailed, naming the effect, when it does not within `PATIENCE`."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not await check():
            if asyncio.get_running_loop().time() > deadline:
                raise ScenarioFailed(f"not within {PATIENCE:.0f} s: {effect}")
            await asyncio.sleep(0.2)
