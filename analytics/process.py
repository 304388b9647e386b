"""Figures of a programme that have no person behind them: groups, meetings, places and seats, beside its targets and its plan in time.

Invariant: no row about a person is read, and no count of people, so that everybody of the network may see them. The plan is a straight
line between the first and the last day of the programme. Days are local.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any

from services.contracts.grouping import Kind
from services.programmes import Programme

Row = dict[str, Any]
SEATS = "members"  # the target in people; seats are the part of it that has no person behind it


class Pace(StrEnum):
    """A figure beside the plan. `IN_LINE`: less than one away from the line."""

    NO_TARGET = "no-target"
    NOT_BEGUN = "not-begun"
    BEHIND = "behind"
    IN_LINE = "in-line"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Progress:
    """A figure and its target, None where the programme names none. `expected`: by the day of the figures, a part of the target."""

    reached: int
    target: int | None
    expected: float
    pace: Pace


@dataclass(frozen=True, slots=True)
class Calendar:
    """Meetings. `planned`: in the calendars, without those after the end of their group; `due`: those of them whose hour is past;
    `held`: with a roll-call; `missing`: due without one."""

    planned: int
    due: int
    held: int
    missing: int


@dataclass(frozen=True, slots=True)
class Line:
    """One group. `slot` and `place` are ids, `title` and `municipality` those of the place, None while it is not known here."""

    group: str
    kind: Kind
    slot: str
    place: str
    title: str | None
    municipality: str | None
    first: date
    concluded: date | None
    meetings: Calendar


@dataclass(frozen=True, slots=True)
class Plan:
    """The place of a day in the programme's time. `passed` of `days`, both ends included; `share` from 0 to 1."""

    today: date
    starts: date
    ends: date
    passed: int
    days: int

    @property
    def share(self) -> float:
        """The part of the time that is over."""
        return self.passed / self.days

    @classmethod
    def of(cls, rules: Programme, today: date) -> "Plan":
        """Return the plan of the programme on this day."""
        days = (rules.ends - rules.starts).days + 1
        passed = min(max((today - rules.starts).days + 1, 0), days)
        return cls(today, rules.starts, rules.ends, passed, days)


@dataclass(frozen=True, slots=True)
class Process:
    """The figures of one programme at one moment. `rooms`: groups that can meet at a time in the places; `used`: places in which a
    running group meets; `seats`: the most that the groups that were formed can take; `other`: targets that nothing here measures."""

    plan: Plan
    groups: Progress
    meetings: Progress
    seats: Progress
    running: int
    concluded: int
    homogeneous: int
    heterogeneous: int
    calendar: Calendar
    places: int
    rooms: int
    used: int
    lines: tuple[Line, ...]
    other: tuple[tuple[str, int], ...]


def process(meetings: Sequence[Row], places: Sequence[Row], rules: Programme, now: datetime) -> Process:
    """Compute the figures from the rows of `meetings` and `places`, for an aware moment."""
    plan = Plan.of(rules, rules.day_of(now))
    registered = {row["place"]: row for row in places}
    lines = _lines(meetings, registered, rules, now)
    running = [each for each in lines if each.concluded is None]
    kinds = Counter(each.kind for each in lines)
    calendar = _sum(each.meetings for each in lines)
    targets = dict(rules.targets)
    return Process(
        plan=plan,
        groups=_progress(len(lines), targets.pop("groups", None), plan),
        meetings=_progress(calendar.held, targets.pop("meetings", None), plan),
        seats=_progress(len(lines) * rules.sizes.max, targets.pop(SEATS, None), plan),
        running=len(running),
        concluded=len(lines) - len(running),
        homogeneous=kinds[Kind.HOMOGENEOUS],
        heterogeneous=kinds[Kind.HETEROGENEOUS],
        calendar=calendar,
        places=len(registered),
        rooms=sum(row["rooms"] for row in registered.values()),
        used=len({each.place for each in running}),
        lines=tuple(lines),
        other=tuple(sorted(targets.items())),
    )


def _progress(reached: int, target: int | None, plan: Plan) -> Progress:
    expected = (target or 0) * plan.share
    return Progress(reached, target, expected, _pace(reached, target, expected, plan))


def _pace(reached: int, target: int | None, expected: float, plan: Plan) -> Pace:
    """Compare whole figures with the line. What is reached counts as in line up to the next whole number on either side."""
    if target is None:
        return Pace.NO_TARGET
    if plan.passed == 0:
        return Pace.NOT_BEGUN
    if reached < floor(expected):
        return Pace.BEHIND
    return Pace.AHEAD if reached > ceil(expected) else Pace.IN_LINE


def _lines(meetings: Sequence[Row], places: dict[str, Row], rules: Programme, now: datetime) -> list[Line]:
    """Return the groups, those that began first at the front. A row of a group whose forming has not arrived is none yet."""
    of_group: dict[str, list[Row]] = {}
    for row in meetings:
        if "session" in row:
            of_group.setdefault(row["group"], []).append(row)
    lines = [
        _line(row, of_group.get(row["formed"], []), places.get(row["place"], {}), rules, now)
        for row in meetings
        if "formed" in row
    ]
    return sorted(lines, key=lambda each: (each.first, each.group))


def _line(row: Row, meetings: list[Row], place: Row, rules: Programme, now: datetime) -> Line:
    concluded = date.fromisoformat(row["concluded"]) if "concluded" in row else None
    return Line(
        group=row["formed"],
        kind=Kind(row["kind"]),
        slot=row["slot"],
        place=row["place"],
        title=place.get("title"),
        municipality=place.get("municipality"),
        first=date.fromisoformat(row["first"]),
        concluded=concluded,
        meetings=_calendar(meetings, concluded, rules, now),
    )


def _calendar(meetings: Iterable[Row], concluded: date | None, rules: Programme, now: datetime) -> Calendar:
    planned = [row for row in meetings if "held" in row or _is_waited_for(row, concluded, rules)]
    held = sum("held" in row for row in planned)
    due = sum("held" in row or row["starts"] <= now for row in planned)
    return Calendar(len(planned), due, held, due - held)


def _is_waited_for(row: Row, concluded: date | None, rules: Programme) -> bool:
    # Meetings after the end of a group are cancelled. Those of groups that ended before there was such an event are not.
    return "cancelled" not in row and (concluded is None or rules.day_of(row["starts"]) <= concluded)


def _sum(calendars: Iterable[Calendar]) -> Calendar:
    several = list(calendars)
    return Calendar(
        sum(each.planned for each in several),
        sum(each.due for each in several),
        sum(each.held for each in several),
        sum(each.missing for each in several),
    )
