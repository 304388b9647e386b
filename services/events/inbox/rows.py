"""Rows of a projection, as one transaction changes them.

Invariant: a row is set by facts, so that the same facts in any order and any number give the same row.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any

from services.store.mongo import DeleteOne, UpdateOne


class Rows:
    """Changes of one transaction to the rows of a projection. Implements `services.events.delivery.declare.Rows`."""

    def __init__(self) -> None:
        self.programme = ""
        self._facts: dict[str, dict[str, Any]] = {}
        self._dropped: set[str] = set()

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        """Replace these facts of the row. `person`: the erasure of this person deletes it."""
        new = {"programme": self.programme, **{name: _plain(value) for name, value in facts.items()}}
        self._facts.setdefault(f"{self.programme}/{key}", {}).update(new | ({"person": person} if person else {}))

    def drop(self, key: str) -> None:
        """Delete the row; facts that this transaction set before are forgotten."""
        self._facts.pop(f"{self.programme}/{key}", None)
        self._dropped.add(f"{self.programme}/{key}")

    def removals(self) -> list[Any]:
        """The deletions, to be written before `writes`."""
        return [DeleteOne({"_id": key}) for key in sorted(self._dropped)]

    def writes(self) -> list[Any]:
        """The facts, to be written last, so that a row may be set again after it was dropped."""
        return [UpdateOne({"_id": key}, {"$set": facts}, upsert=True) for key, facts in self._facts.items()]


def _plain(value: Any) -> Any:
    """The value as BSON stores it: a day as its ISO text, an enumeration as its value."""
    if isinstance(value, Enum):
        return value.value
    # A datetime is also a date, and BSON stores it as it is.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(each) for each in value]
    return value
