"""Keyed look-ups: digests by which a tax code, or a person of a list, is found again without being readable.

Invariant: each use in each programme has its own key, derived by HKDF (RFC 5869) from the one in `lookups.jwk`. A digest is an
HMAC-SHA256 of the code under it: without the key nobody finds a code by trying all of them, and two programmes cannot compare theirs. The
key in the file is never rotated, since every stored digest depends on it.
"""

import hmac

from services.vault.sealing import derived, to_text


def lookup_digest(secret: bytes, programme: str, use: str, text: str) -> str:
    """Return the digest of a text (43 characters, base64url), of which each use has its own key. `secret`: the 32 bytes of
    `lookups.jwk`."""
    return to_text(hmac.digest(derived(secret, use, programme), text.encode(), "sha256"))


def fiscal_digest(secret: bytes, programme: str, code: str) -> str:
    """Return the digest of a tax code, in capitals as `FiscalCode` keeps it."""
    return lookup_digest(secret, programme, "fiscal", code)
