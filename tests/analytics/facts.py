"""Hand-made rows of the four projections, in plain dicts as the store keeps them: days are ISO texts, moments are aware datetimes."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from analytics.indicators import Facts, Indicators, Row, indicators
from services.programmes import load_all

RULES = load_all()["monza-brianza"]
OCTOBER = datetime(2026, 10, 5, 9, tzinfo=UTC)


def worker(id: str, **changes: Any) -> Row:
    """A worker, with changes."""
    return {
        "worker": id,
        "person": id,
        "partner": "cisl",
        "referred": OCTOBER,
        **changes,
    }


def seat(id: str, group: str = "g1", since: str = "2026-11-02", until: str | None = None) -> Row:
    """A member's seat in a group."""
    return {"person": id, "member": id, "group": group, "since": since, "until": until}


def presence(id: str, present: bool) -> Row:
    """One line of a roll-call."""
    return {"person": id, "group": "g1", "on": "2026-11-02", "present": present}


def survey(id: str, wave: str = "T0", scores: dict[str, float] | None = None, submitted: bool = True) -> Row:
    """A survey that was asked for. It has scores once it is answered."""
    row: Row = {"person": id, "instrument": "who5", "wave": wave, "due": "2026-10-20"}
    if submitted:
        row["submitted"] = OCTOBER
    return row if scores is None else {**row, "scores": scores}


def facts(
    path: list[Row] | None = None,
    meetings: list[Row] | None = None,
    attendance: list[Row] | None = None,
    scores: list[Row] | None = None,
    refusing: Collection[str] = (),
) -> Facts:
    """The rows of the four projections, of people who consent, but for those who refuse."""
    everybody = {str(row["person"]) for rows in (path, attendance, scores) for row in rows or []}
    return Facts(
        consenting=frozenset(everybody - {*refusing}),
        path=path or [],
        meetings=meetings or [],
        attendance=attendance or [],
        scores=scores or [],
    )


def figures(
    path: list[Row] | None = None,
    meetings: list[Row] | None = None,
    attendance: list[Row] | None = None,
    scores: list[Row] | None = None,
    refusing: Collection[str] = (),
) -> Indicators:
    """The indicators of these rows, of people who consent, but for those who refuse; without means."""
    return indicators(facts(path, meetings, attendance, scores, refusing), RULES)
