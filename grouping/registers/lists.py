"""Lists of places and facilitators from the read models, and single ones from the aggregates.

Invariant: a page of a list costs what is on it.
"""

from collections.abc import Sequence
from typing import Any

from grouping.domain import Facilitator, Place
from grouping.reading import Reads, Row
from services.kernel import Refusal, Refused
from services.store.work import Work

PAGE = 20  # rows of one page


async def places(read: Reads, page: int) -> tuple[list[Row], int]:
    """A page of the places by title, and the number of all."""
    order = [("title", 1), ("place", 1)]
    return await read.page("places", {}, order=order, limit=PAGE, skip=(page - 1) * PAGE), await read.count(
        "places", {}
    )


async def facilitators(read: Reads, page: int) -> tuple[list[str], int]:
    """The ids on a page of the facilitators, and the number of all."""
    order, skip = [("facilitator", 1)], (page - 1) * PAGE
    rows = await read.page("facilitators", {}, order=order, limit=PAGE, skip=skip)
    return [each["facilitator"] for each in rows], await read.count("facilitators", {})


async def described(work: Work, facilitators: Sequence[str]) -> list[dict[str, Any]]:
    """These facilitators as they are registered: where they live and when they are free is in the aggregates alone."""
    return [each.model_dump() for each in await work.several(Facilitator, facilitators)]


async def one_place(work: Work, place: str) -> tuple[Place, int]:
    """A place and its version. Refused("no-such-place", 404)."""
    found = await work.peek(Place, place)
    if found is None:
        raise Refused("no-such-place", f"There is no place {place}.", Refusal.NOT_FOUND)
    return found, work.version(found)


async def one_facilitator(work: Work, facilitator: str) -> tuple[Facilitator, int]:
    """A facilitator and their version. Refused("no-such-facilitator", 404)."""
    found = await work.peek(Facilitator, facilitator)
    if found is None:
        raise Refused("no-such-facilitator", f"There is no facilitator {facilitator}.", Refusal.NOT_FOUND)
    return found, work.version(found)
