"""Documents as bytes: read at one moment of the cluster, joined to pieces as mongodump writes them, and inserted again.

Invariant: memory holds a batch, never a collection. A count and a hash describe the documents of a collection, so that they can be
checked without a database. Works on PyMongo's synchronous objects in a thread, since it takes long and handles one document after
the other.
"""

import builtins
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from bson import decode, encode
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

# Undecoded, so that the hashed bytes are those of the server and documents come back equal.
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
AT_ONCE = 2_000  # documents, or
LARGEST = 8 * 1024 * 1024  # bytes, in one command
PIECE = 4 * 1024 * 1024  # bytes of a piece, and at most one document more
HEAD = 4  # a document begins with its length
Moment = Timestamp
__all__ = [
    "Damaged",
    "Moment",
    "Summary",
    "cut",
    "decode",
    "encode",
    "in_pieces",
    "insert",
    "read_gzip",
    "snapshot",
    "stream",
    "undecoded",
]


class Damaged(Exception):
    """A file differs from what was written."""


@dataclass(slots=True)
class Summary:
    """Number, size and hash of the documents of a collection."""

    documents: int = 0
    bytes: int = 0
    _digest: Any = field(default_factory=hashlib.sha256, repr=False)

    def add(self, document: builtins.bytes) -> None:
        """Add a document to the count, the size and the hash."""
        self.documents += 1
        self.bytes += len(document)
        self._digest.update(document)

    @property
    def sha256(self) -> str:
        """The hash of all documents, one after the other."""
        return str(self._digest.hexdigest())


def snapshot(database: Any) -> Moment:
    """Choose the latest cluster time that a majority has. All databases of the cluster can be read at it."""
    first = {"find": "outbox", "limit": 1, "singleBatch": True, "readConcern": {"level": "snapshot"}}
    moment: Moment = database.command(first)["cursor"]["atClusterTime"]
    return moment


def stream(
    database: Any, collection: str, moment: Moment, where: Mapping[str, Any] | None = None
) -> Iterator[RawBSONDocument]:
    """Read the documents as they were at that moment."""
    # By commands, since the driver lets nobody choose `atClusterTime`. One explicit session serves them all: without it the server refuses
    # the later ones under load.
    find = {
        "find": collection,
        "filter": where or {},
        "readConcern": {"level": "snapshot", "atClusterTime": moment},
    }
    # With causal consistency the driver sends `afterClusterTime`, which excludes `atClusterTime`.
    with database.client.start_session(causal_consistency=False) as session:
        cursor = database.command(find, codec_options=RAW, session=session)["cursor"]
        yield from cursor["firstBatch"]
        while cursor["id"]:
            more = {"getMore": cursor["id"], "collection": collection}
            cursor = database.command(more, codec_options=RAW, session=session)["cursor"]
            yield from cursor["nextBatch"]


def undecoded(collection: Any) -> Iterator[bytes]:
    """Read all documents of a collection as they are now."""
    for each in collection.with_options(codec_options=RAW).find():
        yield bytes(each.raw)


def in_pieces(
    documents: Iterable[RawBSONDocument], summary: "Summary", report: Callable[[int], None]
) -> Iterator[bytes]:
    """Join documents to pieces and sum them up; `report` is called with the number so far."""
    piece = bytearray()
    for each in documents:
        raw = bytes(each.raw)
        summary.add(raw)
        piece += raw
        if len(piece) >= PIECE:
            report(summary.documents)
            yield bytes(piece)
            piece.clear()
    report(summary.documents)
    if piece:
        yield bytes(piece)


def read_gzip(path: Path) -> Iterator[bytes]:
    """Read the documents of a file of before encryption, one by one. Raises Damaged."""
    try:
        with gzip.open(path, "rb") as file:
            yield from cut(BufferedReader(file, 1 << 20))
    except (OSError, EOFError, zlib.error) as error:
        raise Damaged(f"{path} cannot be read: {error}") from error


def cut(file: Any) -> Iterator[bytes]:
    """Cut a stream of concatenated documents. Raises Damaged at one that is incomplete."""
    while head := file.read(HEAD):
        length = int.from_bytes(head, "little")
        rest = file.read(length - HEAD)
        if length < HEAD or len(rest) != length - HEAD:
            raise Damaged("a document ends too early")
        yield head + rest


def insert(collection: Any, documents: Iterable[bytes], report: Callable[[int], None]) -> int:
    """Insert documents unchanged, in batches; returns their number."""
    inserted, batch, size = 0, list[RawBSONDocument](), 0
    for each in documents:
        batch.append(RawBSONDocument(each))
        size += len(each)
        if len(batch) == AT_ONCE or size > LARGEST:
            collection.insert_many(batch, ordered=False)
            inserted, batch, size = inserted + len(batch), [], 0
            report(inserted)
    if batch:
        collection.insert_many(batch, ordered=False)
    report(inserted + len(batch))
    return inserted + len(batch)
