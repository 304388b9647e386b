"""Callers of a request: their bearer token, role and programme, the roles that a route admits, and personal links.

Invariant: a token is accepted only if a key of the issuer that it names signed it, for our audience, and while it is in force. Accepted
are our own issuer and the provider that AMA_ISSUER names. A personal link stands for one person and one purpose, and expires.
"""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, model_validator

from services import vault
from services.contracts.base import Id, Slug
from services.identity.issuer_keys import IssuerKeys
from services.identity.texts import Text, text_of
from services.kernel import Refusal, Refused
from services.settings import Settings

log = logging.getLogger(__name__)
ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256"]  # asymmetric alone: with HS256 a public key would be a secret
LEEWAY = 30  # seconds by which the clocks of two machines may differ
REMEMBERED = 1_000  # tokens whose signature was checked
HOUR = 3600  # seconds


class Role(StrEnum):
    """The role of a caller. A person with two roles has two tokens."""

    WORKER = "worker"
    REFERRER = "referrer"
    OPERATOR = "operator"
    FACILITATOR = "facilitator"
    COORDINATOR = "coordinator"
    PARTNER_SYSTEM = "partner-system"
    ADMINISTRATOR = "administrator"
    SYSTEM_OPERATOR = "system-operator"  # of the whole installation: its state, and the dead letters of all programmes


OF_A_PARTNER = (Role.REFERRER, Role.PARTNER_SYSTEM)
OWN_PATH = "worker"  # the parameter of a path that names a worker
PEOPLE_IN_PATH = (OWN_PATH, "mate", "person")  # parameters of paths that name a person
OF_ONE = (Role.FACILITATOR, *OF_A_PARTNER)  # roles whose routes say what is the caller's own
NAMED_BY_ID = (Role.WORKER, Role.FACILITATOR)  # roles whose subject is an id of ours
_id: TypeAdapter[str] = TypeAdapter(Id)


def _shown_name(value: object) -> object:
    """Give a name that can be shown, else None: a provider's `name` is no reason to refuse its token."""
    try:
        return text_of(value)
    except ValueError:
        return None


class Claims(BaseModel):
    """The claims that say who calls, of the types that commands and events take; others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    sub: Text
    role: Role
    programme: Slug
    partner: Slug | None = None
    name: Annotated[str | None, BeforeValidator(_shown_name)] = None

    @model_validator(mode="after")
    def _named_by_id(self) -> Self:
        # For these roles the subject is an id of ours, which commands and events take. Elsewhere it is the issuer's own.
        if self.role in NAMED_BY_ID:
            _id.validate_python(self.sub)
        return self

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "Claims":
        """Validate the claims of a token. ValueError when one is missing or is not of its type."""
        # An issuer may write an empty partner for somebody who has none.
        return cls.model_validate({name: value for name, value in claims.items() if (name, value) != ("partner", "")})


@dataclass(frozen=True, slots=True)
class Who:
    """The caller. `subject` is a worker's or facilitator's id for those roles; `partner` is the partner of a referrer or system; `name` is
    the person's own name for the header of a page, and no rule asks for it."""

    role: Role
    subject: str
    programme: str
    partner: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Issuing:
    """An issuer whose tokens are accepted: its keys, and the claims that its tokens need."""

    keys: IssuerKeys
    claims: jwt.JWTClaimsRegistry


