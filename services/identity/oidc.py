"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), as a public or confidential client.

Invariants: a code is redeemed only by the browser that asked for it (state, in a cookie that only this console can have sealed) and with
the verifier that was never sent before; an ID token is believed only when the issuer's key signed it, for us, for this very sign-in.
"""

import hashlib
import json
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwe, jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.identity.auth import ALGORITHMS, LEEWAY
from services.identity.issuer_keys import IssuerKeys
from services.identity.settings import ConsoleSettings
from services.kernel import Unavailable

PATIENCE = 10.0  # seconds for the provider to answer
PENDING = 600  # seconds for somebody to sign in
DESCRIPTION = "/.well-known/openid-configuration"
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotSignedIn(Exception):
    """Somebody came back from the provider, and is not believed. `why` is a word for the log, never for the page."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that was begun: what must come back, and the verifier that proves that it is ours."""

    state: str
    nonce: str
    verifier: str
    until: float

    @classmethod
    def new(cls) -> "Pending":
        """With fresh secrets of 256 bits."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, time.time() + PENDING)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who it is, for the page; the token that services are asked with; for how many seconds it is in force."""

    name: str
    token: str
    lasts: float


class Provider:
    """One OpenID Connect provider, found by discovery."""

    def __init__(self, settings: ConsoleSettings, client: httpx.AsyncClient) -> None:
        self._settings, self._client = settings, client
        self._keys = IssuerKeys(settings.issuer, settings.jwks, time.monotonic)
        self._found: dict[str, Any] | None = None
        self._secret = OctKey.generate_key(256)  # a sign-in that a restart interrupts is begun again

    @property
    def back(self) -> str:
        """Where the provider sends people back to."""
        return f"{self._settings.base}/console/signed-in"

    async def begin(self) -> tuple[str, str]:
        """Where to send somebody, and what to leave in their browser. Unavailable when the provider does not answer."""
        pending = Pending.new()
        asked = {
            "response_type": "code",
            "client_id": self._settings.console_client,
            "redirect_uri": self.back,
            "scope": self._settings.console_scope,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        }
        where = (await self._discovered())["authorization_endpoint"]
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", self._sealed(pending)

    async def finish(self, answer: Mapping[str, str], kept: str | None) -> SignedIn:
        """Redeem what somebody came back with. NotSignedIn when any of it is not as it must be."""
        pending = self._opened(kept)
        if not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise NotSignedIn("state")
        if "error" in answer or not answer.get("code"):
            raise NotSignedIn("refused by the provider")
        if answer.get("iss", self._settings.issuer).rstrip("/") != self._settings.issuer.rstrip("/"):
            raise NotSignedIn("another issuer")  # RFC 9207
        tokens = await self._redeemed(answer["code"], pending.verifier)
        try:
            claims = await self._believed(tokens["id_token"], pending.nonce)
            name = next(str(claims[each]) for each in ("name", "preferred_username", "sub") if claims.get(each))
            return SignedIn(name[:100], str(tokens["access_token"]), float(tokens.get("expires_in", 3600)))
        except (JoseError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise NotSignedIn("token") from error

    async def _redeemed(self, code: str, verifier: str) -> dict[str, Any]:
        given = self._settings
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "code_verifier": verifier}
        if given.console_secret is None:
            return await self._told({**form, "client_id": given.console_client})
        named = f"{quote(given.console_client, safe='')}:{quote(given.console_secret, safe='')}"  # RFC 6749, 2.3.1
        return await self._told(form, Authorization=f"Basic {b64encode(named.encode()).decode()}")

    async def _told(self, form: dict[str, str], **headers: str) -> dict[str, Any]:
        where = (await self._discovered())["token_endpoint"]
        try:
            answer = await self._client.post(self._reached(where), data=form, headers=headers, timeout=PATIENCE)
            if answer.is_client_error:
                raise NotSignedIn("code")
            told: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("The issuer of tokens does not answer.") from error
        return told

    async def _believed(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        keys = await self._keys.having(jws.extract_compact(token.encode()).headers().get("kid"))
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        client = self._settings.console_client
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
            raise ValueError("of another sign-in")
        return dict(claims)

    async def _discovered(self) -> dict[str, Any]:
        """The provider's own description; asked for until there is one, then kept."""
        if self._found is None:
            issuer = self._settings.issuer.rstrip("/")
            try:
                answer = await self._client.get(self._reached(f"{issuer}{DESCRIPTION}"), timeout=PATIENCE)
                found: dict[str, Any] = answer.raise_for_status().json()
                if found["issuer"].rstrip("/") != issuer or not all(isinstance(found[each], str) for each in NEEDED):
                    raise ValueError("not the provider that was asked for")
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError) as error:
                raise Unavailable("The issuer of tokens does not answer.") from error
            self._found = found
        return self._found

    def _reached(self, address: str) -> str:
        """Where this process reaches what browsers reach there."""
        public, inside = self._settings.issuer.rstrip("/"), self._settings.console_issuer
        return address.replace(public, inside.rstrip("/"), 1) if inside and address.startswith(public) else address

    def _sealed(self, pending: Pending) -> str:
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, json.dumps(asdict(pending)), self._secret)

    def _opened(self, kept: str | None) -> Pending:
        try:
            opened = jwe.decrypt_compact(kept or "", self._secret, algorithms=["dir", "A256GCM"]).plaintext
            pending = Pending(**json.loads(opened or b""))
        except (JoseError, ValueError, TypeError) as error:
            raise NotSignedIn("no sign-in was begun here") from error
        if time.time() > pending.until:
            raise NotSignedIn("too late")
        return pending


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
