"""Reads of who leads which group, from the read model of the assignments.

Invariant: a read asks a bounded number of rows by an index.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from services.contracts.leading import Lead

CHANGES = 50  # of the facilitator of one group, at most


class Reads(Protocol):
    """Reads of the live rows of the caller's programme."""

    async def page(
        self, projection: str, where: dict[str, Any], *, order: Sequence[tuple[str, int]], limit: int
    ) -> list[dict[str, Any]]: ...


async def leads_of(read: Reads, groups: Sequence[str]) -> dict[str, list[Lead]]:
    """The assignments of the facilitators of these groups, in their order."""
    found: dict[str, list[Lead]] = {each: [] for each in groups}
    if not groups:
        return found
    order = [("group", 1), ("since", 1)]
    limit = CHANGES * len(groups)
    rows = await read.page("leaders", {"group": {"$in": list(groups)}}, order=order, limit=limit)
    for row in sorted(rows, key=lambda each: int(each["order"])):
        found[row["group"]].append(Lead(facilitator=row["facilitator"], since=row["since"]))
    return found
