"""The series of a group's meetings: where one more fits, and what one more would clash with. Pure rules about times.

Invariants: a group meets at most once a day; nobody leads two meetings at one time.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.kernel import Refused, in_order
from services.programmes import Programme, in_programme
from sessions.domain import Meeting, Roster


def fits(rules: Programme, roster: Roster, series: Sequence[Meeting], starts: datetime, itself: str | None) -> None:
    """Refuse a start of a meeting that its group cannot have. `series`: the meetings of the group; `itself`: the one that is moved.
    Refused("group-concluded"), ("out-of-order") before the group begins, ("programme-over"), ("same-day")."""
    day = rules.day_of(starts)
    if roster.concluded is not None:
        raise Refused("group-concluded", f"The group {roster.id} was concluded on {roster.concluded}.")
    in_programme(rules, "The session", day)
    if roster.begins is not None:
        in_order("The session", day, "the group begins", roster.begins)
    if any(each.day == day and each.id != itself and not each.cancelled for each in series):
        raise Refused("same-day", f"The group {roster.id} meets on {day} already.")


def clashes(rules: Programme, meetings: Sequence[Meeting], starts: datetime) -> list[Meeting]:
    """Those of these meetings that are on while one that starts then is on."""
    length = timedelta(minutes=rules.session_minutes)
    return [each for each in meetings if not each.cancelled and abs(each.starts - starts) < length]


def free_days(
    rules: Programme, series: Sequence[Meeting], others: Sequence[Meeting], starts: datetime, most: int = 3
) -> list[date]:
    """The next days after this start, weeks apart and at the same time, on which the group and its facilitator are free."""
    first, hour = rules.day_of(starts), rules.local(starts).time()
    found: list[date] = []
    for week in range(1, 27):
        day = first + timedelta(weeks=week)
        moment = datetime.combine(day, hour, rules.zone)
        if day > rules.ends or len(found) == most:
            break
        taken = any(each.day == day and not each.cancelled for each in series)
        if not taken and not rules.is_holiday(day) and not clashes(rules, others, moment):
            found.append(day)
    return found
