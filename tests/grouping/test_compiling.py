"""Compiled loops are cached, and the cache of one version of the sources is never used for another."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAYS = "from grouping.formation import caching; print(caching.folder())"


def folder_of(sources: Path, **environment: str) -> Path:
    """The cache folder of a process that runs these sources."""
    given = {**os.environ, "PYTHONPATH": str(sources), **environment}
    said = subprocess.run(
        [sys.executable, "-c", SAYS], env=given, cwd=sources, capture_output=True, text=True, check=True
    )
    return Path(said.stdout.strip())


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the sources, to be changed."""
    without = shutil.ignore_patterns("__pycache__")
    for room in ("grouping", "services"):
        shutil.copytree(ROOT / room, tmp_path / "here" / room, ignore=without)
    return tmp_path / "here"


def test_when_any_source_changes_nothing_that_was_compiled_before_is_taken(sources: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    before = folder_of(sources, NUMBA_CACHE_DIR=kept)
    assert before.parent == Path(kept)
    assert folder_of(sources, NUMBA_CACHE_DIR=kept) == before
    with (sources / "grouping/formation/chains.py").open("a") as source:
        source.write("# another\n")
    assert folder_of(sources, NUMBA_CACHE_DIR=kept) != before


def test_where_no_folder_can_be_made_it_is_kept_in_the_users_cache(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder can be made below this, not even by root")
    found = folder_of(sources, NUMBA_CACHE_DIR=str(tmp_path / "kept"), HOME=str(tmp_path))
    assert found.parent == tmp_path / ".cache/ama-lavoro"
    assert found.is_dir()


@pytest.mark.timeout(900)
def test_after_the_set_up_no_loop_is_compiled_for_a_problem_of_any_shape() -> None:
    """`python -m grouping.formation` has nothing to do where the set-up did it."""
    subprocess.run([sys.executable, "-m", "grouping.formation"], cwd=ROOT, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.grouping.shapes"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
