"""What opens people's keys, tried before a restore touches anything.

Invariant: a restore that would leave people unreadable, because a key file is missing or another's or a passphrase is wrong, is refused
while everything is still as it was; and nobody is told to make new keys beside old data.
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
class Openers:
    """The master key, and what opens the keys on the bus; `why` it does not, where a file of keys stands in for them."""

    master: vault.MasterKeys
    service: vault.ServiceKeys | None
    why: str = ""

    def open(self, person: str, wrapped: bytes) -> bytes:
        """A person's key as the bus has it. Raises Unopenable."""
        assert self.service is not None
        return vault.unwrap_mine(self.service.service, self.service.private, person, wrapped)


def tried(folder: Path, file: tuple[Path, str] | None, sample: tuple[str, bytes] | None) -> Openers:
    """With the key files of this folder, the file of keys and a key that stands on the bus, where there are such. Misconfigured."""
    master = _master(folder)
    if file is not None:
        _try(master, *file)
    try:
        return _with_service(folder, master, sample)
    except Misconfigured as why:
        if file is None:
            raise
        return Openers(master, None, str(why))


def _master(folder: Path) -> vault.MasterKeys:
    try:
        return vault.MasterKeys.load(folder)
    except Misconfigured as why:
        if isinstance(why.__context__, FileNotFoundError):
            raise Misconfigured(
                f"{folder / FILE} is missing, and nobody's data can be read without it: {PUT_BACK}. Nothing was restored."
            ) from None
        raise


def _with_service(folder: Path, master: vault.MasterKeys, sample: tuple[str, bytes] | None) -> Openers:
    service = next((each for each in READERS if (folder / f"{each}.jwk").exists()), None)
    if service is None:
        raise Misconfigured(
            f"{folder} has no service's private key, by which the keys on the bus are opened: {PUT_BACK}."
        )
    openers = Openers(master, vault.ServiceKeys.load(folder, service))
    try:
        if sample is not None:
            openers.open(*sample)
    except vault.Unopenable:
        raise Misconfigured(
            f"{folder / service}.jwk is not what people's keys on the bus were wrapped for: {PUT_BACK}."
        ) from None
    return openers


def _try(master: vault.MasterKeys, path: Path, passphrase: str) -> None:
    """The passphrase opens the whole file, and the master key whatever key stands first in it."""
    found = [next((each["d"] for each in some if each["c"] == "keys"), None) for some in pieces(path, passphrase)]
    first = next((each for each in found if each is not None), None)
    try:
        if first is not None:
            master.unwrap(first["_id"].partition("/")[2], first["wrapped"])
    except vault.Unopenable as error:
        raise Misconfigured(f"{path} does not open with these master keys ({error}): {PUT_BACK}.") from None


def pieces(path: Path, passphrase: str) -> Iterator[list[Any]]:
    """What is in a file of keys, some at a time: each of a collection `c`, a document `d`. Misconfigured when it does not open."""
    for piece in sealed.read(path, passphrase):
        yield [decode(each) for each in cut(io.BytesIO(piece))]
