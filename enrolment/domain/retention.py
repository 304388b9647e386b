"""The day until which the data of a person are kept, by the months that the programme says for the step that they have reached.

Invariant: of several limits that apply, the earliest counts; a person who came back is judged by where they are now.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from enrolment.domain.way import Status


class Limit(StrEnum):
    """The kinds of limits, as the programme's file names them."""

    UNDECIDED = "undecided"
    DECLINED = "declined"
    LEFT = "left"
    ENDED = "ended"


OVER = {Status.DECLINED: Limit.DECLINED, Status.WITHDRAWN: Limit.LEFT}  # the limit of a way that has ended
GOING_ON = (Status.ADMITTED, Status.MERGED)  # limited by the end of the programme alone


def limit_of(status: Status) -> Limit | None:
    """The limit of this step, beside that of the programme's end; None for who takes part, and for who is erased."""
    if status is Status.ERASED or status in GOING_ON:
        return None
    return OVER.get(status, Limit.UNDECIDED)


def kept_until(
    status: Status, months: Mapping[Limit, int | None], since: Mapping[Limit, date | None]
) -> tuple[Limit, date] | None:
    """The limit that comes first, and the last day on which the data are kept; None when there is no limit. `since`: the day from which
    each counts; None: that day is not known."""
    if status is Status.ERASED:
        return None
    limits = {each for each in (Limit.ENDED, limit_of(status)) if each is not None}
    dated = [
        (after(day, number), limit)
        for limit in sorted(limits)
        if (number := months.get(limit)) is not None and (day := since.get(limit)) is not None
    ]
    until, limit = min(dated, default=(None, None))
    return (limit, until) if limit is not None and until is not None else None


def after(day: date, months: int) -> date:
    """The day so many months later; the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
