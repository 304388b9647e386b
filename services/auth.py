"""Who calls, in which role, in which programme; and that no route answers anybody else.

Invariants: a route says who may call it, or why everybody may, or the service does not start; a token is believed only when an OIDC
issuer's key signed it, for us, and it is in force.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from services import vault
from services.kernel import Refused
from services.problems import Unavailable
from services.settings import Settings

ALGORITHMS = ["Ed25519", "ES256", "RS256"]
KEYS_KEPT = 600.0  # seconds for which the issuer's keys are believed without asking again
ASK_AGAIN = 5.0  # seconds between questions because of a key that is unknown


class Role(StrEnum):
    """What somebody may be here. A person with two roles has two tokens."""

    WORKER = "worker"
    REFERRER = "referrer"
    OPERATOR = "operator"
    FACILITATOR = "facilitator"
    COORDINATOR = "coordinator"
    PARTNER_SYSTEM = "partner-system"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Who:
    """The caller. `subject` is a worker's or facilitator's id for those roles; `partner` is whose referrer or system it is."""

    role: Role
    subject: str
    programme: str
    partner: str | None = None


class Authenticator:
    """Believes tokens of one issuer, for programmes that are known here."""

    def __init__(self, settings: Settings, known: Collection[str]) -> None:
        self._settings, self._known = settings, known
        self._keys: KeySet | None = None
        self._asked = float("-inf")
        self._lock = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def who(self, token: str) -> Who:
        """Refused(401) when the token is not to be believed, 403 for a programme that is not here."""
        claims = await self._verified(token)
        try:
            who = Who(Role(claims["role"]), str(claims["sub"]), str(claims["programme"]), claims.get("partner"))
        except (KeyError, ValueError) as error:
            raise _unknown("It names no role or programme.") from error
        if who.programme not in self._known:
            raise Refused("no-such-programme", f"There is no programme {who.programme} here.", status=403)
        return who

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            keys = await self._issuers_keys(_kid(token))
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _unknown("It is malformed, expired, or not for us.") from error
        return dict(decoded.claims)

    async def _issuers_keys(self, kid: str | None) -> KeySet:
        """The issuer's keys; asked for again when they are old, or when this key is not among them."""
        async with self._lock:
            age = time.monotonic() - self._asked
            strange = self._keys is not None and kid not in {key.kid for key in self._keys.keys}
            if self._keys is None or age > KEYS_KEPT or (strange and age > ASK_AGAIN):
                self._keys = await self._ask()
                self._asked = time.monotonic()
            return self._keys

    async def _ask(self) -> KeySet:
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                where = self._settings.jwks
                if where is None:
                    found = await client.get(f"{self._settings.issuer}/.well-known/openid-configuration")
                    where = found.raise_for_status().json()["jwks_uri"]
                return KeySet.import_key_set((await client.get(where)).raise_for_status().json())
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise Unavailable("The issuer of tokens does not answer.") from error


def _kid(token: str) -> str | None:
    return jws.extract_compact(token.encode()).headers().get("kid")


def _unknown(why: str) -> Refused:
    return Refused("not-authenticated", f"The token is not accepted. {why}", status=401)


bearer = HTTPBearer(auto_error=False, description="a token of the OIDC issuer, with role and programme")


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Who:
    """The caller of this request. Refused(401) without a token."""
    if given is None:
        raise Refused("not-authenticated", "Send a token: Authorization: Bearer …", status=401)
    authenticator: Authenticator = request.app.state.auth
    return await authenticator.who(given.credentials)


def allowed(*roles: Role) -> Any:
    """A dependency that gives the caller, if in one of these roles; Refused(403) otherwise."""

    async def permitted(who: Annotated[Who, Depends(caller)]) -> Who:
        if who.role not in roles:
            raise Refused("not-allowed", f"The role {who.role} may not do this.", status=403)
        return who

    permitted.roles = roles  # type: ignore[attr-defined]  # read back by check_protected
    return Depends(permitted)


def open_to_all(why: str) -> Any:
    """A dependency that marks a route as open to everybody, and says why."""

    async def everybody() -> None:
        """Nobody is refused."""

    everybody.open = why  # type: ignore[attr-defined]  # read back by check_protected
    return Depends(everybody)


class Unprotected(Exception):
    """A defect: a route that says neither who may call it nor why everybody may."""


def check_protected(app: FastAPI) -> None:
    """Deny by default: every route names its roles, which its OpenAPI entry then shows as `x-roles`. Raises Unprotected."""
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        marks = list(_dependencies(route.dependant))
        roles = [mark.roles for mark in marks if hasattr(mark, "roles")]
        if len(roles) != 1 and not any(hasattr(mark, "open") for mark in marks):
            raise Unprotected(f"{sorted(route.methods)} {route.path} says neither which roles may call it nor why everybody may")
        if roles:
            route.openapi_extra = {**(route.openapi_extra or {}), "x-roles": [str(role) for role in roles[0]]}


def _dependencies(dependant: Any) -> Any:
    for each in dependant.dependencies:
        yield each.call
        yield from _dependencies(each)


@dataclass(frozen=True, slots=True)
class Link:
    """What a personal link stands for."""

    programme: str
    subject: str
    purpose: str


def sign_link(secret: bytes, link: Link, lifetime: float) -> str:
    """A token to put in a link: for one person, one purpose, so many seconds."""
    claims = {"programme": link.programme, "sub": link.subject, "purpose": link.purpose, "exp": int(time.time() + lifetime)}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def read_link(secret: bytes, token: str) -> Link:
    """What the link stands for. Refused(404) when it is not ours or has expired: a link tells nobody why."""
    try:
        claims = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(claims)
        return Link(str(claims["programme"]), str(claims["sub"]), str(claims["purpose"]))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Refused("no-such-link", "This link is not valid any more.", status=404) from error


def link_secret(folder: Path) -> bytes:
    """The secret that signs personal links."""
    return vault.secret_of(folder, "links")


