"""Payloads of restricted events: a compact JWE under the person's key (RFC 7516, `dir` with A256GCM, `kid` = person).

Invariant: the person is read from the header without the key, so that an erased one is known before anything is opened;
the header is authenticated, so it cannot name another person than the one it was written for.
"""

import json
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jwk import OctKey

from services.vault.sealing import KEY_SIZE, Unopenable, to_bytes

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_SIZES = (None, 0, 12, None, 16)  # bytes of header, encrypted key, nonce, ciphertext, tag


class _Registry(JWERegistry):
    """joserfc stops at 64 KiB of ciphertext when it reads, and not when it writes; an event may have 256 KiB."""

    max_ciphertext_length = 1024 * 1024


_registry = _Registry(algorithms=list(_HEADER.values()))


def encrypt_payload(key: bytes, person: str, payload: bytes | Mapping[str, Any]) -> str:
    """The token. A mapping is written as JSON."""
    if not isinstance(payload, bytes):
        payload = json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()
    return encrypt_compact({**_HEADER, "kid": person}, payload, _direct(key), registry=_registry)


def payload_person(token: str) -> str:
    """Whose key opens it. Raises Unopenable for anything that `encrypt_payload` would not write."""
    try:
        header = json.loads(to_bytes(token[: token.index(".")]))
        person = header.pop("kid")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unopenable("not a compact JWE with a kid") from error
    if header != _HEADER or not isinstance(person, str) or not person:
        raise Unopenable("not a compact JWE with alg dir, enc A256GCM and a kid")
    return person


def decrypt_payload(key: bytes, token: str) -> bytes:
    """The payload. Raises Unopenable."""
    person = payload_person(token)
    segments = token.split(".")
    if len(segments) != len(_SIZES):
        raise Unopenable(f"a payload of {person} is not a compact JWE: {len(segments)} segments")
    for segment, size in zip(segments, _SIZES, strict=True):
        if len(to_bytes(segment)) != size and size is not None:
            raise Unopenable(f"a payload of {person} has a nonce or tag of another size")
    try:
        clear = decrypt_compact(token, _direct(key), registry=_registry).plaintext
    except (JoseError, ValueError) as error:
        raise Unopenable(f"a payload of {person} does not open: wrong key, or not as it was written") from error
    if clear is None:
        raise Unopenable(f"a payload of {person} holds nothing")
    return clear


def _direct(key: bytes) -> OctKey:
    if len(key) != KEY_SIZE:
        raise ValueError(f"a key of {len(key)} bytes instead of {KEY_SIZE}")
    return OctKey.import_key(key)
