"""The files in a folder of keys, and their readers.

`master.jwks`, for enrolment alone · `{service}.jwk`, that service's private key · `services.jwks`, the public halves ·
`pseudonyms.jwk`, which makes the pseudonyms for partners · `lookups.jwk`, by which a tax code is found again · `backup.agekey`,
which encrypts backups. Invariant: existing files stay as they are; only missing ones are made. A public key whose private half is kept
elsewhere stays.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from services.settings import Misconfigured
from services.vault import backup_keys, master
from services.vault.files import Jwk, alone, kept, made_at, new_octets, octets_of, read, read_one, write
from services.vault.sealing import derived, to_bytes, to_text
from services.vault.sharing import PrivateKey, PublicKey

PUBLIC = "services.jwks"
SECRETS = ("pseudonyms", "lookups")


class ServiceKeys:
    """A service's own private key."""

    def __init__(self, service: str, private: PrivateKey) -> None:
        self.service, self.private = service, private

    def __repr__(self) -> str:
        return f"<ServiceKeys {self.service}>"

    @classmethod
    def load(cls, folder: Path, service: str) -> Self:
        """Read `{service}.jwk`. Misconfigured when it is missing or unusable."""
        path = folder / f"{service}.jwk"
        return cls(service, _private(read_one(path), path))

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose, derived from the key by HKDF (RFC 5869)."""
        private = to_bytes(str(self.private.as_dict(private=True)["d"]))
        return derived(private, "service", self.service, purpose)


def public_keys(folder: Path, wanted: Iterable[str] = ()) -> dict[str, PublicKey]:
    """Read the public keys by service from `services.jwks`. Misconfigured when a wanted one is missing."""
    path = folder / PUBLIC
    found = {str(jwk.get("kid")): _curve(jwk, path) for jwk in read(path)}
    # This file may be readable by everybody.
    if any(key.is_private for key in found.values()):
        raise Misconfigured(f"Key file {path} holds a private key: it is for the public ones.")
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise Misconfigured(f"Key file {path} has no key of {', '.join(missing)}: `ama keys make {folder}` adds it.")
    return found


def secret_of(folder: Path, name: str) -> bytes:
    """Return the 32 bytes of `pseudonyms.jwk` or `lookups.jwk`. Misconfigured when the file is missing or unusable."""
    path = folder / f"{name}.jwk"
    return octets_of(read_one(path), f"Key file {path}")


def make_keys(folder: Path, services: Iterable[str], *, master_given: bool = False) -> None:
    """Make the missing files; nothing is overwritten. `master_given`: the master keys come from the environment.

    Misconfigured when the folder cannot be written, or a private and a public key do not belong together.
    """
    # Two makers at once would lose each other's public keys.
    with alone(folder):
        if not master_given:
            _master(folder)
        path = folder / PUBLIC
        known = {str(jwk.get("kid")): jwk for jwk in read(path)} if path.exists() else {}
        merged = dict(known)
        for service in services:
            public = _public_half(folder, service, known.get(service))
            if public is not None:
                merged[service] = public
        if merged != known or not path.exists():
            write(path, {"keys": list(merged.values())})
        for name in SECRETS:
            kept(folder / f"{name}.jwk", partial(new_octets, f"{name}-{_mark()}"))
        backup_keys.make_backup_key(folder)


def rotate_master(folder: Path) -> str:
    """Add a master key, which wraps from the next start on; return its kid. Misconfigured when there is none before it."""
    if not (folder / master.FILE).exists():
        raise Misconfigured(f"There is no {master.FILE} in {folder} to rotate: `ama keys make {folder}` makes it.")
    with alone(folder):
        path = folder / master.FILE
        keys = read(path)
        master.MasterKeys(keys, where=str(path))  # raises Misconfigured for an unusable key, instead of keeping it
        added = new_octets(_mark())
        newest = max(made_at(key) for key in keys)
        added["iat"] = max(added["iat"], int(newest) + 1)  # the newest, also after the clock was set back
        write(path, {"keys": [*keys, added]})
    return str(added["kid"])


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The public facts of a key. `made`: its `iat`, or the time at which the file was written when the key has none."""

    file: str
    kid: str
    kind: str
    made: datetime


def list_keys(folder: Path) -> list[KeyFacts]:
    """Return the facts of every key of the folder, by file. Misconfigured when a file is unusable."""
    if not folder.is_dir():
        raise Misconfigured(f"There is no key folder {folder}: `ama keys make {folder}` makes it.")
    found = [_facts(path, jwk) for path in sorted(folder.glob("*.jwk*")) for jwk in read(path)]
    path = folder / backup_keys.FILE
    for kid, made in backup_keys.list_backup_keys(path) if path.exists() else ():
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        found.append(KeyFacts(path.name, kid, "age X25519 private", made or written))
    return found


def _facts(path: Path, jwk: Jwk) -> KeyFacts:
    seconds = made_at(jwk) or path.stat().st_mtime
    kind = " ".join(str(part) for part in (jwk["kty"], jwk.get("crv"), "private" if "d" in jwk else None) if part)
    return KeyFacts(path.name, str(jwk.get("kid", "-")), kind, datetime.fromtimestamp(seconds, UTC))


def _master(folder: Path) -> None:
    path = folder / master.FILE
    if not path.exists():
        write(path, {"keys": [new_octets(_mark())]})


def _public_half(folder: Path, service: str, known: Jwk | None) -> Jwk | None:
    """Return the public key of the pair in the folder; None when the private half is elsewhere."""
    path = folder / f"{service}.jwk"
    if known is not None and not path.exists():
        return None
    private = _private(kept(path, partial(_pair, service)), path)
    if known is not None:
        # Persons' keys would be wrapped for a key that the service does not have.
        if _curve(known, folder / PUBLIC).thumbprint() != private.thumbprint():
            raise Misconfigured(f"The public key of {service} in {folder / PUBLIC} is not that of {path}.")
        return known
    return {**private.as_dict(private=False), "kid": service, "use": "enc"}


def _pair(service: str) -> Jwk:
    private = OKPKey.generate_key("X25519", {"kid": service, "use": "enc"}, private=True)
    return {**private.as_dict(private=True), "iat": int(time.time())}


def _private(jwk: Jwk, path: Path) -> PrivateKey:
    key = _curve(jwk, path)
    if not key.is_private:
        raise Misconfigured(f"Key file {path} holds a public key; the private one is needed.")
    return key


def _curve(jwk: Jwk, path: Path) -> OKPKey | ECKey:
    kinds: dict[Any, type[OKPKey | ECKey]] = {("OKP", "X25519"): OKPKey, ("EC", "P-256"): ECKey}
    kind = kinds.get((str(jwk["kty"]), str(jwk.get("crv"))))
    try:
        if kind is not None:
            return kind.import_key(jwk)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        pass
    # Outside of the `except`, so that the library's error is no cause: it may quote the key.
    raise Misconfigured(f"Key file {path} holds a key that is not a usable X25519 or P-256 key.")


def _mark() -> str:
    """Return a new kid: the day, for a reader, and random characters, to be unique."""
    return f"{datetime.now(UTC):%Y%m%d}-{to_text(secrets.token_bytes(6))}"
