"""What the console asks of the services, each at its own address and with the token of who is signed in.

Invariant: a service that does not answer is told apart from one that refuses; none makes the others wait for long.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx

from services.contracts.topics import SERVICES

PATIENCE = 10.0  # seconds; a service looks that long at engines that are silent
SHOWN = 100  # dead letters of one service
Told = dict[str, Any]


class Stranger(Exception):
    """The services do not believe the token any more."""


class MayNot(Exception):
    """The token's role may not do this."""


class Away(Exception):
    """A service does not answer, or not as it should."""


class Asking:
    """The five services, by `address` with {service} in it."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client, self._address = client, address

    async def states(self, token: str) -> dict[str, Told | None]:
        """How each stands; None for one that does not answer."""
        told = await asyncio.gather(*(self._maybe(each, "/ops/state", token) for each in SERVICES))
        return dict(zip(SERVICES, told, strict=True))

    async def dead(self, states: dict[str, Told | None], token: str) -> list[Told]:
        """The dead letters that are open, of the services that say that they have some."""
        having = [name for name, told in states.items() if told and any(each["dead"] for each in told["consumers"])]
        lists = await asyncio.gather(*(self._maybe(each, f"/ops/dead?limit={SHOWN}", token) for each in having))
        return [{"service": name, **each} for name, some in zip(having, lists, strict=True) for each in some or ()]

    async def indicators(self, token: str) -> Told | None:
        """How the token's programme stands; None when that cannot be had."""
        told: Told | None = await self._maybe("analytics", "/indicators", token)
        return told

    async def letter(self, service: str, id: str, token: str) -> Told | None:
        """One dead letter whole; None when there is no such. Away when the service does not answer."""
        answer = await self._ask("GET", service, f"/ops/dead/{quote(id, safe='/')}", token)
        return None if answer.status_code == 404 else _told(answer, service)

    async def do(self, what: str, service: str, id: str, token: str, **body: str) -> tuple[Told, bool]:
        """Redrive or dismiss it: what came back, and whether it was done."""
        answer = await self._ask("POST", service, f"/ops/dead/{quote(id, safe='/')}/{what}", token, body or None)
        if answer.status_code in {404, 409, 422}:
            return answer.json(), False
        return _told(answer, service), True

    async def _maybe(self, service: str, path: str, token: str) -> Any:
        try:
            return _told(await self._ask("GET", service, path, token), service)
        except Away:
            return None

    async def _ask(self, method: str, service: str, path: str, token: str, body: Any = None) -> httpx.Response:
        where = self._address.format(service=service) + path
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.request(method, where, headers=headers, json=body, timeout=PATIENCE)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Away(service) from error
        if answer.status_code == 401:
            raise Stranger
        if answer.status_code == 403:
            raise MayNot
        return answer


def _told(answer: httpx.Response, service: str) -> Any:
    try:
        return answer.raise_for_status().json()
    except (httpx.HTTPStatusError, ValueError) as error:
        raise Away(service) from error
