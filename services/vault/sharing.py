"""A person's key wrapped for other services: JWE in general JSON serialization, one recipient per service.

ECDH-ES+A256KW (RFC 7518, section 4.6; X25519 as in RFC 8037) with a fresh ephemeral key each, content A256GCM. A
recipient's `kid` is its service; a service opens its own entry and ignores the others. Invariant: the person is in the authenticated
`aad`, so that the key of one person cannot be used as that of another.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from joserfc.errors import JoseError
from joserfc.jwe import GeneralJSONEncryption, JWERegistry, decrypt_json, encrypt_json
from joserfc.jwk import ECKey, OKPKey

from services.vault.sealing import KEY_SIZE, Unopenable, to_text

PublicKey = OKPKey | ECKey
PrivateKey = OKPKey | ECKey

_AGREE = "ECDH-ES+A256KW"
_PROTECTED = {"enc": "A256GCM"}
# Errors of joserfc, and of what it calls, for a token that was made up or damaged.
_MALFORMED = (
    JoseError, InvalidUnwrap, UnsupportedAlgorithm, ValueError, KeyError, TypeError, AttributeError, RecursionError,
)  # fmt: skip

# joserfc takes the algorithms from the token. It must take no others than these.
_registry = JWERegistry(algorithms=[_AGREE, *_PROTECTED.values()])


def wrap_for(person: str, key: bytes, recipients: Mapping[str, PublicKey]) -> bytes:
    """Return the JWE as JSON, about 300 bytes per recipient. ValueError without recipients, or for a key of another size."""
    if not recipients or len(key) != KEY_SIZE:
        raise ValueError(f"the key of {person} has {len(key)} bytes and {len(recipients)} recipients")
    token = GeneralJSONEncryption(dict(_PROTECTED), key, aad=person.encode())
    for service, public in recipients.items():
        token.add_recipient({"alg": _AGREE, "kid": service}, public)
    return json.dumps(encrypt_json(token, None, registry=_registry), separators=(",", ":")).encode()


def unwrap_mine(service: str, private: PrivateKey, person: str, token: bytes) -> bytes:
    """Unwrap the person's key from this service's own entry. Raises Unopenable."""
    try:
        # Without the others, so that a damaged entry of another service does no harm here.
        only_mine = _entry_of(service, person, json.loads(token))
        key = decrypt_json(only_mine, private, registry=_registry).plaintext
    except Unopenable as error:
        raise Unopenable(f"the key of {person} does not open for {service}: {error}") from None
    except _MALFORMED as error:
        raise Unopenable(f"the key of {person} does not open for {service}: wrong key or tampered") from error
    if key is None or len(key) != KEY_SIZE:
        raise Unopenable(f"what was wrapped for {service} is no key of {person}")
    return key


def _entry_of(service: str, person: str, token: dict[str, Any]) -> Any:
    """Return the token with this service's entry alone; joserfc checks its algorithms against the registry."""
    mine = [entry for entry in token["recipients"] if entry["header"].get("kid") == service]
    if len(mine) != 1:
        raise Unopenable(f"it has {len(mine)} entries for {service}")
    # joserfc authenticates `aad`, and does not know whose key was asked for.
    if token["aad"] != to_text(person.encode()):
        raise Unopenable("it is another person's")
    kept = {name: token[name] for name in ("protected", "aad", "iv", "ciphertext", "tag")}
    entry = {name: mine[0][name] for name in ("header", "encrypted_key")}
    return {**kept, "recipients": [entry]}
