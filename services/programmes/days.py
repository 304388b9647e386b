"""Days of a programme: its period, its intake, and the days on which a group meets.

Invariant: a day is the programme's local day. A refusal names the day that is the limit.
"""

from datetime import date, timedelta

from services.kernel import Refused, in_order, in_time
from services.programmes.model import Programme


def since_start(rules: Programme, step: str, day: date) -> None:
    """Refuse a step before the programme starts. Refused("out-of-order")."""
    in_order(step, day, "the programme starts", min(rules.starts, rules.intake.opens))


def in_programme(rules: Programme, step: str, day: date) -> None:
    """Refuse a step on a day outside the programme. Refused("out-of-order"), or ("programme-over")."""
    since_start(rules, step, day)
    if day > rules.ends:
        raise Refused("programme-over", f"{step} ({day}) is after the end of {rules.id} ({rules.ends}).")


def in_intake(rules: Programme, step: str, day: date) -> None:
    """Refuse a step on a day outside the intake. Refused("out-of-order")."""
    in_order(step, day, "the intake opens", rules.intake.opens)
    in_time(step, day, "the intake closes", rules.intake.closes)


def meeting_days(rules: Programme, first: date) -> tuple[date, ...]:
    """The days of all meetings of a group that is formed now and first meets on that day. A holiday is passed over: the group meets as many
    times, and keeps its rhythm. The first day is the operator's choice."""
    found, day = [first], first
    while len(found) < rules.meetings:
        day += timedelta(days=rules.cadence_days)
        if not rules.is_holiday(day) or day > rules.ends:  # after the end no calendar matters: such a group is refused
            found.append(day)
    return tuple(found)
