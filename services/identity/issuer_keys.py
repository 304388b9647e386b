"""The public keys by which an issuer's tokens are believed.

Invariant: they are asked for rarely, whatever strangers send; they outlive a short absence of the issuer and no long one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.kernel import Unavailable

log = logging.getLogger(__name__)
KINDS = {"OKP", "EC", "RSA"}
KEYS_KEPT = 600.0  # seconds for which the issuer's keys are believed without asking again
KEYS_TRUSTED = 3600.0  # seconds for which they are believed when the issuer does not answer
ASK_AGAIN = 5.0  # seconds between two questions, whatever strangers send and however the first one ended


class IssuerKeys:
    """The public keys of one issuer, asked for rarely: no stranger makes us ask more often than every few seconds."""

    def __init__(self, issuer: str, jwks: str | None, clock: Callable[[], float]) -> None:
        self._issuer, self._jwks, self._clock = issuer.rstrip("/"), jwks, clock
        self._keys: KeySet | None = None
        self._asked = self._answered = float("-inf")
        self._lock = asyncio.Lock()

    async def having(self, kid: str | None) -> KeySet:
        """The keys; asked for again when they are old, or when this one is not among them. Unavailable when there are none
        to be believed, or when the issuer cannot be asked about a strange one."""
        if (
            self._keys is not None
            and not self._strange(kid)
            and self._age() <= (KEYS_TRUSTED if self._lock.locked() else KEYS_KEPT)
        ):
            return self._keys  # nobody with a good token waits for the answer to somebody else's question
        async with self._lock:
            if (self._strange(kid) or self._age() > KEYS_KEPT) and self._clock() - self._asked > ASK_AGAIN:
                await self._ask()
            unsure = self._strange(kid) and self._answered < self._asked
            if self._keys is None or self._age() > KEYS_TRUSTED or unsure:
                raise Unavailable("The issuer of tokens does not answer.", after=int(ASK_AGAIN))
            return self._keys

    def _strange(self, kid: str | None) -> bool:
        return self._keys is None or (kid is not None and kid not in {key.kid for key in self._keys.keys})

    def _age(self) -> float:
        return self._clock() - self._answered

    async def _ask(self) -> None:
        self._asked = now = self._clock()
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                where = self._jwks or await self._discovered(client)
                told = (await client.get(where)).raise_for_status().json()
            self._keys = KeySet.import_key_set({"keys": [jwk for jwk in told["keys"] if _verifies(jwk)]})
            self._answered = now
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the issuer's keys cannot be had", extra={"reason": type(error).__name__})

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        found = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).raise_for_status().json()
        if found["issuer"].rstrip("/") != self._issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise ValueError("the discovery document is of another issuer")
        return str(found["jwks_uri"])


def _verifies(jwk: Mapping[str, Any]) -> bool:
    """Whether a published key is one that tokens may be signed with; an issuer publishes others too."""
    return jwk.get("kty") in KINDS and jwk.get("use", "sig") == "sig" and jwk.get("crv") not in {"X25519", "X448"}
