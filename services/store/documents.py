"""The base of the classes that own a collection: the names of a document's fields stand in one class and nowhere else.

Invariant: what `of` reads from a document is what `document` wrote. Fields that a class does not name are ignored, so that an older
program can read what a newer one wrote.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self

from services.store.mongo import Document, InsertOne, UpdateOne


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document of one collection. `id` is its `_id`."""

    collection: ClassVar[str]
    omitted: ClassVar[frozenset[str]] = frozenset()  # fields that are left out of the document when they are None

    id: str

    @classmethod
    def of(cls, document: Document) -> Self:
        """Read a document. TypeError when it lacks a field that has no default."""
        return cls(document["_id"], **{name: document[name] for name in cls._names() if name in document})

    def document(self) -> Document:
        """Return the document as it is stored."""
        document: Document = {"_id": self.id}
        for name in self._names():
            value = getattr(self, name)
            if value is not None or name not in self.omitted:
                document[name] = value
        return document

    def insert(self) -> InsertOne[Document]:
        """Return the write that inserts it."""
        return InsertOne(self.document())

    def upsert(self) -> UpdateOne:
        """Return the write that sets its fields, and makes the document when there is none."""
        document = self.document()
        return UpdateOne({"_id": document.pop("_id")}, {"$set": document}, upsert=True)

    @classmethod
    @cache
    def _names(cls) -> list[str]:
        return [field.name for field in fields(cls)[1:]]  # without `id`, which is the first
