"""Reads of the groups and of the pool in figures, from the read models."""

from collections import Counter
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple, Protocol


class ReadRows(Protocol):
    """A read of the live rows of a projection in the caller's programme."""

    def __call__(self, projection: str, where: dict[str, Any] | None = None, /) -> Awaitable[list[dict[str, Any]]]: ...


async def groups(rows: ReadRows, facilitator: str | None = None) -> list[dict[str, Any]]:
    """The groups with the number of their members, oldest first: all of them, or those of one facilitator."""
    sitting = Counter(row["group"] for row in await rows("pool") if _is_seat(row))
    own: dict[str, Any] = {} if facilitator is None else {"facilitator": facilitator}
    return [{**row, "members": sitting[row["group"]]} for row in await rows("groups", own)]


class Figures(NamedTuple):
    """Numbers of people. Those held back until a day are among the waiting."""

    waiting: int
    held_back: int
    seated: int


async def figures(rows: ReadRows) -> Figures:
    """The people who came into the pool and have not left it."""
    pool = await rows("pool")
    sitting = {row["member"] for row in pool if _is_seat(row)}
    there = [row for row in pool if "waits" in row and "gone" not in row]
    waiting = [row for row in there if row["worker"] not in sitting]
    held_back = sum(row.get("not_before") is not None for row in waiting)
    return Figures(len(waiting), held_back, len(there) - len(waiting))


def _is_seat(row: Mapping[str, Any]) -> bool:
    """Tell whether the row is a seat that was not given up."""
    return "group" in row and row.get("left") is None
