"""The master keys: they wrap every person's key in enrolment, and are the one secret without which nothing can be read.

Invariant: the newest wraps, all of them unwrap; so a rotation is a new key, then a rewrapping at leisure, then, when
nothing is left under the old one, its removal. A wrapped key is bound to its person and to the master key's id.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from services.settings import Misconfigured
from services.vault.files import made_at, octets_of, parse, read
from services.vault.sealing import KEY_SIZE, Unopenable, bound, decrypt, encrypt

FILE = "master.jwks"
VARIABLE = "AMA_MASTER_KEYS"  # a JWK, or a JWK Set with the newest last, as JSON; replaces the file
_VERSION = "1"
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it stands before a dot in what is wrapped

Jwks = Sequence[Mapping[str, Any]]


class MasterKeys:
    """Octet keys by kid, the newest last. `again` reads them anew: a key that was added after the start is found when
    something wrapped by it appears.
    """

    def __init__(self, keys: Jwks, again: Callable[[], Jwks] | None = None, where: str = "the master keys") -> None:
        self._where, self._again = where, again
        self._keys = _by_kid(keys, where)

    def __repr__(self) -> str:
        return f"<MasterKeys {', '.join(self._keys)}>"

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """From the environment, else from the folder. Misconfigured when they are missing or unusable."""
        given = environment.get(VARIABLE)
        if given:
            return cls(parse(given, VARIABLE), where=VARIABLE)
        path = folder / FILE
        return cls(read(path), partial(read, path), str(path))

    @property
    def newest(self) -> str:
        """The kid of the key that wraps."""
        return next(reversed(self._keys))

    def wrap(self, person: str, key: bytes) -> str:
        """The person's key under the newest master key: `1.kid.ciphertext`."""
        if len(key) != KEY_SIZE:
            raise ValueError(f"the key of {person} has {len(key)} bytes instead of {KEY_SIZE}")
        kid = self.newest
        return f"{_VERSION}.{kid}.{encrypt(self._keys[kid], key, bound('master', person, kid))}"

    def unwrap(self, person: str, wrapped: str) -> bytes:
        """The person's key, by whichever master key wrapped it. Raises Unopenable."""
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
        """Of (person, wrapped) pairs, those that an older key wrapped, each under the newest. Lazy; stops at the first
        that does not open. To be written back only where it is still what was read.
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
    """In the order of `iat` where they have one, else as they stand."""
    found: dict[str, bytes] = {}
    for jwk in sorted(keys, key=made_at):
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid) or kid in found:
            raise Misconfigured(f"{where}: each master key needs its own kid of letters, digits, _ and -.")
        found[kid] = octets_of(jwk, f"{where}, key {kid}")
    if not found:
        raise Misconfigured(f"{where} holds no key.")
    return found
