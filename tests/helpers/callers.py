"""Callers of the services' HTTP interfaces."""

import json
import ssl
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc import jws

from services.embedded.home import Home
from services.identity.auth import Role, Who
from services.identity.issuer import Issuer


def signed(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Sign any claims with the issuer's key. joserfc itself writes no half of a surrogate pair, which JSON allows as an escape."""
    header = {"alg": "Ed25519", "kid": issuer._key.kid}
    return jws.serialize_compact(header, json.dumps(claims), issuer._key, algorithms=["Ed25519"])


class _Accepting:
    """An authenticator that takes every token for that of one caller."""

    def __init__(self, who: Who) -> None:
        self._who = who

    async def who(self, token: str) -> Who:  # the interface of an authenticator
        return self._who


def client_as(app: FastAPI, role: Role, programme: str, subject: str = "somebody") -> httpx.AsyncClient:
    """A client of one service, without a socket, whose token was found good already."""
    app.state.auth = _Accepting(Who(role, subject, programme))
    headers = {"Authorization": "Bearer accepted"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", headers=headers)


@cache
def _tls() -> ssl.SSLContext:
    """The certificates of this machine, read once: httpx would read them for each client."""
    return ssl.create_default_context()


class Caller:
    """An HTTP client with the token of one role."""

    def __init__(
        self, home: Home, role: str, programme: str, subject: str | None = None, partner: str | None = None
    ) -> None:
        bearer = home.token(role, programme, subject, partner)
        headers = {"Authorization": f"Bearer {bearer}"}
        self._client = httpx.AsyncClient(base_url=home.base, headers=headers, timeout=30, verify=_tls())

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.request(method, path, json=body, headers=named)
