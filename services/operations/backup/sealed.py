"""A file of people's keys, sealed with the operator's passphrase.

The keys in it are wrapped already (for enrolment by the master key, for each service by its own key). The seal makes the file alone
useless. Invariant: a piece opens only with the passphrase, in its place, in the file it was written for, and a file that was cut short does
not open. The key is derived from the passphrase by scrypt (RFC 7914); the pieces are AES-256-GCM.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from services.operations.backup.documents import Damaged
from services.settings import Misconfigured
from services.vault.sealing import KEY_SIZE, Unopenable, bound, lock, to_bytes, to_text, unlock

SHORTEST = 12  # characters of a passphrase
HARD: dict[str, int] = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MiB and a tenth of a second for each guess
PIECE = 1 << 20  # bytes
FORMAT = "ama person keys 2"


def write(path: Path, passphrase: str, documents: Iterable[bytes]) -> int:
    """Write documents into a new file that only its owner can read; returns their number. Misconfigured for a short passphrase, and
    when the file exists."""
    if len(passphrase) < SHORTEST:
        raise Misconfigured(f"The passphrase needs {SHORTEST} characters or more.")
    salt, number, written = os.urandom(16), 0, 0
    key = _key(passphrase, salt)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror or error}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps({"format": FORMAT, "salt": to_text(salt), **HARD}).encode() + b"\n")
        piece = bytearray()
        for each in documents:
            piece += each
            written += 1
            if len(piece) > PIECE:
                _put(file, key, salt, number, bytes(piece), last=False)
                number, piece = number + 1, bytearray()
        _put(file, key, salt, number, bytes(piece), last=True)
        file.flush()
        os.fsync(file.fileno())
    return written


def read(path: Path, passphrase: str) -> Iterator[bytes]:
    """Read the pieces, each a sequence of whole documents. Misconfigured for another kind of file or a wrong passphrase; Damaged."""
    if not path.is_file():
        raise Misconfigured(f"There is no file of keys {path}.")
    with path.open("rb") as file:
        try:
            head: dict[str, Any] = json.loads(file.readline())
            salt = to_bytes(head["salt"])
            known = (head["format"], head["n"], head["r"], head["p"]) == (FORMAT, *HARD.values())
        except (ValueError, KeyError, TypeError, Unopenable):
            known, salt = False, b""
        if not known:
            raise Misconfigured(f"{path} is no file of keys that this version reads.")
        # scrypt's parameters are compared, not taken: a forged file could ask for no work, or for all the memory.
        yield from _pieces(file, _key(passphrase, salt), salt, path)


def _pieces(file: BinaryIO, key: bytes, salt: bytes, path: Path) -> Iterator[bytes]:
    number, last = 0, False
    while not last:
        head = file.read(5)
        boxed = file.read(int.from_bytes(head[1:], "big"))
        if len(head) < 5 or len(boxed) != int.from_bytes(head[1:], "big"):
            raise Damaged(f"{path} ends too early")
        last = head[:1] == b"\x01"
        try:
            yield unlock(key, boxed, _context(salt, number, last=last))
        except Unopenable:
            if number == 0:  # a passphrase that opens the first piece is right, so later failures are damage
                raise Misconfigured(f"{path} does not open with this passphrase.") from None
            raise Damaged(f"{path} is not what was written") from None
        number += 1


def _put(file: BinaryIO, key: bytes, salt: bytes, number: int, piece: bytes, *, last: bool) -> None:
    boxed = lock(key, piece, _context(salt, number, last=last))
    file.write((b"\x01" if last else b"\x00") + len(boxed).to_bytes(4, "big") + boxed)


def _context(salt: bytes, number: int, *, last: bool) -> bytes:
    # Bound to file, place and end, so that no piece can be moved, repeated or cut off.
    return bound(FORMAT, to_text(salt), str(number), "last" if last else "more")


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_SIZE, **HARD).derive(passphrase.encode())


__all__: Sequence[str] = ["SHORTEST", "read", "write"]
