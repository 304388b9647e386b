"""Lists of meetings and groups from the read models. They hold no person.

Invariant: each list asks a bounded number of rows by an index, whatever the number of groups.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from services.contracts.leading import Lead, leads_from
from sessions.leading import leads_of

PAGE = 20  # rows of one page
GROUPS = 50  # of one facilitator, at most
MEETINGS = 200  # of one group, at most, as a programme allows

Row = dict[str, Any]


class Reads(Protocol):
    """Reads of the live rows of the caller's programme."""

    programme: str

    async def page(
        self, projection: str, where: Row, *, order: Sequence[tuple[str, int]], limit: int, skip: int = 0
    ) -> list[Row]: ...

    async def count(self, projection: str, where: Row) -> int: ...


class View(StrEnum):
    """The views of the list of meetings: the roll is missing, they are to come, or they were held."""

    MISSING = "da-segnare"
    COMING = "prossimi"
    PAST = "passati"


class Page(NamedTuple):
    """Rows of one page, and the number of all."""

    rows: list[Row]
    total: int


def _wanted(view: View, now: datetime) -> tuple[Row, int]:
    """Filter and direction of a view: what waits longest, and what comes next, is first; of what is past, the latest."""
    if view is View.PAST:
        return {"state": "held"}, -1
    return {"state": "open", "starts": {"$lte" if view is View.MISSING else "$gt": now}}, 1


async def meetings_in(read: Reads, view: View, now: datetime, page: int = 1, size: int = PAGE) -> Page:
    """A page of a view, from 1."""
    where, direction = _wanted(view, now)
    rows = await read.page(
        "meetings", where, order=[("starts", direction), ("session", direction)], limit=size, skip=(page - 1) * size
    )
    return Page(rows, await read.count("meetings", where))


async def count_of(read: Reads, view: View, now: datetime) -> int:
    """The number of meetings in a view."""
    return await read.count("meetings", _wanted(view, now)[0])


async def meetings_of(read: Reads, groups: Sequence[str], *, cancelled: bool = False) -> dict[str, list[Row]]:
    """The meetings of these groups by date. `cancelled`: also those that were cancelled alone, while their group goes on."""
    found: dict[str, list[Row]] = {each: [] for each in groups}
    where = {"group": {"$in": list(groups)}}
    order = [("group", 1), ("number", 1)]
    for row in await read.page("meetings", where, order=order, limit=MEETINGS * max(1, len(groups))):
        alone = cancelled and row.get("state") == "cancelled" and row.get("reason") != "ended"
        if (row.get("state") in {"open", "held"} or alone) and "starts" in row:
            found[row["group"]].append(row)
    return {group: sorted(rows, key=lambda each: each["starts"]) for group, rows in found.items()}


async def meetings_at(read: Reads, place: str, since: datetime, until: datetime) -> list[Row]:
    """The meetings at a place that start between two moments and were not cancelled."""
    where = {"place": place, "starts": {"$gt": since, "$lt": until}}
    found = await read.page("meetings", where, order=[("starts", 1)], limit=PAGE)
    return [each for each in found if each.get("state") != "cancelled"]


async def led_by_them(read: Reads, facilitator: str, today: date) -> list[tuple[Row, list[Lead]]]:
    """The groups that this facilitator leads today, or from a later day on, with their assignments; those that meet first."""
    latest = [("since", -1)]
    assigned = await read.page("leaders", {"facilitator": facilitator}, order=latest, limit=GROUPS)
    leads = await leads_of(read, sorted({each["group"] for each in assigned}))
    theirs = [group for group, some in leads.items() if leads_from(some, facilitator, today)]
    found = list((await groups_named(read, theirs)).values())
    found.sort(key=lambda each: str(each["first"]), reverse=True)
    return [(each, leads[each["group"]]) for each in sorted(found, key=lambda each: each["concluded"] is not None)]


def _whole(led: Row) -> Row:
    """A row of `led` with every field, and its last day as a day: rows hold days as text, and fields that an event has set."""
    last = led.get("concluded")
    return {"meetings": None, **led, "concluded": date.fromisoformat(last) if last else None}


async def groups_named(read: Reads, groups: Iterable[str]) -> dict[str, Row]:
    """These groups by id, with slot and place."""
    found = await _named(read, "led", groups)
    return {id: _whole(each) for id, each in found.items() if "slot" in each}


async def places_named(read: Reads, places: Iterable[str]) -> dict[str, Row]:
    """These places by id, with title and address."""
    return await _named(read, "places", places)


async def _named(read: Reads, projection: str, ids: Iterable[str]) -> dict[str, Row]:
    keys = sorted({f"{read.programme}/{each}" for each in ids})
    if not keys:
        return {}
    found = await read.page(projection, {"_id": {"$in": keys}}, order=[("_id", 1)], limit=len(keys))
    return {each["_id"].partition("/")[2]: each for each in found}
