"""Indicators from rows: pure functions, the same to the last bit for the same rows.

Invariants: only people who consent to take part and to research, as the gate knows it, are computed, and unknown is not consent; sums
are exact (`math.fsum`), so that the order of rows cannot show. Counts are people unless named otherwise; durations are days; days and
months are local.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from math import fsum
from statistics import median
from typing import Any

from pydantic import BaseModel

from services.contracts.enrolment import Leaving
from services.programmes import Programme

Row = dict[str, Any]
BlockKey = tuple[str, str, str]  # instrument, wave, scale
Scored = dict[str, dict[str, float]]  # the score of each person, by side


class Mean(BaseModel):
    """A mean of scores. A cell that is not shown has a `note` alone. `note`: by language, one text for every mean that is shown and one
    for every other, so that it does not tell which rule decided."""

    n: int | None
    mean: float | None
    note: dict[str, str]


class Wave(BaseModel):
    """Means of one instrument, wave and scale, as they may be shown: people with a seat beside people who wait."""

    instrument: str
    wave: str
    scale: str
    seated: Mean
    waiting: Mean


class Response(BaseModel):
    """Surveys of one instrument and wave: asked for, answered, and of those the ones whose scores have arrived."""

    instrument: str
    wave: str
    invited: int
    submitted: int
    scored: int


class Referrals(BaseModel):
    """People whom one partner referred in one month (YYYY-MM)."""

    partner: str
    month: str
    referred: int


class Attended(BaseModel):
    """Lines of all roll-calls. `rate` is present over members, None before the first meeting."""

    members: int
    present: int
    rate: float | None


class Indicators(BaseModel):
    """Indicators of one programme. `took_part`: present at one meeting or more; `groups`: open seats per group; `means`: None when
    they were not asked for.

    `days_from_referral_to_first_meeting`: median days from the referral to the first day of the first seat, which can be before the first
    meeting. None when nobody had a seat."""

    programme: str
    referred: int
    referrals: list[Referrals]
    admitted: int
    declined: int
    seated: int
    waiting: int
    withdrawn: int
    found_work: int
    took_part: int
    groups: list[int]
    groups_running: int
    groups_concluded: int
    meetings_scheduled: int
    meetings_held: int
    attendance: Attended
    days_from_referral_to_first_meeting: float | None
    surveys: list[Response]
    means: list[Wave] | None
    targets: dict[str, int]


class Facts(BaseModel):
    """Rows of the four projections, of one programme. `consenting`: people who consent to take part and to research."""

    consenting: frozenset[str]
    path: list[Row]
    meetings: list[Row]
    attendance: list[Row]
    scores: list[Row]


def indicators(facts: Facts, rules: Programme, means: list[Wave] | None = None) -> Indicators:
    """Compute every figure from the rows, but for the `means`: what may be shown of them depends on what was shown before."""
    people, seats = _people(facts), _seats(facts)
    seated, waiting = _seated(people, seats), _waiting(people, seats)
    groups = Counter(row["group"] for row in seats if row["until"] is None)
    # The line of a person who was no member on that day after all does not count; older lines are all of members.
    attendance = [row for row in facts.attendance if row["person"] in people and row.get("member", True)]
    meetings = [row for row in facts.meetings if "session" in row and ("held" in row or "cancelled" not in row)]
    formed = [row for row in facts.meetings if "formed" in row]
    concluded = sum("concluded" in row for row in formed)
    scores = [row for row in facts.scores if row["person"] in people]
    gone = [row for row in people.values() if _ended(row, "withdrawn")]
    return Indicators(
        programme=rules.id,
        referred=len(people),
        referrals=_referrals(people.values(), rules),
        admitted=sum("admitted" in row for row in people.values()),
        declined=sum(_ended(row, "declined") for row in people.values()),
        seated=len(seated),
        waiting=len(waiting),
        withdrawn=len(gone),
        found_work=sum(_reason(row) == Leaving.FOUND_WORK for row in gone),
        took_part=len({row["person"] for row in attendance if row["present"]}),
        groups=sorted(groups.values()),
        groups_running=len(formed) - concluded,
        groups_concluded=concluded,
        meetings_scheduled=len(meetings),
        meetings_held=sum("held" in row for row in meetings),
        attendance=_attended(attendance),
        days_from_referral_to_first_meeting=_days_to_first_meeting(people, seats, rules),
        surveys=_responses(scores),
        means=means,
        targets=dict(sorted(rules.targets.items())),
    )


def scored(facts: Facts) -> dict[BlockKey, Scored]:
    """Return the scores behind each mean. People who neither have a seat nor wait are on no side."""
    people, seats = _people(facts), _seats(facts)
    sides = {"seated": _seated(people, seats), "waiting": _waiting(people, seats)}
    found: dict[BlockKey, Scored] = {}
    for row in facts.scores:
        if row["person"] in people:
            for scale, value in row.get("scores", {}).items():
                block = found.setdefault((row["instrument"], row["wave"], scale), {side: {} for side in sides})
                for side, members in sides.items():
                    if row["person"] in members:
                        block[side][row["person"]] = value
    return found


def _people(facts: Facts) -> dict[str, Row]:
    return {row["worker"]: row for row in facts.path if row.get("worker") in facts.consenting and "merged" not in row}


def _ended(row: Row, end: str) -> bool:
    """True for a person whose way has this end, and who has not come back since."""
    return end in row and not ("returned" in row and row["returned"] >= row[end])


def _seats(facts: Facts) -> list[Row]:
    people = _people(facts)
    return [row for row in facts.path if "member" in row and row["member"] in people]


def _seated(people: dict[str, Row], seats: Sequence[Row]) -> set[str]:
    return {row["member"] for row in seats if row["until"] is None and not _ended(people[row["member"]], "withdrawn")}


def _waiting(people: dict[str, Row], seats: Sequence[Row]) -> set[str]:
    seated = _seated(people, seats)
    return {id for id, row in people.items() if "waits" in row and row.get("unlisted") is None and id not in seated}


def _reason(row: Row) -> Any:
    """The reason of a withdrawal; what everybody may know of it, until the reason itself has arrived."""
    return row.get("reason", row.get("told"))


def _referrals(people: Iterable[Row], rules: Programme) -> list[Referrals]:
    counted = Counter((row["partner"], f"{rules.day_of(row['referred']):%Y-%m}") for row in people)
    return [
        Referrals(partner=partner, month=month, referred=number) for (partner, month), number in sorted(counted.items())
    ]


def _attended(attendance: Sequence[Row]) -> Attended:
    present = sum(row["present"] for row in attendance)
    rate = present / len(attendance) if attendance else None
    return Attended(members=len(attendance), present=present, rate=rate)


def _days_to_first_meeting(people: dict[str, Row], seats: Sequence[Row], rules: Programme) -> float | None:
    """Median over persons of the days from the local day of the referral to the first day of their first seat. Not the day of a meeting:
    a group has members before it meets."""
    first: dict[str, date] = {}
    for seat in seats:
        since = date.fromisoformat(seat["since"])
        first[seat["member"]] = min(since, first.get(seat["member"], since))
    days = [(since - rules.day_of(people[worker]["referred"])).days for worker, since in first.items()]
    return float(median(days)) if days else None


def _responses(scores: Sequence[Row]) -> list[Response]:
    asked = Counter((row["instrument"], row["wave"]) for row in scores)
    answered = Counter((row["instrument"], row["wave"]) for row in scores if "submitted" in row)
    arrived = Counter((row["instrument"], row["wave"]) for row in scores if "scores" in row)
    return [
        Response(instrument=i, wave=w, invited=n, submitted=answered[i, w], scored=arrived[i, w])
        for (i, w), n in sorted(asked.items())
    ]


def first_due(facts: Facts) -> dict[tuple[str, str], date]:
    """Return the first day on which anybody's survey was due, by instrument and wave; also of people who do not consent."""
    found: dict[tuple[str, str], date] = {}
    for row in facts.scores:
        if "due" in row:
            key, due = (row["instrument"], row["wave"]), date.fromisoformat(row["due"])
            found[key] = min(due, found.get(key, due))
    return found


def mean_of(values: Sequence[float]) -> float:
    """Return the mean, by an exact sum, so that the order of values cannot show. ZeroDivisionError for none."""
    return fsum(values) / len(values)
