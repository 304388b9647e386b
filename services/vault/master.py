"""The master keys, which wrap every person's key in enrolment: without them, no person's data can be read.

Invariant: the newest wraps, and all of them unwrap. A rotation adds a key, wraps the persons' keys again, and then removes
the old one. A wrapped key is bound to its person and to the id of the master key.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from services.settings import Misconfigured
from services.vault.files import made_at, octets_of, parse, read
from services.vault.sealing import KEY_SIZE, Unopenable, bound, decrypt, derived, encrypt

FILE = "master.jwks"
VARIABLE = "AMA_MASTER_KEYS"  # a JWK, or a JWK Set with the newest last, as JSON; used instead of the file
_VERSION = "1"
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the part of a wrapped key before the dot

Jwks = Sequence[Mapping[str, Any]]


class MasterKeys:
    """Symmetric keys by kid, the newest last. `again` reads them once more when a key is unknown, so that one that was
    added after the start is found.
    """

    def __init__(self, keys: Jwks, again: Callable[[], Jwks] | None = None, where: str = "the master keys") -> None:
        self._where, self._again = where, again
        self._keys = _by_kid(keys, where)

    def __repr__(self) -> str:
        return f"<MasterKeys {', '.join(self._keys)}>"

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """Read them from the environment, else from the folder. Misconfigured when they are missing or unusable."""
        given = environment.get(VARIABLE)
        if given:
            return cls(parse(given, VARIABLE), where=VARIABLE)
        path = folder / FILE
        return cls(read(path), partial(read, path), str(path))

    @property
    def newest(self) -> str:
        """The kid of the key that wraps."""
        return next(reversed(self._keys))

    def secrets(self, purpose: str) -> list[bytes]:
        """Return 32 bytes for one purpose from each key, the newest first: a rotation keeps the older ones until their key is removed."""
        return [derived(key, "master", "secret", purpose) for key in reversed(self._keys.values())]

    def wrap(self, person: str, key: bytes) -> str:
        """Wrap the person's key with the newest master key: `1.kid.ciphertext`."""
        if len(key) != KEY_SIZE:
            raise ValueError(f"the key of {person} has {len(key)} bytes instead of {KEY_SIZE}")
        kid = self.newest
        return f"{_VERSION}.{kid}.{encrypt(self._keys[kid], key, bound('master', person, kid))}"

    def unwrap(self, person: str, wrapped: str) -> bytes:
        """Unwrap the person's key with the master key that wrapped it. Raises Unopenable."""
        kid, body = _parts(person, wrapped)
        if kid not in self._keys and self._again is not None:
            self._keys = _by_kid(self._again(), self._where)
        if kid not in self._keys:
            raise Unopenable(f"the key of {person} is wrapped by master key {kid!r}, which is not in {self._where}")
        try:
            return decrypt(self._keys[kid], body, bound("master", person, kid))
        except Unopenable as error:
            raise Unopenable(f"the key of {person} does not open with master key {kid}: {error}") from None

    def rewrap(self, kept: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield those (person, wrapped) pairs that an older key wrapped, wrapped with the newest. Lazy; raises Unopenable at
        the first that does not open. The caller writes a pair back only where the stored one is still the one it read.
        """
        for person, wrapped in kept:
            if _parts(person, wrapped)[0] != self.newest:
                yield person, self.wrap(person, self.unwrap(person, wrapped))


def _parts(person: str, wrapped: str) -> tuple[str, str]:
    version, _, rest = wrapped.partition(".")
    kid, _, body = rest.partition(".")
    if version != _VERSION or not _KID.fullmatch(kid):
        raise Unopenable(f"the key of {person} is not wrapped in a way known here")
    return kid, body


def _by_kid(keys: Jwks, where: str) -> dict[str, bytes]:
    """Return the keys in the order of `iat`; those without one come first, in the given order."""
    found: dict[str, bytes] = {}
    for jwk in sorted(keys, key=made_at):
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid) or kid in found:
            raise Misconfigured(f"{where}: each master key needs its own kid of A-Z, a-z, 0-9, _ and -.")
        found[kid] = octets_of(jwk, f"{where}, key {kid}")
    if not found:
        raise Misconfigured(f"{where} holds no key.")
    return found