class Authenticator:
    """Accepts tokens of the issuers of `settings`, for the programmes of this service. `clock` counts seconds from any start."""

    def __init__(self, settings: Settings, known: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._known, self._longest = known, settings.token_hours * HOUR
        self._issuers = {
            url: Issuing(IssuerKeys(url, jwks, clock), _needed(url, settings.audience))
            for url, jwks in settings.issuers().items()
        }
        self._signed: OrderedDict[str, Signed] = OrderedDict()

    async def who(self, token: str) -> Who:
        """Verify a token. Refused as unauthenticated when it is not accepted, as forbidden for a programme that is not here;
        Unavailable when the issuer's keys cannot be fetched."""
        who = await self._verified(token)
        if who.programme not in self._known:
            raise Refused("no-such-programme", "The token is for a programme that is not here.", Refusal.FORBIDDEN)
        if who.role in OF_A_PARTNER and who.partner is None:
            raise Refused("no-partner", f"A token of the role {who.role} says of which partner.", Refusal.FORBIDDEN)
        return who

    async def _verified(self, token: str) -> Who:
        try:
            signed = self._signed.get(token)
            # Both are read before the signature is verified, and used only to find the key.
            kid, issuer = (signed.kid, signed.issuer) if signed else self._named(token)
            # Also for a token that was verified before: the issuer may have withdrawn its key since.
            keys = await issuer.keys.having(kid)
            if signed is None or signed.keys is not keys:
                signed = Signed(kid, issuer, keys, jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
                self._remember(token, signed)
            # What was accepted once stays so until the token expires: no other claim depends on the time that passes.
            if signed.who is None or not time.time() <= signed.claims["exp"]:
                issuer.claims.validate(signed.claims)
                # Written so that a claim which is no number that can be compared is refused too.
                if not signed.claims["exp"] - signed.claims["iat"] <= self._longest:
                    raise ValueError("in force for too long")
        # A stranger writes the token, and joserfc raises all of these for malformed ones: each is a refusal, no defect.
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _not_accepted("It is malformed, expired, or not for us.") from error
        if signed.who is None:
            signed.who = _named_by(signed.claims)
        return signed.who

    def _named(self, token: str) -> tuple[str | None, Issuing]:
        """Give the key and the issuer that a token names. ValueError when we accept no token of that issuer."""
        found = jws.extract_compact(token.encode())
        issuer = self._issuers.get(json.loads(found.payload)["iss"])
        if issuer is None:
            raise ValueError("another issuer")
        return found.headers().get("kid"), issuer

    def _remember(self, token: str, signed: "Signed") -> None:
        """Keep the result of a signature check: a caller sends one token many times, and the check takes longer than most requests."""
        self._signed[token] = signed
        if len(self._signed) > REMEMBERED:
            self._signed.popitem(last=False)


@dataclass(slots=True)
class Signed:
    """A token's claims, and the key set that verified its signature. A new key set verifies it anew. `who`: the caller, once the claims
    were accepted."""

    kid: str | None
    issuer: Issuing
    keys: KeySet
    claims: dict[str, Any]
    who: Who | None = None


def _named_by(claims: Mapping[str, Any]) -> Who:
    try:
        named = Claims.of(claims)
    except ValueError:  # without its cause, which would quote the token
        raise _not_accepted("It does not name a caller, a role and a programme.") from None
    return Who(named.role, named.sub, named.programme, named.partner, named.name)


def _needed(issuer: str, audience: str) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )


def _not_accepted(why: str) -> Refused:
    return Refused("not-authenticated", f"The token is not accepted. {why}", Refusal.UNAUTHENTICATED)


class _Caller(HTTPBearer):
    """The security scheme of the OpenAPI documents, which also gives the caller: one dependency to solve for a request and not two."""

    async def __call__(self, request: Request) -> Who:  # type: ignore[override]  # FastAPI only calls it
        """Give the caller of this request. Refused as unauthenticated without a token that is accepted."""
        given = await super().__call__(request)
        if given is None:
            raise Refused("not-authenticated", "Send a token: Authorization: Bearer …", Refusal.UNAUTHENTICATED)
        authenticator: Authenticator = request.app.state.auth
        return await authenticator.who(given.credentials)


# Without `auto_error`: FastAPI's own refusal would not have the code `not-authenticated`.
caller = _Caller(
    scheme_name="HTTPBearer",
    auto_error=False,
    bearerFormat="JWT",
    description="A token of the OIDC issuer, with role and programme.",
)


def allowed(*roles: Role, own: Mapping[Role, str] | None = None) -> Any:
    """Make a dependency that gives a caller in one of these roles, and refuses others as forbidden.

    A worker is refused wherever the path names another worker. `own` says for each role of one partner or facilitator what the caller
    gets: the route, its command or its read holds to it.
    """

    async def permitted(request: Request, who: Annotated[Who, Depends(caller)]) -> Who:
        permit(who, roles, request.path_params.get(OWN_PATH))
        return who

    permitted.roles, permitted.own = roles, dict(own or {})  # type: ignore[attr-defined]  # read back by route_access
    return Depends(permitted)


def permit(who: Who, roles: Collection[Role], worker: str | None) -> None:
    """Refuse as forbidden a caller of another role, and a worker who names another `worker` in the path."""
    if who.role not in roles:
        raise Refused("not-allowed", f"The role {who.role} may not do this.", Refusal.FORBIDDEN)
    if who.role is Role.WORKER and worker is not None and who.subject != worker:
        raise Refused("not-yours", "A worker sees and decides about themselves alone.", Refusal.FORBIDDEN)


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
