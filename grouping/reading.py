"""Bounded reads of the read models, for the pages of grouping."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

Row = dict[str, Any]


class Reads(Protocol):
    """Reads of the live rows of the caller's programme."""

    programme: str

    async def page(
        self, projection: str, where: Row, *, order: Sequence[tuple[str, int]], limit: int, skip: int = 0
    ) -> list[Row]: ...

    async def count(self, projection: str, where: Row) -> int: ...


def dated(row: Row) -> Row:
    """The row with its days as days: rows hold them as text."""
    days = {name: date.fromisoformat(row[name]) for name in ("first", "concluded", "since") if row.get(name)}
    return {**row, **days}


async def named(read: Reads, projection: str, ids: Iterable[str]) -> dict[str, Row]:
    """Rows of a projection by id."""
    keys = sorted({f"{read.programme}/{each}" for each in ids})
    if not keys:
        return {}
    found = await read.page(projection, {"_id": {"$in": keys}}, order=[("_id", 1)], limit=len(keys))
    return {each["_id"].partition("/")[2]: each for each in found}
