"""Cryptography of people's data: one key per person, sealed fields, encrypted payloads, wrapped keys. No storage, no bus.

Invariants: a sealed field opens only with the key, the person and the field it was sealed with; a key leaves memory only wrapped; key
files are written once, for their owner alone. AES-256-GCM throughout (NIST SP 800-38D, random 96-bit nonces), JWE as RFC 7516 with
`dir` for payloads and ECDH-ES+A256KW (X25519, RFC 8037) for keys.
"""

import hmac
import json
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey

from services.settings import Misconfigured

NONCE = 12
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class Unopenable(Exception):
    """Wrong key, wrong person or field, or tampered with."""


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (BadBase64, ValueError) as error:
        raise Unopenable("not base64url") from error


def _encrypt(key: bytes, clear: bytes, bound_to: bytes) -> str:
    nonce = os.urandom(NONCE)
    return _text(nonce + AESGCM(key).encrypt(nonce, clear, bound_to))


def _decrypt(key: bytes, text: str, bound_to: bytes) -> bytes:
    raw = _raw(text)
    try:
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise Unopenable("wrong key, or not what it was sealed for") from error


def new_person_key() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(32)


def seal(key: bytes, person: str, field: str, text: str) -> str:
    """Encrypt a field so that it opens only as this field of this person."""
    return "1." + _encrypt(key, text.encode(), f"{person}\x00{field}".encode())


def open_sealed(key: bytes, person: str, field: str, sealed: str) -> str:
    """The text that `seal` was given. Raises Unopenable."""
    version, _, body = sealed.partition(".")
    if version != "1":
        raise Unopenable("sealed in an unknown way")
    return _decrypt(key, body, f"{person}\x00{field}".encode()).decode()


def encrypt_payload(key: bytes, person: str, payload: bytes) -> str:
    """A compact JWE under the person's key: alg `dir`, enc `A256GCM`, `kid` the person."""
    header = _text(orjson.dumps({"alg": "dir", "enc": "A256GCM", "kid": person}))
    nonce = os.urandom(NONCE)
    boxed = AESGCM(key).encrypt(nonce, payload, header.encode())
    return f"{header}..{_text(nonce)}.{_text(boxed[:-16])}.{_text(boxed[-16:])}"


def payload_person(token: str) -> str:
    """Whose key opens it, read without the key. Raises Unopenable when it is no such token."""
    try:
        header = orjson.loads(_raw(token.partition(".")[0]))
        if header["alg"] == "dir" and header["enc"] == "A256GCM" and isinstance(header["kid"], str):
            return str(header["kid"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Unopenable("not a JWE of ours") from error
    raise Unopenable("not a JWE of ours")


def decrypt_payload(key: bytes, token: str) -> bytes:
    """The payload of a compact JWE. Raises Unopenable."""
    payload_person(token)
    parts = token.split(".")
    if len(parts) != 5 or parts[1]:
        raise Unopenable("not a compact JWE with a direct key")
    header, _, nonce, boxed, tag = parts
    if len(_raw(nonce)) != NONCE or len(_raw(tag)) != 16:
        raise Unopenable("nonce or tag of another length")
    try:
        return AESGCM(key).decrypt(_raw(nonce), _raw(boxed) + _raw(tag), header.encode())
    except (InvalidTag, ValueError) as error:
        raise Unopenable("wrong key, or tampered with") from error


def wrap_for(person: str, key: bytes, recipients: Mapping[str, OKPKey]) -> bytes:
    """The person's key as a JWE in general JSON serialization, one recipient per service; `kid` of the protected header is the person."""
    token = jwe.GeneralJSONEncryption({"enc": "A256GCM", "kid": person}, key)
    for service, public in recipients.items():
        token.add_recipient({"alg": "ECDH-ES+A256KW", "kid": service}, public)
    return orjson.dumps(jwe.encrypt_json(token, None, algorithms=ALGORITHMS))


def unwrap_mine(service: str, private: OKPKey, person: str, token: bytes) -> bytes:
    """The person's key, from this service's own recipient entry. Raises Unopenable."""
    try:
        wrapped = orjson.loads(token)
        mine = [each for each in wrapped["recipients"] if each.get("header", {}).get("kid") == service]
        opened = jwe.decrypt_json({**wrapped, "recipients": mine}, private, algorithms=ALGORITHMS)
    except (JoseError, KeyError, TypeError, ValueError, InvalidTag) as error:
        raise Unopenable(f"no key of person {person} for {service}") from error
    if opened.protected.get("kid") != person or opened.plaintext is None or len(opened.plaintext) != 32:
        raise Unopenable(f"not the key of person {person}")
    return opened.plaintext


class MasterKeys:
    """The keys that wrap people's keys in enrolment: the newest wraps, older ones still unwrap."""

    def __init__(self, keys: list[OctKey]) -> None:
        self._keys = {str(key.kid): key.raw_value for key in keys}
        self._newest = str(keys[-1].kid)

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._keys)})"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From `master.jwks`, newest last. Misconfigured when it cannot be read."""
        keys = _read(folder / "master.jwks")["keys"]
        return cls([OctKey.import_key(key) for key in keys])

    def wrap(self, person: str, key: bytes) -> str:
        """Under the newest master key, bound to the person."""
        return f"{self._newest}.{_encrypt(self._keys[self._newest], key, person.encode())}"

    def unwrap(self, person: str, wrapped: str) -> bytes:
        """With the master key that wrapped it. Raises Unopenable."""
        kid, _, body = wrapped.partition(".")
        if kid not in self._keys:
            raise Unopenable(f"wrapped by master key {kid}, which is not here")
        return _decrypt(self._keys[kid], body, person.encode())

    def is_newest(self, wrapped: str) -> bool:
        """Whether nothing would change by wrapping it again."""
        return wrapped.partition(".")[0] == self._newest


