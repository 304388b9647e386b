"""The file of a backup: a tar archive of pieces, encrypted as a whole in the age format.

Invariants: nothing of it is readable without the key, names and sizes of its parts included. Its own size is a multiple of STEP, so
that one person more or less does not show. It is not compressed, since a compressed size would tell of its content. Memory holds
a piece, never a collection. A file that was cut, reordered, exchanged in part or changed in any bit is `Damaged`.
"""

import os
import tarfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from services.operations.backup.documents import Damaged
from services.settings import Misconfigured
from services.vault import BackupKeys, Unopenable

STEP = 1 << 20  # bytes
Piece = tuple[str, bytes]  # name, content
_MAGIC = b"age-encryption.org/"


def is_archive(path: Path) -> bool:
    """Tell if a file begins as an encrypted backup does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def write(path: Path, keys: BackupKeys, pieces: Iterable[Piece]) -> None:
    """Write pieces into a new file that only its owner can read, and onto the disk. FileExistsError; OSError for a full disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        keys.encrypt(_Readable(_tar(pieces)), file)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, keys: BackupKeys) -> Iterator[Piece]:
    """Read the pieces in their order. Misconfigured for another key; Damaged, at the latest after the last piece."""
    with path.open("rb") as file:
        yield from _untar(file, keys, path)


def _tar(pieces: Iterable[Piece]) -> Generator[bytes, None, None]:
    written = 0
    for name, content in pieces:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o600
        head, filling = entry.tobuf(tarfile.GNU_FORMAT), bytes(-len(content) % tarfile.BLOCKSIZE)
        written += len(head) + len(content) + len(filling)
        yield head
        yield content
        yield filling
    end = 2 * tarfile.BLOCKSIZE  # zeros, as many more as fill the step
    yield bytes(end + -(written + end) % STEP)


def _untar(file: BinaryIO, keys: BackupKeys, path: Path) -> Iterator[Piece]:
    opening = _Opening(file, keys)
    try:
        with tarfile.open(fileobj=opening.clear, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None:
                    raise Damaged(f"{path} holds something else than a backup")
                yield entry.name, content.read()
                tar.members.clear()  # type: ignore[attr-defined]  # it would remember every piece
        # To the end: the last chunk proves that nothing was cut off, and the archive's own end comes before it.
        while opening.clear.read(STEP):
            pass
    except tarfile.TarError as error:
        opening.close()
        raise Damaged(f"{path} is no backup: {error}") from error
    finally:
        opening.close()


class _Opening:
    """A decryption under way in a thread, since the library pushes what the reader of an archive pulls. `close` raises its error."""

    def __init__(self, file: BinaryIO, keys: BackupKeys) -> None:
        reading, writing = os.pipe()
        self.clear = os.fdopen(reading, "rb", STEP)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, args=(file, writing, keys), daemon=True)
        self._thread.start()
        self._path = file.name

    def _run(self, file: BinaryIO, writing: int, keys: BackupKeys) -> None:
        try:
            with os.fdopen(writing, "wb", STEP) as into:
                keys.decrypt(file, into)
        except BrokenPipeError:
            pass  # the reader has closed its end: it has what it wanted, or an error of its own
        except BaseException as error:  # noqa: BLE001  # `close` raises it in the caller's thread
            self._error = error

    def close(self) -> None:
        """End the thread. Misconfigured or Damaged when the file did not open."""
        with suppress(OSError):
            self.clear.close()
        self._thread.join()
        error, self._error = self._error, None
        if isinstance(error, Unopenable):
            raise Damaged(f"{self._path} is not what was written") from error
        if error is not None:
            raise error


class _Readable:
    """A generator of bytes as a stream."""

    def __init__(self, parts: Generator[bytes, None, None]) -> None:
        self._parts, self._held = parts, bytearray()

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        while size < 0 or len(self._held) < size:
            part = next(self._parts, None)
            if part is None:
                break
            self._held += part
        size = len(self._held) if size < 0 else size
        found = bytes(self._held[:size])
        del self._held[:size]
        return found


def refuse_beside(path: Path, keys: BackupKeys) -> None:
    """Raise Misconfigured when the key would lie in the folder of the backup: who copies the folder would have both."""
    if keys.path.resolve().parent == path.resolve().parent:
        raise Misconfigured(f"The key {keys.path} is in the folder of the backup: keep the two apart.")
