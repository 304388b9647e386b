"""Access to people's keys, checked before a restore changes anything.

Invariant: a restore that would leave people's data unreadable (a key file is missing or wrong, or a passphrase) is refused before any
change. No message advises to make new keys beside old data.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services import vault
from services.operations.backup import sealed
from services.operations.backup.documents import cut, decode
from services.settings import Misconfigured
from services.vault.keyring import READERS
from services.vault.master import FILE

PUT_BACK = "put the key files back from their own backup, and name their folder in AMA_KEYS"


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """The master key, and a service's private key, which opens the keys on the bus. `problem`: the reason why that one is missing."""

    master: vault.MasterKeys
    service: vault.ServiceKeys | None
    problem: str = ""

    def open(self, person: str, wrapped: bytes) -> bytes:
        """Unwrap a person's key from the bus. Raises Unopenable."""
        assert self.service is not None
        return vault.unwrap_mine(self.service.service, self.service.private, person, wrapped)


def check_access(folder: Path, file: tuple[Path, str] | None, sample: tuple[str, bytes] | None) -> KeyAccess:
    """Try the key files of this folder on the file of keys and on one key from the bus, if given. Misconfigured when one does not open."""
    master = _master(folder)
    if file is not None:
        _check_file(master, *file)
    try:
        return _with_service(folder, master, sample)
    except Misconfigured as problem:
        # With a file of keys, those on the bus are not needed.
        if file is None:
            raise
        return KeyAccess(master, None, str(problem))


def _master(folder: Path) -> vault.MasterKeys:
    try:
        return vault.MasterKeys.load(folder)
    except Misconfigured as problem:
        if isinstance(problem.__context__, FileNotFoundError):
            raise Misconfigured(
                f"{folder / FILE} is missing, and nobody's data can be read without it: {PUT_BACK}. Nothing was restored."
            ) from None
        raise


def _with_service(folder: Path, master: vault.MasterKeys, sample: tuple[str, bytes] | None) -> KeyAccess:
    # Any service will do, since the keys on the bus are wrapped for each of them.
    service = next((each for each in READERS if (folder / f"{each}.jwk").exists()), None)
    if service is None:
        raise Misconfigured(
            f"{folder} has no service's private key, by which the keys on the bus are opened: {PUT_BACK}."
        )
    access = KeyAccess(master, vault.ServiceKeys.load(folder, service))
    try:
        if sample is not None:
            access.open(*sample)
    except vault.Unopenable:
        raise Misconfigured(
            f"{folder / service}.jwk is not what people's keys on the bus were wrapped for: {PUT_BACK}."
        ) from None
    return access


def _check_file(master: vault.MasterKeys, path: Path, passphrase: str) -> None:
    """Check that the passphrase opens the whole file, and the master key its first person's key."""
    # The whole file, since a wrong piece at its end would otherwise show only after the databases were replaced.
    found = [next((each["d"] for each in some if each["c"] == "keys"), None) for some in pieces(path, passphrase)]
    first = next((each for each in found if each is not None), None)
    try:
        if first is not None:
            master.unwrap(first["_id"].partition("/")[2], first["wrapped"])
    except vault.Unopenable as error:
        raise Misconfigured(f"{path} does not open with these master keys ({error}): {PUT_BACK}.") from None


def pieces(path: Path, passphrase: str) -> Iterator[list[Any]]:
    """Read a file of keys in batches of documents with `c`, the collection, and `d`, its document. Misconfigured when it does not open."""
    for piece in sealed.read(path, passphrase):
        yield [decode(each) for each in cut(io.BytesIO(piece))]
