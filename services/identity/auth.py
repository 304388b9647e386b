"""Callers of a request: their bearer token, role and programme, the roles that a route admits, and personal links.

Invariant: a token is accepted only if a key of the OIDC issuer signed it, for our audience, and while it is in force. A personal
link stands for one person and one purpose, and expires.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
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
LEEWAY = 30  # seconds by which the clocks of two machines may differ
REMEMBERED = 1_000  # tokens whose signature was checked


class Role(StrEnum):
    """The role of a caller. A person with two roles has two tokens."""

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
    """The caller. `subject` is a worker's or facilitator's id for those roles; `partner` is the partner of a referrer or system."""

    role: Role
    subject: str
    programme: str
    partner: str | None = None


class Authenticator:
    """Accepts tokens of one issuer, for the programmes of this service. `clock` counts seconds from any start."""

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
        """Verify a token. Refused as unauthenticated when it is not accepted, as forbidden for a programme that is not here;
        Unavailable when the issuer's keys cannot be fetched."""
        who = _named_by(await self._verified(token))
        if who.programme not in self._known:
            raise Refused("no-such-programme", "The token is for a programme that is not here.", Refusal.FORBIDDEN)
        if who.role in OF_A_PARTNER and who.partner is None:
            raise Refused("no-partner", f"A token of the role {who.role} says of which partner.", Refusal.FORBIDDEN)
        return who

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            signed = self._signed.get(token)
            # The header is read before the signature is verified, and used only to find the key.
            kid = signed.kid if signed else jws.extract_compact(token.encode()).headers().get("kid")
            # Also for a token that was verified before: the issuer may have withdrawn its key since.
            keys = await self._keys.having(kid)
            if signed is None or signed.keys is not keys:
                signed = Signed(kid, keys, jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
                self._remember(token, signed)
            self._claims.validate(signed.claims)  # at each request, since a token expires
        # A stranger writes the token, and joserfc raises all of these for malformed ones: each is a refusal, no defect.
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _not_accepted("It is malformed, expired, or not for us.") from error
        return signed.claims

    def _remember(self, token: str, signed: "Signed") -> None:
        """Keep the result of a signature check: a caller sends one token many times, and the check takes longer than most requests."""
        self._signed[token] = signed
        if len(self._signed) > REMEMBERED:
            self._signed.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A token's claims, and the key set that verified its signature. A new key set verifies it anew."""

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


# Without `auto_error`: FastAPI's own refusal would not have the code `not-authenticated`.
bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token of the OIDC issuer, with role and programme."
)


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Who:
    """Give the caller of this request. Refused as unauthenticated without a token that is accepted."""
    if given is None:
        raise Refused("not-authenticated", "Send a token: Authorization: Bearer …", Refusal.UNAUTHENTICATED)
    authenticator: Authenticator = request.app.state.auth
    return await authenticator.who(given.credentials)


def allowed(*roles: Role) -> Any:
    """Make a dependency that gives a caller in one of these roles, and refuses others as forbidden."""

    async def permitted(who: Annotated[Who, Depends(caller)]) -> Who:
        if who.role not in roles:
            raise Refused("not-allowed", f"The role {who.role} may not do this.", Refusal.FORBIDDEN)
        return who

    permitted.roles = roles  # type: ignore[attr-defined]  # read back by route_access
    return Depends(permitted)


def open_to_all(why: str) -> Any:
    """Make a dependency that marks a route as open to everybody, with the reason."""

    async def everybody() -> None:
        """Refuse nobody: only `why` matters, which the description of the route shows."""

    everybody.why = why  # type: ignore[attr-defined]  # read back by route_access
    return Depends(everybody)


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a personal link: one person, and one purpose such as `survey:T1`."""

    programme: str
    subject: str
    purpose: str


def sign_link(secret: bytes, link: Link, lifetime: float) -> str:
    """Sign a token for a link, in force for `lifetime` seconds."""
    # HS256 suffices: the service that signs links is the one that reads them.
    claims = {
        "programme": link.programme,
        "sub": link.subject,
        "purpose": link.purpose,
        "exp": int(time.time() + lifetime),
    }
    return jwt.encode({"alg": "HS256", "typ": "link+jwt"}, claims, OctKey.import_key(secret))


def read_link(secret: bytes, token: str) -> Link:
    """Verify a link's token; the caller compares the purpose. Refused as not found, without a reason, when it is not ours or
    has expired."""
    try:
        decoded = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"])
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        named = [decoded.claims[name] for name in ("programme", "sub", "purpose")]
        # The secret may sign other tokens as well: only one of this type is a link.
        if decoded.header.get("typ") != "link+jwt" or not all(isinstance(each, str) for each in named):
            raise ValueError("not a personal link")
        return Link(*named)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND) from error


def link_secret(folder: Path) -> bytes:
    """Give the secret that signs personal links."""
    return vault.secret_of(folder, "links")
