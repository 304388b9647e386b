"""The set-up installs what running needs, shows what it does, and says what went wrong."""

import importlib
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

setup: Any = importlib.import_module("ops.setup")  # not a package: mypy would find the file under two names
Screen, carry_out = setup.Screen, setup.carry_out


def says(code: str, *after: str, optional: bool = False) -> Any:
    """A step that runs this code of Python."""
    return setup.Step(f"title of {code}", [sys.executable, "-c", code], after, optional)


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "LOGS", tmp_path)
    return tmp_path


def test_a_step_begins_when_those_before_it_have_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "made"
    steps = {
        "second": says(f"import pathlib; assert pathlib.Path({str(made)!r}).exists()", "first"),
        "first": says(f"import pathlib, time; time.sleep(0.3); pathlib.Path({str(made)!r}).touch()"),
    }
    carry_out(steps, Screen())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" of ")[0].strip() for line in lines] == ["title", "title"]
    assert all(re.search(r": \d+ s$", line) for line in lines)


def test_a_step_that_fails_ends_the_set_up_with_the_end_of_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="no such package"):
        carry_out({"one": says("import sys; sys.exit('no such package')"), "two": says("pass", "one")}, Screen())
    assert "failed after" in capsys.readouterr().out


def test_an_optional_step_that_fails_is_told_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    carry_out({"one": says("import sys; sys.exit('run apt')", optional=True), "two": says("pass", "one")}, Screen())
    assert "run apt" in capsys.readouterr().out


def test_without_a_terminal_a_long_step_says_at_times_what_it_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "HEARTBEAT", 0.2)
    carry_out({"one": says("import time; print('Downloading jdk', flush=True); time.sleep(1.5)")}, Screen())
    assert re.search(r"… title of .* \(\d s\) Downloading jdk", capsys.readouterr().out)


def test_the_first_steps_get_all_that_their_packages_need(logs: Path) -> None:
    text = setup._first_lock().read_text()
    locked = {canonicalize_name(name) for name in re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)}
    assert locked >= set(setup.FIRST)
    for name in locked:
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in locked, f"{name} needs {needed.name}"
    assert text.count("--hash=sha256:") > len(locked)


MODULES = sorted(
    {
        each.command[each.command.index("-m") + 1]
        for each in (*setup.run_steps().values(), *setup.test_steps().values())
        if "-m" in each.command
    }
    - {"pip"}
)


@pytest.mark.parametrize("module", MODULES)
def test_no_step_runs_a_module_that_its_package_has_imported_already(module: str) -> None:
    # Python warns of unpredictable behaviour then, and the progress of the set-up shows the warning.
    package = module.rpartition(".")[0] or module
    command = [
        sys.executable,
        "-c",
        f"import sys, {package}; sys.exit({module!r} in sys.modules and {module!r} != {package!r})",
    ]
    assert subprocess.run(command, cwd=setup.ROOT, check=False).returncode == 0
