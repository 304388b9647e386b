"""Kinds of refusal and their HTTP statuses: each kind has one, and only `services.web` knows it."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from services.kernel import Refusal
from services.web.failures import STATUS

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "enrolment", "grouping", "sessions", "notifications", "analytics")
OUTSIDE = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.parent != ROOT / "services" / "web"
]


@pytest.mark.parametrize("kind", Refusal)
def test_every_kind_of_refusal_is_a_client_error_of_http(kind: Refusal) -> None:
    assert HTTPStatus.BAD_REQUEST <= HTTPStatus(STATUS[kind]) < HTTPStatus.INTERNAL_SERVER_ERROR


def test_no_two_kinds_share_a_status() -> None:
    assert len(set(STATUS.values())) == len(STATUS) == len(Refusal)


def statuses(source: str) -> Iterator[str]:
    """Places where a module gives a refusal an HTTP status."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Refused":
            given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg in {"kind", "status"})]
            if any(isinstance(each, ast.Constant) and isinstance(each.value, int) for each in given) or any(
                keyword.arg == "status" for keyword in node.keywords
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_nothing_outside_the_web_package_names_a_status_for_a_refusal() -> None:
    assert len(OUTSIDE) > 100
    found = {str(path.relative_to(ROOT)): each for path in OUTSIDE for each in statuses(path.read_text())}
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        'raise Refused("no-such", "None.", 404)',
        'raise kernel.Refused("no-such", "None.", kind=404)',
        'raise Refused("no-such", "None.", status=code)',
    ],
)
def test_a_status_that_is_planted_is_found(planted: str) -> None:
    assert len(list(statuses(planted))) == 1
