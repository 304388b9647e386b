"""The day of a moment is the local day of its programme: `Programme.day_of` alone takes it, and each exception is named with a reason.

Looked for are `.date()`, `.strftime(…)`, `.astimezone(…)` and `.today()`, in the rooms and the chassis. `.astimezone(UTC)` is free, since
it takes no day; a day of what it gives is found.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "enrolment", "grouping", "sessions", "notifications", "analytics")

ALLOWED: dict[str, str] = {
    "enrolment/people/deeds.py:_booked": "the form shows an interview in the programme's zone, as it was typed",
    "enrolment/people/steps.py:when": "somebody typed the day and the time of an interview in the programme's zone",
    "notifications/contents.py:_for_receiver": "a message tells the day in the programme's zone",
    "notifications/contents.py:_about_interview": "a message tells the interview in the programme's zone",
    "enrolment/lists/cells.py:day_of": "a cell of a spreadsheet is a day without a zone",
    "enrolment/lists/cells.py:text_of": "a cell of a spreadsheet is a day without a zone",
    "services/programmes/model.py:day_of": "the one place",
    "services/programmes/model.py:local": "the moment stays the same",
    "services/web/pages.py:moment": "shows an operator a moment in UTC, and writes UTC beside it",
    "services/web/frame/dates.py:_day": "takes the programme's zone from the page",
    "services/web/frame/dates.py:time_of": "takes the programme's zone from the page",
    "services/web/frame/filters.py:moment": "takes the programme's zone from the page",
    "services/web/frame/filters.py:_days_since": "takes the programme's zone from the page",
    "sessions/api.py:_local": "answers with the local offset; the moment stays the same",
    "sessions/domain/meetings.py:day": "`starts` carries the offset of the programme's zone",
    "notifications/domain/people.py:day": "the same, as sessions published it",
    "notifications/contents.py:_personal": "shows the end of a link at the local hour; the moment stays the same",
    "notifications/ledger.py:day_of_midnight": "reads back the day that `midnight` wrote in UTC",
}


def breaches(source: str) -> Iterator[tuple[str, int]]:
    """The function and the line of each place that takes a day, a month or a zone of a moment."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if is_breach(node):
            yield function, node.lineno
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.Call) and child is node.func and into_utc(node)):
                yield from walk(child, function)
            elif isinstance(child, ast.Attribute):
                yield from walk(child.value, function)

    return walk(ast.parse(source), "module")


def is_breach(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Tell whether this attribute turns a moment into a day, or into the time of another zone."""
    if not isinstance(node, ast.Attribute):
        return False
    of_class = isinstance(node.value, ast.Name) and node.value.id in {"date", "datetime"}
    return node.attr in {"date", "strftime", "astimezone"} or (node.attr == "today" and of_class)


def into_utc(call: ast.Call) -> bool:
    """Tell whether this call is `….astimezone(UTC)`."""
    return ast.unparse(call).endswith(".astimezone(UTC)")


def found() -> dict[str, list[int]]:
    """Lines by `file:function`, over the rooms and the chassis."""
    places: dict[str, list[int]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for function, line in breaches(path.read_text()):
                places.setdefault(f"{path.relative_to(ROOT)}:{function}", []).append(line)
    return places


def test_a_day_is_taken_by_the_programme_or_where_a_reason_is_named() -> None:
    assert {place: lines for place, lines in found().items() if place not in ALLOWED} == {}


def test_every_exception_is_still_there() -> None:
    assert sorted(ALLOWED.keys() - found().keys()) == []


@pytest.mark.parametrize(
    "breach",
    [
        "since = event.time.date()",
        "month = row['referred'].strftime('%Y-%m')",
        "local = moment.astimezone(rules.zone)",
        "today = date.today()",
        "today = datetime.today()",
        "days = map(datetime.date, moments)",
        "day = moment.astimezone(UTC).date()",
        "day = moment.astimezone(rules.zone).astimezone(UTC)",
    ],
)
def test_a_planted_breach_is_found(breach: str) -> None:
    source = f"async def when_it_happens(moment):\n    {breach}\n"
    assert list(breaches(source)) == [("when_it_happens", 2)]


@pytest.mark.parametrize("right", ["work.rules.day_of(work.at)", "work.at.astimezone(UTC)", "date.fromisoformat(day)"])
def test_a_day_that_the_programme_takes_and_a_moment_in_utc_are_no_breach(right: str) -> None:
    assert list(breaches(f"def since(work):\n    return {right}\n")) == []
