"""Tests that pass today must pass at any hour and whatever chance draws: the kinds that failed now and then are found in the sources.

A short pattern of bytes comes up in encrypted or random data by itself. The day in UTC is another one than the programme's near midnight. A
port that a test names is taken on some machine.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORTEST = 6  # bytes: among a million random ones a pattern of six comes up once in 280 million times
CLOCKS = {"now", "utcnow", "now_utc"}
LISTENERS = {"listen", "served", "start_server", "create_server"}


def unstable(source: str) -> Iterator[tuple[int, str]]:
    """Give each place that depends on chance, on the hour or on the machine: its line and its kind."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn) and _is_short(node.left):
            yield node.lineno, "short bytes"
        if isinstance(node, ast.Call) and _is_day_of_the_machine(node):
            yield node.lineno, "day in UTC"
        if isinstance(node, ast.Call) and _name_of(node.func) in LISTENERS and any(map(_is_port, _given(node))):
            yield node.lineno, "fixed port"


def _is_short(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bytes) and len(node.value) < SHORTEST


def _is_day_of_the_machine(call: ast.Call) -> bool:
    """`datetime.now(UTC).date()`, `date.today()` and their like."""
    if not isinstance(call.func, ast.Attribute):
        return False
    made = call.func.value if call.func.attr == "date" else None
    return call.func.attr == "today" or (isinstance(made, ast.Call) and _name_of(made.func) in CLOCKS)


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value for each in call.keywords if each.arg == "port")]


def _is_port(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0


def test_no_test_depends_on_chance_the_hour_or_a_free_port() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line, kind in unstable(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("assert b'i1' not in raw", "short bytes"),
        ("day = datetime.now(UTC).date()", "day in UTC"),
        ("day = now_utc().date() + timedelta(days=1)", "day in UTC"),
        ("day = date.today()", "day in UTC"),
        ("served(app, 8080)", "fixed port"),
        ("serving.listen(port=9999)", "fixed port"),
    ],
)
def test_a_planted_one_is_found(planted: str, kind: str) -> None:
    assert list(unstable(f"raw = b''\n{planted}\n")) == [(2, kind)]


@pytest.mark.parametrize("right", ["b'a long pattern' not in raw", "today()", "listen(0)", "event.time.date()"])
def test_what_is_stable_is_not_found(right: str) -> None:
    assert list(unstable(right)) == []
