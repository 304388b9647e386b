"""Lists of groups, and of who waits, from the read models.

Invariant: each list asks a bounded number of rows by an index, whatever the size of the programme.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from grouping.reading import Reads, Row, dated

PAGE = 20  # rows of one page
LONG = timedelta(days=30)  # of waiting, after which the page of today names a person
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """Rows of one page, and the number of all."""

    rows: list[Row]
    total: int


async def groups_that_meet(read: Reads, page: int = 1) -> Page:
    """The groups that are not concluded, those that first meet last on top."""
    where: Row = {"concluded": None, "first": {"$gt": ""}}
    return await _page(read, where, [("first", -1), ("group", -1)], page)


async def groups_concluded(read: Reads, page: int = 1) -> Page:
    """The concluded groups, the last one on top."""
    return await _page(read, {"concluded": {"$gt": ""}}, [("concluded", -1), ("first", -1), ("group", -1)], page)


async def groups_too_small(read: Reads, least: int, size: int = PAGE) -> Page:
    """The groups that meet with less than so many members, the smallest first."""
    where: Row = {"concluded": None, "members": {"$lt": least}}
    return await _page(read, where, [("members", 1), ("group", 1)], 1, size)


async def _page(read: Reads, where: Row, order: Sequence[tuple[str, int]], page: int, size: int = PAGE) -> Page:
    rows = await read.page("group_list", where, order=order, limit=size, skip=(page - 1) * size)
    return Page([dated(each) for each in rows], await read.count("group_list", where))


async def waiting_longest(read: Reads, size: int, before: datetime | None = None) -> Page:
    """Those who wait without a seat, the longest first: all of them, or those who wait since a time `before` that."""
    since: Row = {"$gt": BEGINNING} if before is None else {"$gt": BEGINNING, "$lte": before}
    where: Row = {"seat": None, "waits": since}
    rows = await read.page("waiting", where, order=[("waits", 1), ("worker", 1)], limit=size)
    seated = await seats_of(read, [each["worker"] for each in rows])
    # Whoever left one group and joined another may still be among them, see the projection.
    return Page([each for each in rows if each["worker"] not in seated], await read.count("waiting", where))


async def seats_of(read: Reads, workers: Sequence[str]) -> dict[str, Row]:
    """The present seat of each of these workers who has one."""
    where: Row = {"person": {"$in": list(workers)}, "left": None, "group": {"$gt": ""}}
    found = await read.page("pool", where, order=[("person", 1)], limit=10 * max(1, len(workers)))
    return {each["member"]: dated(each) for each in found if "member" in each}
