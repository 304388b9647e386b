"""`.ci/run` with a `make` that fails as planned: what it runs again, what it names, and how it ends."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SENTENCE = "== These tests failed and ran once more, alone. Whoever sees one here mends its cause first:"
MAKE = """#!/bin/sh
echo "$*" >> called
case "$*" in
  check) exit $(cat check) ;;
  test) cat first; exit $(cat status) ;;
  *) echo "===== 1 in 1.0s ====="; exit $(cat again) ;;
esac
"""
AGAIN = "test JOBS=1 ARGS=--last-failed --last-failed-no-failures=none"


class Ci:
    """A copy of `.ci/run` beside a stub of `make`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
        stub = folder / "bin" / "make"
        stub.parent.mkdir()
        stub.write_text(MAKE)
        stub.chmod(0o755)

    def run(
        self, failed: int = 0, *, check: int = 0, again: int = 0, more: str = ""
    ) -> tuple[int, list[str], list[str]]:
        """Run it with so many failing tests. Gives the exit status, the calls of `make`, and the lines that were printed."""
        lines = [f"FAILED tests/store/test_{number}.py::test_it - assert 0" for number in range(failed)]
        (self._folder / "first").write_text("\n".join([*lines, more, f"===== {failed} failed in 9.0s =====", ""]))
        status = 2 if failed or more else 0
        for name, value in {"status": status, "check": check, "again": again}.items():
            (self._folder / name).write_text(str(value))
        path = f"{self._folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        command = ["bash", str(self._folder / ".ci" / "run")]
        done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, (self._folder / "called").read_text().splitlines(), done.stdout.splitlines()


@pytest.fixture
def ci(tmp_path: Path) -> Ci:
    return Ci(tmp_path)


def test_a_green_run_checks_and_tests_once(ci: Ci) -> None:
    status, called, lines = ci.run()
    assert (status, called) == (0, ["check", "test"])
    assert SENTENCE not in lines


def test_a_failing_check_ends_the_run(ci: Ci) -> None:
    status, called, _ = ci.run(check=2)
    assert (status, called) == (2, ["check"])


@pytest.mark.parametrize("failed", [1, 3])
def test_few_failed_tests_run_once_more_and_are_named_in_the_last_lines(ci: Ci, failed: int) -> None:
    status, called, lines = ci.run(failed)
    assert (status, called) == (0, ["check", "test", AGAIN])
    named = [f"FAILED tests/store/test_{number}.py::test_it - assert 0" for number in range(failed)]
    assert lines[-1 - failed :] == [SENTENCE, *named]


def test_a_test_that_fails_again_makes_the_run_fail_and_is_named(ci: Ci) -> None:
    status, called, lines = ci.run(1, again=2)
    assert (status, called) == (2, ["check", "test", AGAIN])
    assert lines[-2:] == [SENTENCE, "FAILED tests/store/test_0.py::test_it - assert 0"]


def test_more_than_three_failed_tests_do_not_run_again(ci: Ci) -> None:
    status, called, lines = ci.run(4)
    assert (status, called) == (2, ["check", "test"])
    assert SENTENCE not in lines


@pytest.mark.parametrize("more", ["!!!!! Interrupted: 1 error during collection !!!!!", "INTERNALERROR> Traceback"])
def test_a_run_that_did_not_reach_its_end_is_not_repaired_by_running_its_failures_again(ci: Ci, more: str) -> None:
    status, called, _ = ci.run(1, more=more)
    assert (status, called) == (2, ["check", "test"])


def test_a_run_that_names_no_failed_test_fails(ci: Ci) -> None:
    status, called, _ = ci.run(0, more="no more memory")
    assert (status, called) == (2, ["check", "test"])
