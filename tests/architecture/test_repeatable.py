"""`make test` tries the same examples in every run; `make explore` tries others, and more of them."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.examples_tried import NUMBER
from tests.helpers.randomness import TIMES

ROOT = Path(__file__).parents[2]
KINDS = {"value", "request"}
pytestmark = pytest.mark.timeout(600)


def tried(salt: int, *options: str, **environment: str) -> list[str]:
    """Run the properties in a process of their own, with `salt` for the hashes of strings. Gives the examples in their order."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--numprocesses", "0", "-p", "no:cacheprovider", *options]
    run = subprocess.run(
        [*command, "tests/architecture/examples_tried.py"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": str(salt), "AMA_EXPLORE": "0"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = [line.lstrip(".") for line in run.stdout.splitlines()]
    return [line for line in found if line.partition(" ")[0] in KINDS | {"chance"}]


def test_two_runs_try_the_same_examples() -> None:
    first = tried(salt=1)
    counted = Counter(line.partition(" ")[0] for line in set(first))
    assert all(counted[kind] >= NUMBER // 2 for kind in KINDS), counted
    assert first == tried(salt=2)


@pytest.mark.long
def test_explorations_try_other_examples_and_more_of_them() -> None:
    first, second = tried(1, AMA_EXPLORE="1"), tried(1, "--hypothesis-profile", "explore")
    for kind in (*KINDS, "chance"):
        assert [line for line in first if line.startswith(kind)] != [line for line in second if line.startswith(kind)]
    counted = Counter(line.partition(" ")[0] for line in first)
    assert all(counted[kind] > NUMBER * TIMES / 2 for kind in KINDS), counted
