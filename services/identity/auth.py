"""Who calls, in which role, in which programme; and that no route answers anybody else.

Invariants: a route says who may call it, or why everybody may, or the service does not start; a token is believed only when an
OIDC issuer's key signed it, for us, and it is in force.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from services import vault
from services.identity.issuer_keys import IssuerKeys
from services.kernel import Refusal, Refused
from services.settings import Settings

log = logging.getLogger(__name__)
ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256"]  # asymmetric alone: with HS256 a public key would be a secret
LEEWAY = 30  # seconds by which clocks may differ
REMEMBERED = 1_000  # tokens whose signature was checked


class Role(StrEnum):
    """What somebody may be here. A person with two roles has two tokens."""

    WORKER = "worker"
    REFERRER = "referrer"
    OPERATOR = "operator"
    FACILITATOR = "facilitator"
    COORDINATOR = "coordinator"
    PARTNER_SYSTEM = "partner-system"
    ADMINISTRATOR = "administrator"


OF_A_PARTNER = (Role.REFERRER, Role.PARTNER_SYSTEM)


@dataclass(frozen=True, slots=True)
class Who:
    """The caller. `subject` is a worker's or facilitator's id for those roles; `partner` is whose referrer or system it is."""

    role: Role
    subject: str
    programme: str
    partner: str | None = None


class Authenticator:
    """Believes tokens of one issuer, for programmes that are known here. `clock` counts seconds, from whenever."""

    def __init__(self, settings: Settings, known: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._known = known
        self._keys = IssuerKeys(settings.issuer, settings.jwks, clock)
        self._signed: OrderedDict[str, Signed] = OrderedDict()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )

    async def who(self, token: str) -> Who:
        """Refused(401) when the token is not to be believed, 403 for a programme that is not here; Unavailable when the
        issuer's keys cannot be had."""
        who = _named_by(await self._verified(token))
        if who.programme not in self._known:
            raise Refused("no-such-programme", "The token is for a programme that is not here.", Refusal.FORBIDDEN)
        if who.role in OF_A_PARTNER and who.partner is None:
            raise Refused("no-partner", f"A token of the role {who.role} says of which partner.", Refusal.FORBIDDEN)
        return who

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            signed = self._signed.get(token)
            kid = signed.kid if signed else jws.extract_compact(token.encode()).headers().get("kid")
            keys = await self._keys.having(kid)
            if signed is None or signed.keys is not keys:
                signed = Signed(kid, keys, jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
                self._remember(token, signed)
            self._claims.validate(signed.claims)  # every time, since time passes
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _not_accepted("It is malformed, expired, or not for us.") from error
        return signed.claims

    def _remember(self, token: str, signed: "Signed") -> None:
        """A caller sends one token many times, and its signature takes longer to check than most of what is asked."""
        self._signed[token] = signed
        if len(self._signed) > REMEMBERED:
            self._signed.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A token's claims, and the very set of the issuer's keys by which its signature was checked: other keys check it anew."""

    kid: str | None
    keys: KeySet
    claims: dict[str, Any]


def _named_by(claims: Mapping[str, Any]) -> Who:
    role, subject, programme, partner = (claims.get(name) for name in ("role", "sub", "programme", "partner"))
    if role not in list(Role) or not isinstance(programme, str) or not isinstance(partner, str | None):
        raise _not_accepted("It names no role or programme.")
    if not isinstance(subject, str) or not 0 < len(subject) <= 200:
        raise _not_accepted("It names nobody.")
    return Who(Role(role), subject, programme, partner or None)


def _not_accepted(why: str) -> Refused:
    return Refused("not-authenticated", f"The token is not accepted. {why}", Refusal.UNAUTHENTICATED)


bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token of the OIDC issuer, with role and programme."
)


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Who:
    """The caller of this request. Refused(401) without a token. A session's cookie, when there is one, is read here."""
    if given is None:
        raise Refused("not-authenticated", "Send a token: Authorization: Bearer …", Refusal.UNAUTHENTICATED)
    authenticator: Authenticator = request.app.state.auth
    return await authenticator.who(given.credentials)


def allowed(*roles: Role) -> Any:
    """A dependency that gives the caller, if in one of these roles; Refused(403) otherwise."""

    async def permitted(who: Annotated[Who, Depends(caller)]) -> Who:
        if who.role not in roles:
            raise Refused("not-allowed", f"The role {who.role} may not do this.", Refusal.FORBIDDEN)
        return who

    permitted.roles = roles  # type: ignore[attr-defined]  # read back by doors
    return Depends(permitted)


def open_to_all(why: str) -> Any:
    """A dependency that marks a route as open to everybody, and says why."""

    async def everybody() -> None:
        """Nobody is refused."""

    everybody.why = why  # type: ignore[attr-defined]  # read back by doors
    return Depends(everybody)


class Unprotected(Exception):
    """A defect: a route that says neither who may call it nor why everybody may."""


@dataclass(frozen=True, slots=True)
class Door:
    """A route, and who may come through it: these roles, or everybody for the reason `why`."""

    path: str
    methods: frozenset[str]
    roles: tuple[Role, ...]
    why: str | None


def doors(app: FastAPI) -> Iterator[Door]:
    """Every route of the application, also those of routers that it includes. Raises Unprotected at the first that does not
    say who may call it, and at whatever cannot say it (a mount, a socket, a plain route), but for the OpenAPI document."""
    for route in iter_route_contexts(app.routes):
        if (
            app.openapi_url is not None
            and route.path == app.openapi_url
            and not isinstance(route.original_route, APIRoute)
        ):
            continue
        named = f"{' '.join(sorted(route.methods or ()))} {route.path or type(route.original_route).__name__}".strip()
        if not isinstance(route.original_route, APIRoute):
            raise Unprotected(f"{named} cannot say which roles may call it: declare it as a route of a router")
        marks = list(_dependencies(route.dependant))
        roles = [mark.roles for mark in marks if hasattr(mark, "roles")]
        whys = [mark.why for mark in marks if hasattr(mark, "why")]
        if len(roles) + bool(whys) != 1 or roles == [()]:
            raise Unprotected(f"{named} must say which roles may call it, or why everybody may, and not both")
        yield Door(
            route.path_format or "",
            frozenset(route.methods or ()),
            roles[0] if roles else (),
            whys[0] if whys else None,
        )


def check_protected(app: FastAPI) -> None:
    """Deny by default: raises Unprotected, which stops the build, unless every route has its door. Call it last: what is
    added afterwards is not seen."""
    for _ in doors(app):
        pass


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _dependencies(each)


@dataclass(frozen=True, slots=True)
class Link:
    """What a personal link stands for: one person, and one purpose such as `survey:T1`."""

    programme: str
    subject: str
    purpose: str


def sign_link(secret: bytes, link: Link, lifetime: float) -> str:
    """A token to put in a link: for one person, one purpose, so many seconds."""
    claims = {
        "programme": link.programme,
        "sub": link.subject,
        "purpose": link.purpose,
        "exp": int(time.time() + lifetime),
    }
    return jwt.encode({"alg": "HS256", "typ": "link+jwt"}, claims, OctKey.import_key(secret))


def read_link(secret: bytes, token: str) -> Link:
    """What the link stands for; whoever reads it compares the purpose. Refused(404) when it is not ours or has expired: a
    link tells nobody why."""
    try:
        decoded = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"])
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        told = [decoded.claims[name] for name in ("programme", "sub", "purpose")]
        if decoded.header.get("typ") != "link+jwt" or not all(isinstance(each, str) for each in told):
            raise ValueError("not a personal link")
        return Link(*told)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND) from error


def link_secret(folder: Path) -> bytes:
    """The secret that signs personal links."""
    return vault.secret_of(folder, "links")
