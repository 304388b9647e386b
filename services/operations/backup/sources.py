"""A backup to read: the encrypted archive, or a folder in the clear of before encryption; and its check.

Invariants: a backup is read to its end and compared with its manifest before anything is written. A folder in the clear is read only
when the operator asks for it. Nothing here needs a database, so that a backup can be checked where it is kept.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Protocol

from services.operations.backup import archive
from services.operations.backup.documents import Damaged, Summary, cut, decode, read_gzip
from services.operations.backup.manifest import Manifest, Report
from services.settings import Misconfigured
from services.store.consents import Consents, Decision
from services.store.people import ErasedPerson
from services.vault import BackupKeys

MANIFEST = "manifest.json"
CLEAR = (
    "{} is a backup of before encryption: whoever has it reads scores, attendance and membership. With --clear it is restored all the "
    "same. Take a new backup afterwards, and destroy it."
)
Part = tuple[str, str, Iterable[bytes]]  # service, collection, documents: a collection may come in several parts


class Source(Protocol):
    """A backup that can be read several times."""

    path: Path

    def parts(self) -> Iterator[Part]:
        """Read all documents, collection by collection. Misconfigured when it does not open; Damaged."""

    def manifest(self) -> Manifest:
        """Return the manifest. An archive knows it once `parts` was read to the end. Misconfigured or Damaged without one."""


@dataclass(slots=True)
class Archive:
    """A backup in one encrypted file, and the keys that may open it."""

    path: Path
    keys: BackupKeys
    _manifest: bytes | None = None

    def parts(self) -> Iterator[Part]:
        """Read the pieces. The manifest is the last, so that an archive without it is known as incomplete."""
        for name, content in archive.read(self.path, self.keys):
            if name == MANIFEST:
                self._manifest = content
                continue
            service, _, rest = name.partition("/")
            yield service, rest.rpartition("/")[0], cut(io.BytesIO(content))

    def manifest(self) -> Manifest:
        """Read the manifest that came last."""
        if self._manifest is None:
            raise Damaged(f"{self.path} has no manifest: the backup was not finished")
        return Manifest.read(self._manifest, str(self.path))


@dataclass(slots=True)
class ClearFolder:
    """A backup of before encryption: one file for each collection, and the manifest beside them."""

    path: Path

    def parts(self) -> Iterator[Part]:
        """Read the files that the manifest names. Damaged when there is another one, which may be of another backup."""
        named = {
            self.path / service / f"{name}.bson.gz": (service, name)
            for service, part in self.manifest().parts.items()
            for name in part.collections
        }
        if unnamed := sorted(set(self.path.rglob("*.bson.gz")) - set(named)):
            raise Damaged(f"{unnamed[0]} is not in the manifest")
        for file, (service, name) in named.items():
            yield service, name, read_gzip(file)

    def manifest(self) -> Manifest:
        """Read the manifest beside the files. Misconfigured when there is none."""
        try:
            return Manifest.read((self.path / MANIFEST).read_bytes(), str(self.path))
        except FileNotFoundError:
            raise Misconfigured(f"{self.path} is no backup: it has no {MANIFEST}.") from None


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that is whole. `erased`: everybody in a register of it, as `programme/person`; `refusals`: by person, those that any gate
    of it knows."""

    manifest: Manifest
    erased: frozenset[str]
    refusals: Mapping[str, frozenset[Decision]]

    @property
    def tells_refusals(self) -> bool:
        """True when it has the decisions on consent: a register of an older version has none."""
        return any(Consents.collection in part.collections for part in self.manifest.parts.values())


def open_backup(path: Path, key: Path, *, clear: bool = False) -> Source:
    """Open a backup with the file of its key. Misconfigured when there is none, or it is in the clear and that was not asked for."""
    if path.is_dir() and not (path / MANIFEST).exists():
        raise Misconfigured(f"{path} is no backup.")
    if path.is_dir():
        if not clear:
            raise Misconfigured(CLEAR.format(path))
        return ClearFolder(path)
    if not path.is_file() or not archive.is_archive(path):
        raise Misconfigured(f"{path} is no backup.")
    return Archive(path, BackupKeys.load(key))


def check(source: Source, report: Report = lambda *_: None) -> Checked:
    """Read a whole backup and compare it with its manifest. Damaged names the first collection that differs."""
    found: dict[tuple[str, str], Summary] = {}
    erased: set[str] = set()
    refusals: dict[str, frozenset[Decision]] = {}
    for service, name, documents in source.parts():
        summary = found.setdefault((service, name), Summary())
        for each in documents:
            summary.add(each)
            if name == ErasedPerson.collection:
                erased.add(decode(each)["_id"])
            elif name == Consents.collection and (refused := _refused(each)):
                _id = decode(each)["_id"]
                refusals[_id] = refusals.get(_id, frozenset()) | refused
        report(f"{service} {name}", summary.documents, summary.documents)
    manifest = source.manifest()
    for service, part in manifest.parts.items():
        for name, held in part.collections.items():
            known = found.pop((service, name), Summary())
            if (known.documents, known.bytes, known.sha256) != (held.documents, held.bytes, held.sha256):
                raise Damaged(f"{service}/{name} in {source.path} is not what was written")
    if found:
        raise Damaged(f"{'/'.join(min(found))} in {source.path} is not in the manifest")
    return Checked(manifest, frozenset(erased), refusals)


def _refused(document: bytes) -> frozenset[Decision]:
    # A plain decoder gives times without a zone; they are in UTC.
    return frozenset(replace(each, at=each.at.replace(tzinfo=UTC)) for each in Consents.of(decode(document)).refusals())
