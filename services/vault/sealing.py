"""Fields at rest: AES-256-GCM under the person's key (NIST SP 800-38D, random 96-bit nonces), with person and field as
associated data.

Invariants: one token has one spelling. Base64url that `to_text` would not write is refused, so that no character of a token
can be changed unnoticed. What is encrypted has one of few lengths (`padded_size`), and is never compressed, since the length of
a ciphertext is that of its content.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32  # bytes
NONCE = 12
TAG = 16
STEP = 256  # bytes: what is sealed is a multiple of it,
LEAST = 2 * STEP  # and at least so long, since a profile with two more answers must not pass a step
_BARE, _PADDED = "1", "2"  # versions of a sealed field: as long as its text, and padded
_END = b"\x80"  # begins the padding (ISO/IEC 7816-4): a text may end with any character, so its end is marked


class Unopenable(Exception):
    """Data does not open: wrong key, person or field, or it was changed. The message holds ids, never content."""


def new_person_key() -> bytes:
    """Return a key of 256 random bits."""
    return os.urandom(KEY_SIZE)


def padded_size(size: int) -> int:
    """Return the length to which that many bytes are padded: the next multiple of STEP, and LEAST or more."""
    return max(LEAST, -(-size // STEP) * STEP)


def seal(key: bytes, person: str, field: str, text: str, *, padded: bool = True) -> str:
    """Encrypt a field so that it opens only as this field of this person. `padded=False` is for a text of constant length that is
    sealed once more: the token shows its length.
    """
    clear, version = text.encode(), _BARE
    if padded:
        clear, version = (clear + _END).ljust(padded_size(len(clear) + 1), b"\0"), _PADDED
    return f"{version}.{encrypt(key, clear, _context(version, person, field))}"


def open_sealed(key: bytes, person: str, field: str, sealed: str) -> str:
    """Return the text that was sealed, padded or not: fields of before the padding are not. Raises Unopenable."""
    version, _, body = sealed.partition(".")
    if version not in {_BARE, _PADDED}:
        raise Unopenable(f"{field} of {person} is not sealed in a way known here")
    try:
        clear = decrypt(key, body, _context(version, person, field))
    except Unopenable as error:
        raise Unopenable(f"{field} of {person} does not open: {error}") from None
    return (clear if version == _BARE else clear[: clear.rindex(_END)]).decode()


def _context(version: str, person: str, field: str) -> bytes:
    # The version is bound where it changes the meaning: a padded field must not open as a bare one.
    return bound("field", person, field) if version == _BARE else bound("field", version, person, field)


def bound(*parts: str) -> bytes:
    """Return associated data from parts, each after its length: no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def derived(key: bytes, *parts: str) -> bytes:
    """Return 32 bytes derived by HKDF (RFC 5869) for the use that the parts name: they tell nothing about the key, or about another use."""
    return HKDF(SHA256(), 32, salt=None, info=bound(*parts)).derive(key)


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
