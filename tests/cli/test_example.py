"""The example problem is what the other commands of the formation engine take, and shows what they can show."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli import app


def ama(*words: object) -> Result:
    return CliRunner().invoke(app, ["formation", *map(str, words)], env={"COLUMNS": "300"})


def test_it_is_solved_checked_and_explained_by_the_commands_that_it_names(tmp_path: Path) -> None:
    problem, answer = tmp_path / "problem.json", tmp_path / "answer.json"
    written = ama("example", problem)
    assert written.exit_code == 0, written.output
    assert f"Next: ama formation solve {problem} -o" in written.output
    assert ama("solve", problem, "-o", answer, "--steps", 4000).exit_code == 0
    assert ama("check", problem, answer).exit_code == 0
    explained = ama("explain", problem, answer)
    assert explained.exit_code == 0
    found = json.loads(answer.read_text())
    assert len(found["groups"]) == 2
    assert "p27" in {each["id"] for each in found["unplaced"]}
    assert "no place is within reach" in explained.output


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "problem.json").write_text("mine")
    refused = ama("example", tmp_path / "problem.json")
    assert refused.exit_code == 1
    assert "is there already: name another file." in refused.output
    assert (tmp_path / "problem.json").read_text() == "mine"


@pytest.mark.parametrize("words", [("--help",), ("solve", "--help")])
def test_the_help_names_it(words: tuple[str, ...]) -> None:
    assert "ama formation example" in " ".join(ama(*words).output.split())
