"""What a backup says of itself, and whether it is still what it says.

Invariant: a backup is its manifest and the files that it names, no more and no fewer; a folder without a manifest is none. Nothing here
needs a database, so that a backup can be checked where it is kept.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.operations.backup.documents import Damaged, look
from services.settings import Misconfigured

NAME = "manifest.json"
Report = Callable[[str, int, int], None]  # of what, how many documents so far, of how many


class Said(BaseModel):
    """Of the manifest or a part of it. Unknown fields are refused: they would mean something."""

    model_config = ConfigDict(extra="forbid")


class Held(Said):
    """One collection: its documents, their bytes before compression, the hash of those bytes, and its indexes as MongoDB lists them."""

    documents: int
    bytes: int
    sha256: str
    indexes: list[dict[str, Any]]


class Topic(Said):
    """What Kafka had acknowledged of a topic: its id, the end of each partition, and the generation of its records."""

    id: str | None = None
    ends: dict[int, int] = {}
    generation: int = 0


class Part(Said):
    """One service: the database that it was taken from, and its collections."""

    database: str
    collections: dict[str, Held]
    acknowledged: dict[str, Topic] = {}


class Manifest(Said):
    """`moment`: seconds and ordinal of the cluster time at which everything was read. `software`: what wrote it."""

    format: Literal[1] = 1
    made: datetime
    software: str
    mongo: str = Field(description="version of the server")
    replica_set: str | None
    moment: tuple[int, int]
    parts: dict[str, Part]

    @property
    def acknowledged(self) -> dict[str, Topic]:
        """By topic. Dead letters' topics, which all write, are left out."""
        return {
            name: topic
            for part in self.parts.values()
            for name, topic in part.acknowledged.items()
            if not name.endswith(".dead")
        }

    @property
    def documents(self) -> int:
        """All there are."""
        return sum(held.documents for part in self.parts.values() for held in part.collections.values())

    def save(self, folder: Path) -> None:
        """Write it, last of all."""
        (folder / NAME).write_text(self.model_dump_json(indent=1))

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Misconfigured when there is none, or one of another format."""
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
    told = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, told['loc'])) or 'it'}: {told['msg'].lower()}"


def file_of(folder: Path, service: str, collection: str) -> Path:
    """Where the documents of a collection are."""
    return folder / service / f"{collection}.bson.gz"


def check(folder: Path, report: Report = lambda *_: None) -> Manifest:
    """Read all of it and compare. Raises Damaged, naming the first file that is not what the manifest says."""
    manifest = Manifest.load(folder)
    named = {file_of(folder, service, each) for service, part in manifest.parts.items() for each in part.collections}
    if strangers := sorted(set(folder.rglob("*.bson.gz")) - named):
        raise Damaged(f"{strangers[0]} is not in the manifest")
    for service, part in manifest.parts.items():
        for name, held in part.collections.items():
            found = look(file_of(folder, service, name))
            report(f"{service} {name}", found.documents, held.documents)
            if (found.documents, found.bytes, found.sha256) != (held.documents, held.bytes, held.sha256):
                raise Damaged(f"{file_of(folder, service, name)} is not what was written")
    return manifest
