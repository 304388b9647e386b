"""The keys of backups: an age identity file (age-encryption.org/v1, X25519), as `age-keygen` writes one, the newest last.

Invariants: the newest key encrypts, and all of them decrypt. The public half stays in this file: a backup does not show it, so nobody
without the file can make one that opens. pyrage is imported here alone; `age -d -i FILE` opens the same backups. The stream is
authenticated in chunks of 64 KiB that know their place and which is the last: what comes out of `decrypt` was put into `encrypt`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from pyrage import DecryptError, EncryptError, IdentityError, decrypt_io, encrypt_io
from pyrage.x25519 import Identity

from services.settings import Misconfigured
from services.vault.files import alone, read_text, write_text
from services.vault.sealing import Unopenable

FILE = "backup.agekey"
PUT_BACK = "put it back from its own backup, or name it with --key"
_KEY = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+")
_MADE = "# created: "


class Reader(Protocol):
    """The readable end of a stream."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""


class Writer(Protocol):
    """The writable end of a stream."""

    def write(self, content: bytes, /) -> int:
        """Take all of it."""

    def flush(self) -> None:
        """Pass on what is held."""


class BackupKeys:
    """The identities of one file."""

    def __init__(self, path: Path, identities: list[Identity]) -> None:
        self.path, self._identities = path, identities

    def __repr__(self) -> str:
        return f"<BackupKeys {self.path}>"

    @classmethod
    def load(cls, path: Path, remedy: str = PUT_BACK) -> Self:
        """Read a file. Misconfigured when it is missing, with the `remedy`, or holds no usable key."""
        if not path.exists():
            raise Misconfigured(f"There is no key of backups {path}: {remedy}.")
        return cls(path, [identity for _, identity in _entries(path)])

    def encrypt(self, source: Reader, into: BinaryIO) -> None:
        """Encrypt a stream to its end. An error of either end is raised as it was."""
        read, write = _Watched(source.read), _Watched(into.write)
        try:
            encrypt_io(_End(read=read), _End(write=write, flush=into.flush), [self._identities[-1].to_public()])
        except EncryptError as error:
            # The library keeps the text of an error alone.
            raise read.error or write.error or error from None

    def decrypt(self, source: BinaryIO, into: Writer) -> None:
        """Decrypt a stream to its end. Misconfigured when it is for another key; Unopenable when it is damaged, or no such stream."""
        read, write = _Watched(source.read), _Watched(into.write)
        try:
            decrypt_io(_End(read=read), _End(write=write, flush=into.flush), self._identities)
        except (DecryptError, OSError) as error:
            if (own := read.error or write.error) is not None:
                raise own from None
            if "No matching keys" in str(error):
                raise Misconfigured(
                    f"None of the keys in {self.path} opens it: name the file of its key with --key."
                ) from None
            raise Unopenable(str(error)) from None


def make_backup_key(folder: Path) -> None:
    """Make the file unless it exists. The caller holds the folder with `alone`."""
    if not (folder / FILE).exists():
        write_text(folder / FILE, _entry(Identity.generate()))


def rotate_backup_key(folder: Path) -> str:
    """Add a key, which encrypts from now on; return its id. Misconfigured when there is none before it."""
    path = folder / FILE
    if not path.exists():
        raise Misconfigured(f"There is no {FILE} in {folder} to rotate: `ama keys make {folder}` makes it.")
    with alone(folder):
        _entries(path)  # raises Misconfigured for an unusable file, instead of keeping it
        added = Identity.generate()
        write_text(path, f"{read_text(path).rstrip()}\n{_entry(added)}")
    return key_id(added)


def list_backup_keys(path: Path) -> Iterable[tuple[str, datetime | None]]:
    """Return the id of each key and the time at which it was made, if the file tells it."""
    return [(key_id(identity), made) for made, identity in _entries(path)]


def key_id(identity: Identity) -> str:
    """Return a name of the key that tells nothing of it."""
    return hashlib.sha256(f"ama backup {identity.to_public()}".encode()).hexdigest()[:12]


def _entry(identity: Identity) -> str:
    return f"{_MADE}{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{identity}\n"


def _entries(path: Path) -> list[tuple[datetime | None, Identity]]:
    found: list[tuple[datetime | None, Identity]] = []
    made = None
    for line in read_text(path).splitlines():
        if line.startswith(_MADE):
            made = _time(line.removeprefix(_MADE))
        elif _KEY.fullmatch(line.strip()):
            found.append((made, _identity(line.strip(), path)))
            made = None
        elif line.strip() and not line.startswith("#"):
            raise Misconfigured(f"Key file {path} is no file of age keys.")
    if not found:
        raise Misconfigured(f"Key file {path} holds no key.")
    return found


def _identity(text: str, path: Path) -> Identity:
    try:
        return Identity.from_str(text)
    except IdentityError:
        pass
    # Outside of the `except`, so that the library's error is no cause: it may quote the key.
    raise Misconfigured(f"Key file {path} holds a key that is no age key.")


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


class _Watched:
    """A call of one end of a stream, and the error that it raised."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.error: BaseException | None = None

    def __call__(self, *args: Any) -> Any:
        try:
            return self._call(*args)
        except BaseException as error:
            self.error = error
            raise


class _End:
    """An object with these methods, as pyrage asks for one."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        self.__dict__.update(methods)