class ServiceKeys:
    """A service's own private key."""

    def __init__(self, private: OKPKey) -> None:
        self.private = private

    def __repr__(self) -> str:
        return f"ServiceKeys({self.private.kid})"

    @classmethod
    def load(cls, folder: Path, service: str) -> Self:
        """From `{service}.jwk`. Misconfigured when it cannot be read."""
        return cls(OKPKey.import_key(_read(folder / f"{service}.jwk")))


def public_keys(folder: Path) -> dict[str, OKPKey]:
    """Every service's public key, from `services.jwks`."""
    return {key["kid"]: OKPKey.import_key(key) for key in _read(folder / "services.jwks")["keys"]}


def secret_of(folder: Path, name: str) -> bytes:
    """A secret of a service: `links` signs personal links, `pseudonyms` makes partners' pseudonyms."""
    return OctKey.import_key(_read(folder / f"{name}.jwk")).raw_value


def pseudonym(secret: bytes, programme: str, partner: str, person: str) -> str:
    """How this partner knows this person: stable, and linkable to nothing a neighbour knows (HMAC-SHA-256 under a key per partner)."""
    derived = HKDF(SHA256(), 32, None, f"pseudonyms\x00{programme}\x00{partner}".encode()).derive(secret)
    return hmac.digest(derived, person.encode(), "sha256")[:16].hex()


def keep(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The key in this file, made first if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, make())
    return _read(path)


def make_keys(folder: Path, services: Iterable[str]) -> None:
    """Make every key file that is missing; none is ever overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    keep(folder / "master.jwks", lambda: {"keys": [new_master_key()]})
    pairs = {service: keep(folder / f"{service}.jwk", partial(_pair, service)) for service in services}
    public = [dict(OKPKey.import_key(pair).as_dict(private=False)) for pair in pairs.values()]
    _write(folder / "services.jwks", {"keys": public})
    for name in ("links", "pseudonyms"):
        keep(folder / f"{name}.jwk", partial(_oct, name))


def rotate_master(folder: Path) -> None:
    """Add a master key; from now on it wraps, and those before it unwrap what they wrapped."""
    keys = _read(folder / "master.jwks")["keys"]
    _write(folder / "master.jwks", {"keys": [*keys, new_master_key()]})


def new_master_key() -> dict[str, Any]:
    """As a JWK, named by the second it was made in and some randomness."""
    return _oct(f"m{int(time.time())}{secrets.token_hex(2)}")


def _pair(service: str) -> dict[str, Any]:
    return dict(OKPKey.generate_key("X25519", {"kid": service}, private=True).as_dict(private=True))


def _oct(kid: str) -> dict[str, Any]:
    return {"kty": "oct", "kid": kid, "k": _text(secrets.token_bytes(32))}


def _read(path: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise Misconfigured(f"Key file {path} is missing: make it with `ama keys make {path.parent}`.") from error
    except (OSError, ValueError) as error:
        raise Misconfigured(f"Key file {path} cannot be read: {error}.") from error
    return read


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, for the owner alone."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file)
    draft.replace(path)
