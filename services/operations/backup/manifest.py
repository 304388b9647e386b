"""The manifest of a backup, and the check of a backup against it.

Invariant: a backup is its manifest and the files that it names, no more and no fewer; a folder without a manifest is none. Nothing here
needs a database, so that a backup can be checked in the place where it is kept.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.operations.backup.documents import Damaged, summarise
from services.settings import Misconfigured

NAME = "manifest.json"
Report = Callable[[str, int, int], None]  # label, number so far, expected number


class Strict(BaseModel):
    """A part of the manifest. Unknown fields are refused: a later version gave them a meaning that this one would ignore."""

    model_config = ConfigDict(extra="forbid")


class Collection(Strict):
    """One collection: its documents, their bytes before compression, the hash of those bytes, and its indexes as MongoDB lists them."""

    documents: int
    bytes: int
    sha256: str
    indexes: list[dict[str, Any]]


class Topic(Strict):
    """The part of a topic that Kafka had acknowledged: topic id, end offset by partition, and generation of the records."""

    id: str | None = None
    ends: dict[int, int] = {}
    generation: int = 0


class Part(Strict):
    """One service: the name of its database, its collections, and its topics."""

    database: str
    collections: dict[str, Collection]
    acknowledged: dict[str, Topic] = {}


class Manifest(Strict):
    """The manifest. `moment`: seconds and ordinal of the cluster time of all reads. `software`: version of the program that wrote it."""

    format: Literal[2] = 2  # 1 had documents with short field names, which no service reads any more
    made: datetime
    software: str
    mongo: str = Field(description="version of the server")
    replica_set: str | None
    moment: tuple[int, int]
    parts: dict[str, Part]

    @property
    def acknowledged(self) -> dict[str, Topic]:
        """The acknowledged topics of all services, by name. Topics of dead letters have several writers and are left out."""
        return {
            name: topic
            for part in self.parts.values()
            for name, topic in part.acknowledged.items()
            if not name.endswith(".dead")
        }

    @property
    def documents(self) -> int:
        """The number of documents in the whole backup."""
        return sum(held.documents for part in self.parts.values() for held in part.collections.values())

    def save(self, folder: Path) -> None:
        """Write the manifest, after all files that it names."""
        (folder / NAME).write_text(self.model_dump_json(indent=1))

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read the manifest of a folder. Misconfigured when there is none, or one of another format."""
        path = folder / NAME
        try:
            return cls.model_validate_json(path.read_text())
        except FileNotFoundError:
            raise Misconfigured(f"{folder} is no backup: it has no {NAME}.") from None
        except (ValidationError, UnicodeDecodeError) as error:
            raise Misconfigured(
                f"{path} is not the manifest of a backup that this version reads: {_first(error)}."
            ) from error


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "it is not text"
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg'].lower()}"


def file_of(folder: Path, service: str, collection: str) -> Path:
    """Name the file that has the documents of a collection."""
    return folder / service / f"{collection}.bson.gz"


def check(folder: Path, report: Report = lambda *_: None) -> Manifest:
    """Read a whole backup and compare it with its manifest. Damaged names the first file that differs."""
    manifest = Manifest.load(folder)
    named = {file_of(folder, service, each) for service, part in manifest.parts.items() for each in part.collections}
    # A file that no manifest names may be of another backup: loading by folder would mix the two.
    if unnamed := sorted(set(folder.rglob("*.bson.gz")) - named):
        raise Damaged(f"{unnamed[0]} is not in the manifest")
    for service, part in manifest.parts.items():
        for name, held in part.collections.items():
            found = summarise(file_of(folder, service, name))
            report(f"{service} {name}", found.documents, held.documents)
            if (found.documents, found.bytes, found.sha256) != (held.documents, held.bytes, held.sha256):
                raise Damaged(f"{file_of(folder, service, name)} is not what was written")
    return manifest
