"""Keyed look-ups: the digest by which a tax code is found again without being readable.

Invariant: each programme has its own key, derived by HKDF (RFC 5869) from the one in `lookups.jwk`. A digest is an HMAC-SHA256 of the code
under it: without the key nobody finds a code by trying all of them, and two programmes cannot compare theirs. The key in the file is never
rotated, since every stored digest depends on it.
"""

import hmac

from services.vault.sealing import derived, to_text


def fiscal_digest(secret: bytes, programme: str, code: str) -> str:
    """Return the digest of a tax code (43 characters, base64url). `secret`: the 32 bytes of `lookups.jwk`; `code`: in
    capitals, as `FiscalCode` keeps it."""
    return to_text(hmac.digest(derived(secret, "fiscal", programme), code.encode(), "sha256"))
