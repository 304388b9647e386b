"""Requests of the console to the services, each at its own address and with the token of the person who is signed in.

Invariants: a service that gives no answer is told apart from one that refuses, and delays no other beyond PATIENCE. Whatever id a browser
sends, a request goes to the path of a dead letter and to no other.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx

from services.contracts.topics import SERVICES

PATIENCE = 10.0  # seconds; a service waits nearly as long for engines that are silent
SHOWN = 100  # dead letters of one service
Json = dict[str, Any]


class TokenRefused(Exception):
    """The services no longer accept the token."""


class NotAllowed(Exception):
    """The role of the token may not do this."""


class NoAnswer(Exception):
    """A service gives no answer, or none that can be read. The message is its name."""


class ServicesClient:
    """The five services. `address` is a URL with {service} in it."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client, self._address = client, address

    async def states(self, token: str) -> dict[str, Json | None]:
        """Read the state of each service; None for one that gives no answer."""
        found = await asyncio.gather(*(self._maybe(each, "/ops/state", token) for each in SERVICES))
        return dict(zip(SERVICES, found, strict=True))

    async def dead(self, states: dict[str, Json | None], token: str) -> list[Json]:
        """Read the open dead letters. Asks only the services whose state counts some, since most have none."""
        having = [name for name, state in states.items() if state and any(each["dead"] for each in state["consumers"])]
        lists = await asyncio.gather(*(self._maybe(each, f"/ops/dead?limit={SHOWN}", token) for each in having))
        return [{"service": name, **each} for name, some in zip(having, lists, strict=True) for each in some or ()]

    async def indicators(self, token: str) -> Json | None:
        """Read the indicators of the token's programme, without means; None when analytics gives no answer."""
        # The page asks every few seconds, and each look at a mean decides when the next one may be shown.
        found: Json | None = await self._maybe("analytics", "/indicators?scores=false", token)
        return found

    async def dead_letter(self, service: str, id: str, token: str) -> Json | None:
        """Read one dead letter whole; None when there is no such. NoAnswer when the service gives none."""
        if (path := _path_of(id)) is None:
            return None
        answer = await self._ask("GET", service, path, token)
        return None if answer.status_code == 404 else _json(answer, service)

    async def do(self, action: str, service: str, id: str, token: str, **body: str) -> tuple[Json, bool] | None:
        """Redrive or dismiss a dead letter. Returns the answer, and whether it was done; None when there is no such."""
        if (path := _path_of(id)) is None:
            return None
        answer = await self._ask("POST", service, f"{path}/{action}", token, body or None)
        # Refusals by the service, whose own sentence the page shows.
        if answer.status_code in {404, 409, 422}:
            return answer.json(), False
        return _json(answer, service), True

    async def _maybe(self, service: str, path: str, token: str) -> Any:
        try:
            return _json(await self._ask("GET", service, path, token), service)
        except NoAnswer:
            # A silent service leaves its part of the page empty; the other parts are shown.
            return None

    async def _ask(self, method: str, service: str, path: str, token: str, body: Any = None) -> httpx.Response:
        url = self._address.format(service=service) + path
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.request(method, url, headers=headers, json=body, timeout=PATIENCE)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(service) from error
        if answer.status_code == 401:
            raise TokenRefused
        if answer.status_code == 403:
            raise NotAllowed
        return answer


def _path_of(id: str) -> str | None:
    """Make the path of a dead letter; None for an id that no dead letter has. A client or a proxy takes the segments `.` and `..`, and
    an empty one, for steps to another path."""
    segments = id.split("/")
    if len(segments) < 2 or any(each in ("", ".", "..") for each in segments):
        return None
    return "/".join(["/ops/dead", *(quote(each, safe="") for each in segments)])


def _json(answer: httpx.Response, service: str) -> Any:
    try:
        return answer.raise_for_status().json()
    except (httpx.HTTPStatusError, ValueError) as error:
        raise NoAnswer(service) from error
