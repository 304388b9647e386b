"""The manifest of a backup: its moment, its collections with counts and hashes, and what Kafka had acknowledged.

Invariant: a backup is its manifest and the documents that it names, no more and no fewer.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.settings import Misconfigured

Report = Callable[[str, int, int], None]  # label, number so far, expected number


class Strict(BaseModel):
    """A part of the manifest. Unknown fields are refused: a later version gave them a meaning that this one would ignore."""

    model_config = ConfigDict(extra="forbid")


class Collection(Strict):
    """One collection: its documents, their bytes, the hash of those bytes, and its indexes as MongoDB lists them."""

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
    """The manifest. `moment`: seconds and ordinal of the cluster time of all reads. `software`: version of the program that wrote it.
    `kind`: a register holds the erased persons and the gates' decisions on consent alone; one of before 0.2 the erased persons."""

    # 1 had documents with short field names, which no service reads any more; 2 was a folder of files in the clear.
    format: Literal[2, 3] = 3
    kind: Literal["backup", "register"] = "backup"
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

    @classmethod
    def read(cls, text: bytes, where: str) -> "Manifest":
        """Read a manifest. Misconfigured when it is one of another format; `where` names the backup."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Misconfigured(f"{where} has no manifest that this version reads: {_first(error)}.") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg'].lower()}"
