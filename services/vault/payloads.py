"""Payloads of restricted events: a compact JWE under the person's key (RFC 7516, `dir` with A256GCM, `kid` = person).

The token is assembled here, since for this one algorithm that is two lines and every restricted event needs it: joserfc takes
four times as long, and reads no more than 64 KiB. In the tests, joserfc reads the tokens of this module, and writes those that
it reads. Invariant: the person is read from the header without the key, so that an erased one is known before anything is
decrypted. The header is authenticated, so it cannot name another person. A payload is JSON, padded with the blanks that JSON
allows at its end: a plain client of the standard reads it, and the length tells present from absent no more.
"""

import json
from collections.abc import Mapping
from typing import Any

from services.vault.sealing import NONCE, TAG, Unopenable, lock, padded_size, to_bytes, to_text, unlock

_HEADER = {"alg": "dir", "enc": "A256GCM"}


def encrypt_payload(key: bytes, person: str, payload: bytes | Mapping[str, Any]) -> str:
    """Return the token. `payload` is JSON; a mapping is written as such."""
    if not isinstance(payload, bytes):
        payload = _json(payload)
    protected = to_text(_json({**_HEADER, "kid": person}))
    raw = lock(key, payload.ljust(padded_size(len(payload))), protected.encode())
    return f"{protected}..{to_text(raw[:NONCE])}.{to_text(raw[NONCE:-TAG])}.{to_text(raw[-TAG:])}"


def payload_person(token: str) -> str:
    """Return the person whose key decrypts it. Raises Unopenable for a header that `encrypt_payload` would not write."""
    try:
        header = json.loads(to_bytes(token[: token.index(".")]))
        person = header.pop("kid")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # A token from the bus can hold anything, also brackets that are nested too deeply for the parser.
        raise Unopenable("not a compact JWE with a kid") from error
    # The token has no choice: a header with another algorithm is refused.
    if header != _HEADER or not isinstance(person, str) or not person:
        raise Unopenable("not a compact JWE with alg dir, enc A256GCM and a kid")
    return person


def decrypt_payload(key: bytes, token: str) -> bytes:
    """Return the payload without its padding; payloads of before the padding have none. Raises Unopenable."""
    person = payload_person(token)
    try:
        protected, encrypted_key, nonce, boxed, tag = token.split(".")
    except ValueError as error:
        raise Unopenable(f"a payload of {person} is not a compact JWE") from error
    raw_nonce, raw_tag = to_bytes(nonce), to_bytes(tag)
    # `dir` has no encrypted key (RFC 7518, section 4.5), and AESGCM takes nonces of other sizes, too.
    if encrypted_key or len(raw_nonce) != NONCE or len(raw_tag) != TAG:
        raise Unopenable(f"a payload of {person} has a key of its own, or a nonce or tag of another size")
    try:
        return unlock(key, raw_nonce + to_bytes(boxed) + raw_tag, protected.encode()).rstrip(b" ")
    except Unopenable as error:
        raise Unopenable(f"a payload of {person} does not open: {error}") from None


def _json(value: Mapping[str, Any]) -> bytes:
    # JSON has no NaN, which Python would write by default.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
