"""Sign-in at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), as a public or confidential client.

Invariants: only the browser that asked for a code redeems it: it brings back the state, in a cookie that this console sealed. The verifier
is not sent before that. An ID token is accepted only if the issuer's key signed it, for this client and this very sign-in.
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
from services.identity.texts import text_of
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
    until: float

    @classmethod
    def new(cls) -> "Pending":
        """Begin a sign-in with fresh secrets of 256 bits."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, time.time() + PENDING)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person's name for the page, the token for requests to services, and the seconds for which the token is in force."""

    name: str
    token: str
    lasts: float


class Provider:
    """One OpenID Connect provider, found by discovery."""

    def __init__(self, settings: ConsoleSettings, client: httpx.AsyncClient) -> None:
        self._settings, self._client = settings, client
        self._keys = IssuerKeys(settings.issuer, settings.jwks, time.monotonic)
        self._found: dict[str, Any] | None = None
        self._secret = OctKey.generate_key(256)  # in memory alone: a person whom a restart interrupts begins again

    @property
    def redirect_uri(self) -> str:
        """The address to which the provider sends people back."""
        return f"{self._settings.base}/console/signed-in"

    async def begin(self) -> tuple[str, str]:
        """Give the address to send a person to, and the sealed cookie for their browser. Unavailable when the provider does not answer."""
        pending = Pending.new()
        parameters = {
            "response_type": "code",
            "client_id": self._settings.console_client,
            "redirect_uri": self.redirect_uri,
            "scope": self._settings.console_scope,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        }
        address = (await self._discovered())["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}", self._sealed(pending)

    async def finish(self, answer: Mapping[str, str], kept: str | None) -> SignedIn:
        """Redeem the answer that a person came back with. NotSignedIn when any part of it is wrong."""
        pending = self._opened(kept)
        if not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise NotSignedIn("state")
        if "error" in answer or not answer.get("code"):
            raise NotSignedIn("refused by the provider")
        if answer.get("iss", self._settings.issuer).rstrip("/") != self._settings.issuer.rstrip("/"):
            raise NotSignedIn("another issuer")  # RFC 9207
        tokens = await self._redeemed(answer["code"], pending.verifier)
        try:
            claims = await self._verified(tokens["id_token"], pending.nonce)
            name = next(str(claims[each]) for each in ("name", "preferred_username", "sub") if claims.get(each))
            # RFC 6749 only recommends `expires_in`; the services check the token's own `exp` at each request.
            return SignedIn(text_of(name[:100]), str(tokens["access_token"]), float(tokens.get("expires_in", 3600)))
        except (JoseError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise NotSignedIn("token") from error

    async def _redeemed(self, code: str, verifier: str) -> dict[str, Any]:
        given = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        # A public client has no secret: the verifier of PKCE proves that it asked for the code.
        if given.console_secret is None:
            return await self._posted({**form, "client_id": given.console_client})
        named = f"{quote(given.console_client, safe='')}:{quote(given.console_secret, safe='')}"  # RFC 6749, 2.3.1
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
    """Compute the S256 challenge of a verifier (RFC 7636)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
