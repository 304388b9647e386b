"""The facilitator of a group on a day, by its assignments, and what of it they may see.

Invariant: of two assignments of one day the later one counts. Whoever was replaced sees nothing more from the day of the change on.
"""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel


class Lead(BaseModel):
    """From this day on the facilitator leads the group."""

    facilitator: str
    since: date


def leader_on(leads: Sequence[Lead], day: date) -> str | None:
    """The facilitator of that day; None before the first one. `leads`: in the order in which they were assigned."""
    return next((each.facilitator for each in reversed(_by_day(leads)) if each.since <= day), None)


def may_see(leads: Sequence[Lead], facilitator: str, on: date, today: date) -> bool:
    """True when this facilitator leads the group on that day, and has not been replaced by today."""
    return all(leader_on(leads, day) == facilitator for day in {on, max(on, today)})


def leads_from(leads: Sequence[Lead], facilitator: str, today: date) -> bool:
    """True when this facilitator leads the group today, or will from a later day on, so that they can prepare."""
    days = {today, *(each.since for each in leads if each.since > today)}
    return any(leader_on(leads, day) == facilitator for day in days)


def periods_of(leads: Sequence[Lead], facilitator: str, first: date, last: date) -> list[tuple[date, date]]:
    """The first and last days of the times between two days in which this facilitator leads the group."""
    starts = sorted({first, *(each.since for each in leads if first < each.since <= last)})
    ends = [*(_before(each) for each in starts[1:]), last]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if leader_on(leads, start) == facilitator]


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _by_day(leads: Sequence[Lead]) -> list[Lead]:
    return sorted(leads, key=lambda each: each.since)
