"""Sign-in at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), as a public or confidential client.

Invariants: only the browser that asked for a code redeems it: the caller hands back what `begin` gave, kept for that browser alone. The
verifier is not sent before that. An ID token is accepted only if the issuer's key signed it, for this client and this very sign-in.
"""

import hashlib
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError

from services.identity.auth import ALGORITHMS, LEEWAY
from services.identity.issuer_keys import IssuerKeys
from services.identity.settings import SiteSettings
from services.kernel import Unavailable

PATIENCE = 10.0  # seconds for the provider to answer
PENDING = 600  # seconds for somebody to sign in
DESCRIPTION = "/.well-known/openid-configuration"
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotSignedIn(Exception):
    """An answer from the provider was not accepted. `why` is a word for the log, never for the page."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that was begun: the values that must come back, and the verifier that redeems the code."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Pending":
        """Begin a sign-in with fresh secrets of 256 bits."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The provider's verified answer: the claims of the ID token, and the token itself, by which the provider recognises a sign-out."""

    claims: dict[str, Any]
    id_token: str


class Provider:
    """One OpenID Connect provider, found by discovery."""

    def __init__(self, settings: SiteSettings, client: httpx.AsyncClient) -> None:
        self._settings, self._client = settings, client
        self._keys = IssuerKeys(settings.issuer, settings.issuers()[settings.issuer], time.monotonic)
        self._found: dict[str, Any] | None = None

    async def begin(self) -> tuple[str, Pending]:
        """Give the address to send a person to, and what must be kept for their browser. Unavailable when the provider does not answer."""
        pending = Pending.new()
        parameters = {
            "response_type": "code",
            "client_id": self._settings.site_client,
            "redirect_uri": self._settings.return_address,
            "scope": self._settings.site_scope,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        }
        address = (await self._discovered())["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}", pending

    async def finish(self, answer: Mapping[str, str], pending: Pending) -> SignedIn:
        """Redeem the answer that a person came back with. NotSignedIn when any part of it is wrong."""
        if not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise NotSignedIn("state")
        if "error" in answer or not answer.get("code"):
            raise NotSignedIn("refused by the provider")
        if answer.get("iss", self._settings.issuer).rstrip("/") != self._settings.issuer.rstrip("/"):
            raise NotSignedIn("another issuer")  # RFC 9207
        tokens = await self._redeemed(answer["code"], pending.verifier)
        try:
            return SignedIn(await self._verified(tokens["id_token"], pending.nonce), str(tokens["id_token"]))
        except (JoseError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise NotSignedIn("token") from error

    async def end_address(self, id_token: str, then: str) -> str | None:
        """Give the address at which the person signs out of the provider as well (OpenID Connect RP-Initiated Logout 1.0); None when the
        provider names none, or does not answer."""
        try:
            address = (await self._discovered()).get("end_session_endpoint")
        except Unavailable:
            return None
        if not isinstance(address, str):
            return None
        parameters = {
            "id_token_hint": id_token,
            "client_id": self._settings.site_client,
            "post_logout_redirect_uri": then,
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"

    async def _redeemed(self, code: str, verifier: str) -> dict[str, Any]:
        given = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.return_address,
            "code_verifier": verifier,
        }
        # A public client has no secret: the verifier of PKCE proves that it asked for the code.
        if given.site_secret is None:
            return await self._posted({**form, "client_id": given.site_client})
        named = f"{quote(given.site_client, safe='')}:{quote(given.site_secret, safe='')}"  # RFC 6749, 2.3.1
        return await self._posted(form, Authorization=f"Basic {b64encode(named.encode()).decode()}")

    async def _posted(self, form: dict[str, str], **headers: str) -> dict[str, Any]:
        address = (await self._discovered())["token_endpoint"]
        try:
            answer = await self._client.post(self._reached(address), data=form, headers=headers, timeout=PATIENCE)
            # A code that was refused stays refused, so no retry would help: the person begins again.
            if answer.is_client_error:
                raise NotSignedIn("code")
            tokens: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("The issuer of tokens does not answer.") from error
        return tokens

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        """Verify an ID token and give its claims (OpenID Connect Core 1.0, section 3.1.3.7)."""
        # `azp` and the nonce are checked by hand: joserfc knows neither, and the nonce differs at each sign-in.
        keys = await self._keys.having(jws.extract_compact(token.encode()).headers().get("kid"))
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        client = self._settings.site_client
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
        if claims.get("azp", client) != client:
            raise ValueError("made for another client")
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ValueError("made for another sign-in")
        return dict(claims)

    async def _discovered(self) -> dict[str, Any]:
        """Give the discovery document; fetch it until the provider answers, then keep it."""
        if self._found is None:
            issuer = self._settings.issuer.rstrip("/")
            try:
                answer = await self._client.get(self._reached(f"{issuer}{DESCRIPTION}"), timeout=PATIENCE)
                found: dict[str, Any] = answer.raise_for_status().json()
                # OpenID Connect Discovery, 4.3: another issuer must not choose where people type their password.
                if found["issuer"].rstrip("/") != issuer or not all(isinstance(found[each], str) for each in NEEDED):
                    raise ValueError("not the provider that was asked for")
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError) as error:
                raise Unavailable("The issuer of tokens does not answer.") from error
            self._found = found
        return self._found

    def _reached(self, address: str) -> str:
        """Translate a browser's address of the issuer into the one that this process reaches it by."""
        public, inside = self._settings.issuer.rstrip("/"), self._settings.site_issuer
        return address.replace(public, inside.rstrip("/"), 1) if inside and address.startswith(public) else address


def challenge_of(verifier: str) -> str:
    """Compute the S256 challenge of a verifier (RFC 7636)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
