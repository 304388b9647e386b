"""Fields at rest: AES-256-GCM under the person's key (NIST SP 800-38D, random 96-bit nonces), with person and field as
associated data.

Invariant: one token has one spelling. Base64url that `to_text` would not write is refused, so that no character of a token
can be changed unnoticed.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32  # bytes
NONCE = 12
TAG = 16
_VERSION = "1"


class Unopenable(Exception):
    """Data does not open: wrong key, person or field, or it was changed. The message holds ids, never content."""


def new_person_key() -> bytes:
    """Return a key of 256 random bits."""
    return os.urandom(KEY_SIZE)


def seal(key: bytes, person: str, field: str, text: str) -> str:
    """Encrypt a field so that it opens only as this field of this person. The token is 40 characters longer than the text in
    base64, and shows its length.
    """
    return f"{_VERSION}.{encrypt(key, text.encode(), bound('field', person, field))}"


def open_sealed(key: bytes, person: str, field: str, sealed: str) -> str:
    """Return the text that was sealed. Raises Unopenable."""
    version, _, body = sealed.partition(".")
    if version != _VERSION:
        raise Unopenable(f"{field} of {person} is not sealed in a way known here")
    try:
        return decrypt(key, body, bound("field", person, field)).decode()
    except Unopenable as error:
        raise Unopenable(f"{field} of {person} does not open: {error}") from None


def bound(*parts: str) -> bytes:
    """Return associated data from parts, each after its length: no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def encrypt(key: bytes, clear: bytes, associated: bytes) -> str:
    """Encrypt with AES-256-GCM; return nonce, ciphertext and tag in base64url."""
    return to_text(lock(key, clear, associated))


def decrypt(key: bytes, text: str, associated: bytes) -> bytes:
    """Decrypt what `encrypt` returned. Raises Unopenable."""
    return unlock(key, to_bytes(text), associated)


def lock(key: bytes, clear: bytes, associated: bytes) -> bytes:
    """Encrypt with AES-256-GCM; return nonce, ciphertext and tag."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a key of {len(key)} bytes instead of {KEY_SIZE}")  # AESGCM takes 16 and 24 as well
    # Random and not counted, because several copies of a service encrypt under one key.
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, associated)


def unlock(key: bytes, raw: bytes, associated: bytes) -> bytes:
    """Decrypt what `lock` returned. Raises Unopenable."""
    if len(raw) < NONCE + TAG or len(key) != KEY_SIZE:
        raise Unopenable("too short, or the key has another size")
    try:
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], associated)
    except InvalidTag as error:
        raise Unopenable("wrong key, or not what it was sealed for") from error


def to_text(raw: bytes) -> str:
    """Write as base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """Return the bytes that `to_text` writes as this text. Raises Unopenable for any other spelling."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Unopenable("not base64url") from error
    if to_text(raw) != text:  # the decoder ignores stray characters and spare bits
        raise Unopenable("not canonical base64url")
    return raw
