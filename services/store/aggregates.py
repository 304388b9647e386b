"""Aggregates as documents, and as one transaction holds them.

Invariant: a write names the version that was read, so that it matches nothing when another transaction changed the aggregate meanwhile.
A collection has the name of its aggregate's noun.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.kernel import Aggregate
from services.store.documents import StoredDocument
from services.store.mongo import DeleteOne, Document, InsertOne, ReplaceOne, UpdateOne

SEVERAL = (list, tuple, set, frozenset)  # types that hold several values


class SilentChange(Exception):
    """A defect in a rule: the state of an aggregate changed and no event was recorded. Nothing is stored."""


@dataclass(frozen=True, slots=True)
class AggregateDocument(StoredDocument):
    """An aggregate as it is stored. `version` counts its changes from 1; `sequences` holds the last sequence of its subject by topic.
    MongoDB keeps a further field, `guard`, which counts the transactions that only read the aggregate."""

    programme: str
    version: int
    sequences: dict[str, int]
    state: Document


@dataclass(slots=True)
class HeldAggregate:
    """An aggregate and the document that it was read from. The version 0 means that it is not stored yet.

    `guarded`: a decision rests on it, so it is written even if it did not change.
    """

    aggregate: Aggregate
    read: AggregateDocument
    guarded: bool = True
    removed: bool = False

    @classmethod
    def new(cls, aggregate: Aggregate, programme: str) -> "HeldAggregate":
        """Hold an aggregate that is not stored yet."""
        return cls(aggregate, AggregateDocument(f"{programme}/{aggregate.id}", programme, 0, {}, {}))

    @property
    def version(self) -> int:
        """The version that was read."""
        return self.read.version

    @property
    def matches_on_write(self) -> bool:
        """True when its write changes a document that exists, and so has to match one. A deletion is not counted."""
        # The `matched_count` of a bulk write does not include deletions.
        return self.version > 0 and not self.removed

    def unchanged(self) -> bool:
        """Compare it with what was read."""
        # A new one must be inserted, also when it equals the defaults of its class.
        if self.version == 0:
            return False
        # What is stored may lack a field that its class has by now. Validation fills it in, and is slower.
        state, stored = self.aggregate.model_dump(mode="json"), self.read.state
        return state == stored or state == type(self.aggregate).model_validate(stored).model_dump(mode="json")

    def next_sequence(self, topic: str, known: int) -> int:
        """Give the next sequence of its subject in a topic. `known`: the last one that is on the bus, or 0."""
        # After a restore the bus may be ahead of this document. No sequence may be given twice.
        following = max(self.read.sequences.get(topic, 0), known) + 1
        self.read.sequences[topic] = following
        return following

    def write(self, *, recorded: bool, silently: bool) -> Any:
        """Return the write that stores it. `recorded`: it has recorded an event. `silently`: it may change without one, or SilentChange."""
        stored = {"_id": self.read.id, "version": self.version}
        if self.removed:
            return DeleteOne(stored)
        if not recorded and self.unchanged():
            # Snapshot isolation lets two transactions decide on the same reading; a write makes them conflict.
            # A counter, because MongoDB skips a write that changes nothing, and would see no conflict.
            return UpdateOne(stored, {"$inc": {"guard": 1}})
        if not (recorded or silently):
            raise SilentChange(f"{type(self.aggregate).__name__} {self.aggregate.id} changed without an event")
        state = self.aggregate.model_dump(mode="json")
        changed = AggregateDocument(
            self.read.id, self.read.programme, self.version + 1, self.read.sequences, state
        ).document()
        return ReplaceOne(stored, changed) if self.version else InsertOne(changed)


def state_query(programme: str, fields: Document) -> Document:
    """Return MongoDB's query for aggregates with these field values. `a__b` means field b of a; a list means any of its values."""
    wanted = {f"state.{name.replace('__', '.')}": value for name, value in fields.items()}
    any_of = {name: {"$in": sorted(value)} if isinstance(value, SEVERAL) else value for name, value in wanted.items()}
    return {"programme": programme, **any_of}


def matches(aggregate: Aggregate, fields: Document) -> bool:
    """Apply `state_query` to an aggregate in memory. As in MongoDB, a field of a list of parts matches when that of any part does."""
    return all(_matches_one(aggregate, name.split("__"), wanted) for name, wanted in fields.items())


def _matches_one(aggregate: Aggregate, path: list[str], wanted: Any) -> bool:
    found: list[Any] = [aggregate]
    for step in path:
        found = [part for each in found for part in _parts(getattr(each, step))]
    return any(each in wanted if isinstance(wanted, SEVERAL) else each == wanted for each in found)


def _parts(value: Any) -> Iterable[Any]:
    return value if isinstance(value, SEVERAL) else [value]
