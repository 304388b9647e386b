"""The check of language: each rule is proven by a planted breach, and by what it must let pass."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("language", ROOT / "ops" / "language.py")
assert spec is not None
assert spec.loader is not None
language = importlib.util.module_from_spec(spec)
spec.loader.exec_module(language)

BREACHES = {
    "an_old_word_in_prose": ("page.md", "It waits behind a hole.\n", "1: say gap instead of hole"),
    "an_old_word_in_a_comment": ("rules.yml", "a: 1\n# what is spoiled waits\n", "2: say deferred instead of spoiled"),
    "an_old_class_in_code": ("a.py", "class Shelf:\n    pass\n", "1: say ReadModels instead of Shelf"),
    "an_old_class_that_is_used": ("a.py", "import a\n\nb = a.Turn()\n", "3: say BatchResult instead of Turn"),
    "an_old_class_in_a_document": ("page.md", "A `Beginnings(release)` waits.\n", "1: say RestartPolicy instead of Beginnings"),
    "an_old_part_of_a_name": ("a.py", "def is_passing(error): ...\n", "1: say is_transient instead of is_passing"),
    "an_old_constant": ("a.py", "AILING = 3\n", "1: say failing instead of AILING"),
    "an_old_field": ("a.py", "def f(unit):\n    return unit.voice\n", "2: say events instead of voice"),
    "an_old_argument": ("a.py", "def f(doom): ...\n", "1: say failure reason instead of doom"),
    "an_old_module_that_is_imported": ("a.py", "from services import recalling\n", "1: say replay instead of recalling"),
    "an_old_module_in_a_path": ("a.py", "import services.watching\n", "1: say gauges instead of watching"),
    "an_old_file_in_a_document": ("page.md", "Look at `services/doors.py`.\n", "1: say run instead of doors"),
    "an_old_name_of_a_file": ("forgetting.py", "", "1: say erasure instead of forgetting.py"),
    "a_letter_that_is_not_dead": ("page.md", "The letter goes out.\n", f"1: say {language.LETTER} instead of letter"),
    "letters_at_the_beginning": ("page.md", "Letters go out.\n", f"1: say {language.LETTER} instead of Letters"),
    "a_variable_called_letter": ("a.py", "for letter in ():\n    pass\n", f"1: say {language.LETTER} instead of letter"),
    "a_letter_in_the_name_of_a_test": (
        "a.py", "def test_the_letter_goes_out_at_once(): ...\n", f"1: say {language.LETTER} instead of test_the_letter_goes_out_at_once",
    ),
    "a_question_in_a_docstring": (
        "a.py", 'def f():\n    """Whether it is ready to be read."""\n', "2: a docstring opens with a verb or a noun, not with Whether",
    ),
    "a_question_of_a_module": ("a.py", '"""What a module is for."""\n', "1: a docstring opens with a verb or a noun, not with What"),
    "a_docstring_that_is_too_short": (
        "a.py", 'class A:\n    """An A here."""\n', "2: a docstring of 3 words says no more than the name: 'An A here.'",
    ),
    "a_long_sentence": ("page.md", f"Short.\n\n{'word ' * 31}.\n", f"3: a sentence of 31 words: {'word ' * 8}…"),
    "a_long_cell": ("page.md", f"| a | b |\n|---|---|\n| short | {'word ' * 31} |\n", f"3: a sentence of 31 words: {'word ' * 8}…"),
}  # fmt: skip
LET_PASS = {
    "a_dead_letter": ("page.md", "A dead letter stays. Dead letters are listed.\n"),
    "names_of_dead_letters": ("a.py", "from services.events.inbox import dead_letters\n\nDeadLetter = dead_letter = 1\n"),
    "the_letters_of_an_alphabet": ("a.py", "from string import ascii_letters\n"),
    "a_metric_that_is_public": ("page.md", "`ama_holes` counts gaps; see [Holes](#holes).\n"),
    "english_in_the_name_of_a_test": ("a.py", "def test_an_answer_that_breaks_nothing_passes_and_is_measured(): ...\n"),
    "english_between_code": ("page.md", "`take` passes the record to `apply`.\n"),
    "english_in_code": ("a.py", "watching, trusting, surroundings = doors = forgetting = 1\n"),
    "english_in_prose": ("page.md", "It passes by, watching the doors while rebuilding the house.\n"),
    "a_line_that_must_name_it": ("a.py", "hole = 1  # language: kept, in a stored document\n"),
    "a_verb_in_a_docstring": ("a.py", 'def f():\n    """Return the sum of both."""\n'),
    "code_in_a_document": ("page.md", f"```console\n$ {'word ' * 40}\n```\n"),
    "a_list_of_short_items": ("page.md", "".join(f"- {'word ' * 20}\n" for _ in range(3))),
    "cells_that_stand_alone": ("page.md", f"| {'word ' * 20} | {'word ' * 20} |\n"),
}  # fmt: skip


def found(folder: Path, name: str, text: str) -> list[str]:
    (folder / name).write_text(text)
    return list(language.findings(folder / name))


@pytest.mark.parametrize("breach", BREACHES)
def test_a_planted_breach_is_named_with_its_line(tmp_path: Path, breach: str) -> None:
    name, text, finding = BREACHES[breach]
    assert found(tmp_path, name, text) == [finding]


@pytest.mark.parametrize("fine", LET_PASS)
def test_what_is_right_is_let_pass(tmp_path: Path, fine: str) -> None:
    assert found(tmp_path, *LET_PASS[fine]) == []


@pytest.mark.parametrize("old", sorted({*language.NAMES, *language.EXACT}))
def test_each_replaced_name_is_refused_as_an_identifier(tmp_path: Path, old: str) -> None:
    assert found(tmp_path, "a.py", f"{old} = 1\n")


@pytest.mark.parametrize("old", language.FILES)
def test_each_replaced_module_is_refused_when_it_is_imported_named_or_written(tmp_path: Path, old: str) -> None:
    assert found(tmp_path, "a.py", f"from services import {old}\n")
    assert found(tmp_path, "page.md", f"Look at `{old}.py`.\n")
    assert found(tmp_path, f"{old}.py", "")


def test_the_exit_status_is_1_when_there_is_a_finding_and_0_when_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git = ["git", "-c", "init.defaultBranch=main"]
    (tmp_path / "page.md").write_text("It waits behind a hole.\n")
    (tmp_path / "fine.md").write_text("It waits behind a gap.\n")
    language.subprocess.run([*git, "init", "--quiet"], cwd=tmp_path, check=True)
    language.subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    monkeypatch.setattr(language, "ROOT", tmp_path)
    assert language.main([]) == 1
    assert capsys.readouterr().out == "page.md:1: say gap instead of hole\n"
    assert language.main(["fine.md"]) == 0
    assert capsys.readouterr().out == ""


def test_old_names_are_refused_in_every_kind_of_text_that_git_tracks_here() -> None:
    listed = language.subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    unread = {Path(name).suffix for name in listed.splitlines()} - language.READ
    data = {"", ".csv", ".json", ".jsonl", ".lock", ".in", ".svg", ".woff2", ".example", ".tcss"}
    assert {each for each in unread if each not in data} == set()
