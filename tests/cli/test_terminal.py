"""Whatever is stored, a command shows it: as text, on its own line, with every hidden character visible."""

import ast
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.table import Table
from typer.testing import CliRunner, Result

from services.cli import app
from services.cli.terminal import HIDDEN, Terminal, visible
from tests.helpers.problems import answer, group, person, small

COMMANDS = sorted((Path(__file__).parents[2] / "services" / "cli").glob("*.py"))
MARKUP = re.compile(r"\[/?(b|bold|i|italic|u|dim|red|green|yellow|cyan)?\]")
HOSTILE = "[/b]\x1b[31mred\x07\r\n\x9b2J\u202eevil\u2028[link=x]:smile:"
SHOWN = "[/b]\\u001b[31mred\\u0007\\u000d\\u000a\\u009b2J\\u202eevil\\u2028[link=x]:smile:"


def printed(*what: Any, width: int = 500) -> str:
    terminal = Terminal(width=width)
    terminal.file = io.StringIO()
    terminal.print(*what)
    return terminal.file.getvalue()


def test_a_text_is_shown_as_it_is_and_its_hidden_characters_as_escapes() -> None:
    assert printed(HOSTILE) == f"{SHOWN}\n"
    assert printed("Però, città: 40 €") == "Però, città: 40 €\n"


def test_a_cell_a_heading_and_a_group_of_lines_are_shown_alike() -> None:
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Group("one", HOSTILE))
    assert printed(table).count(SHOWN) == 4
    assert "\x1b[31m" not in printed(table)


@given(st.text())
def test_any_text_is_one_line_of_printable_characters(text: str) -> None:
    out = printed(text, width=100_000)
    assert out.endswith("\n")
    assert not [each for each in out[:-1] if unicodedata.category(each) in HIDDEN]


@given(st.dictionaries(st.text(), st.text()))
def test_json_stays_the_same_json(value: dict[str, str]) -> None:
    assert json.loads(visible(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_no_command_writes_past_the_terminal(path: Path) -> None:
    if path.stem == "terminal":
        return
    tree = ast.parse(path.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"rich", "rich.console", "rich.markup", "rich.text"}
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"print", "typer.echo", "typer.secho", "sys.exit", "sys.stdout.write", "sys.stderr.write"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "TextColumn":
            assert "markup=False" in ast.unparse(node)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_no_command_writes_markup_which_the_terminal_would_show_as_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    # A help text is shown by Typer, which reads markup.
    helps = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "help"}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in helps]
    assert [each.value for each in texts if isinstance(each.value, str) and MARKUP.search(each.value)] == []


def ama(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "400"})


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, Path]:
    """A problem whose people, places and companies have such names, and an answer to it."""
    people = [person(n, id=f"{HOSTILE}{n}", company=HOSTILE) for n in range(3)]
    told = small(people=people, slots=["a", "b"], places=[{"id": HOSTILE, "municipality": "x", "rooms": 1}])
    problem, found = tmp_path / "problem.json", tmp_path / "answer.json"
    problem.write_text(json.dumps(told))
    seats = group(f"{HOSTILE}0", f"{HOSTILE}1", place=HOSTILE)
    found.write_text(answer(seats, waiting=(f"{HOSTILE}2",)).model_dump_json(exclude_none=True))
    return problem, found


@pytest.mark.parametrize("command", ["check", "explain"])
def test_an_answer_with_such_names_is_explained_with_them(hostile: tuple[Path, Path], command: str) -> None:
    done = ama("formation", command, *hostile)
    assert done.exit_code == 0, done.output
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(done.output)
    assert command == "check" or SHOWN in done.output


def test_a_broken_rule_is_told_with_such_a_name(hostile: tuple[Path, Path]) -> None:
    broken = json.loads(hostile[1].read_text()) | {"unplaced": []}
    hostile[1].write_text(json.dumps(broken))
    done = ama("formation", "check", *hostile)
    assert done.exit_code == 1
    assert f"{SHOWN}2 stands in the answer 0 times" in done.output
