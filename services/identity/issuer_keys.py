"""The public keys that verify an issuer's tokens.

Invariant: they are fetched rarely, whatever callers send. They stay in use through a short outage of the issuer, never a long one.
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
KEYS_KEPT = 600.0  # seconds for which the keys are used before they are fetched again
KEYS_TRUSTED = 3600.0  # seconds for which they are used when the issuer does not answer
FETCH_AGAIN = 5.0  # seconds between two fetches, whatever callers send and however the first one ended


class IssuerKeys:
    """The public keys of one issuer. No caller can cause more than one fetch every FETCH_AGAIN seconds."""

    def __init__(self, issuer: str, jwks: str | None, clock: Callable[[], float]) -> None:
        self._issuer, self._jwks, self._clock = issuer.rstrip("/"), jwks, clock
        self._keys: KeySet | None = None
        self._ids: frozenset[str | None] = frozenset()
        self._fetched = self._answered = float("-inf")
        self._lock = asyncio.Lock()

    async def having(self, kid: str | None) -> KeySet:
        """Give the keys; fetch them again when they are old, or when `kid` is not among them. Unavailable when there are none
        to trust, or when the issuer gives no answer about an unknown `kid`."""
        if (
            self._keys is not None
            and not self._unknown(kid)
            and self._age() <= (KEYS_TRUSTED if self._lock.locked() else KEYS_KEPT)
        ):
            return self._keys  # a caller with a known key does not wait for a fetch that another caller caused
        async with self._lock:
            if (self._unknown(kid) or self._age() > KEYS_KEPT) and self._clock() - self._fetched > FETCH_AGAIN:
                await self._fetch()
            # The issuer gave no answer since this `kid` appeared: it may be new, so its token is not called wrong.
            undecided = self._unknown(kid) and self._answered < self._fetched
            if self._keys is None or self._age() > KEYS_TRUSTED or undecided:
                raise Unavailable("The issuer of tokens does not answer.", after=int(FETCH_AGAIN))
            return self._keys

    def _unknown(self, kid: str | None) -> bool:
        return self._keys is None or (kid is not None and kid not in self._ids)

    def _age(self) -> float:
        return self._clock() - self._answered

    async def _fetch(self) -> None:
        # Set before the fetch: a fetch that fails must not be repeated for every caller either.
        self._fetched = now = self._clock()
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                address = self._jwks or await self._discovered(client)
                document = (await client.get(address)).raise_for_status().json()
            self._keys = KeySet.import_key_set({"keys": [jwk for jwk in document["keys"] if _verifies(jwk)]})
            self._ids = frozenset(key.kid for key in self._keys.keys)
            self._answered = now
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            # The former keys stay in use until KEYS_TRUSTED: a short outage of the issuer must refuse nobody.
            log.warning("issuer keys cannot be fetched", extra={"reason": type(error).__name__})

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        found = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).raise_for_status().json()
        if found["issuer"].rstrip("/") != self._issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise ValueError("the discovery document is of another issuer")
        return str(found["jwks_uri"])


def _verifies(jwk: Mapping[str, Any]) -> bool:
    """Tell if tokens may be signed with a published key; an issuer publishes keys for encryption too."""
    return jwk.get("kty") in KINDS and jwk.get("use", "sig") == "sig" and jwk.get("crv") not in {"X25519", "X448"}
