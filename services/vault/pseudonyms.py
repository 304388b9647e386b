"""Pseudonyms of persons for partners: stable for one partner, and linkable to nothing that another knows.

Invariant: each partner of each programme has its own key, derived by HKDF (RFC 5869) from the one in `pseudonyms.jwk`. A
pseudonym is an HMAC-SHA256 of the person's id under it. The key in the file is never rotated: every partner's ledger depends on it.
"""

import hmac
import uuid

from services.vault.sealing import derived


def pseudonym(secret: bytes, programme: str, partner: str, person: str) -> str:
    """Return a UUID of version 8 (RFC 9562, section 5.8): 122 bits of the HMAC. `secret`: the 32 bytes of `pseudonyms.jwk`."""
    key = partner_key(secret, programme, partner)
    raw = int.from_bytes(hmac.digest(key, person.encode(), "sha256")[:16], "big")
    raw = raw & ~(0xF << 76) | 8 << 76
    return str(uuid.UUID(int=raw & ~(0x3 << 62) | 2 << 62))


def partner_key(secret: bytes, programme: str, partner: str) -> bytes:
    """Return the 32-byte key of one partner in one programme."""
    # HKDF, so that the key of one partner tells nothing about that of another.
    return derived(secret, "pseudonyms", programme, partner)
