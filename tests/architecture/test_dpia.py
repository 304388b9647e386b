"""The impact assessment to start from: a file that the tool of the CNIL opens, whose claims name tests that exist.

The shape is that of the tool's own export: `pia`, `answers` by the number of the question, `measures`, `evaluations`, `comments`.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "dpia.json"
QUESTIONS = {
    *(111, 112, 113, 121, 122, 123, 211, 212, 213, 214, 215, 221, 222, 223, 224, 225, 226, 227),
    *(number for risk in (320, 330, 340) for number in range(risk + 1, risk + 7)),
}  # of the tool
LISTS = {number for risk in (320, 330, 340) for number in range(risk + 1, risk + 5)}
GAUGES = {number for risk in (320, 330, 340) for number in (risk + 5, risk + 6)}
CONTROLS = {324, 334, 344}  # questions that are answered by measures
CLAIM = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text()))


def missing(text: str) -> list[str]:
    """Claims of a text whose test does not exist."""
    found = []
    for path, name in CLAIM.findall(text):
        there = ROOT / path
        tests = {
            each.name
            for each in (ast.walk(ast.parse(there.read_text())) if there.is_file() else ())
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        found += [f"{path}::{name}"] if name not in tests else []
    return found


def test_it_has_the_parts_and_the_questions_of_the_tool(file: dict[str, Any]) -> None:
    assert file.keys() == {"pia", "answers", "measures", "evaluations", "comments"}
    assert {each["reference_to"] for each in file["answers"]} == QUESTIONS
    assert len(file["answers"]) == len(QUESTIONS)
    assert isinstance(file["pia"]["name"], str)
    assert file["pia"]["status"] == 0  # in the making: nobody has evaluated it


def test_each_answer_has_the_kind_that_the_tool_expects(file: dict[str, Any]) -> None:
    for each in file["answers"]:
        number, data = each["reference_to"], each["data"]
        assert data.keys() == {"text", "gauge", "list"}, number
        assert bool(data["list"]) is (number in LISTS), number
        assert (data["gauge"] in {1, 2, 3, 4}) is (number in GAUGES), number
        assert bool(data["text"]) is (number not in LISTS), number


def test_the_controls_of_each_risk_are_measures(file: dict[str, Any]) -> None:
    titles = {each["title"] for each in file["measures"]}
    named = {
        control for each in file["answers"] if each["reference_to"] in CONTROLS for control in each["data"]["list"]
    }
    assert named <= titles


def test_each_measure_names_the_tests_that_show_it_and_they_exist(file: dict[str, Any]) -> None:
    for each in file["measures"]:
        assert CLAIM.search(each["content"]), each["title"]
        assert missing(each["content"]) == [], each["title"]
    assert missing(FILE.read_text()) == []


def test_a_claim_without_its_test_is_found() -> None:
    assert missing("tests/architecture/test_dpia.py::test_nothing_of_the_kind") == [
        "tests/architecture/test_dpia.py::test_nothing_of_the_kind"
    ]


def test_each_claim_of_the_page_on_peoples_data_names_a_test() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text()
    rows = re.findall(
        r"^\| (.+) \|$", text.partition("## Claims and the tests that show them")[2].partition("\n## ")[0], re.MULTILINE
    )
    claims = [row for row in rows if not set(row) <= set("-| ") and not row.startswith("claim")]
    assert len(claims) >= 15
    assert [row for row in claims if not re.search(r"`test_\w+`.* in `tests/[\w/]+\.py`", row)] == []
