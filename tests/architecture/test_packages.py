"""The page shows the packages and imports as they are: a copy of the chassis is damaged, and the check fails."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.contracts.topics import SERVICES

ROOT = Path(__file__).parents[2]
PAGE, ROOMS = Path("docs/architecture/README.md"), Path("docs/architecture/rooms.md")
FOLDERS = ("services", *SERVICES)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the chassis, the rooms, the pages, the fences and the script."""
    copy = tmp_path_factory.mktemp("tree")
    for each in FOLDERS:
        shutil.copytree(ROOT / each, copy / each, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for each in ("pyproject.toml", "ops/packages.py", str(PAGE), str(ROOMS)):
        (copy / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, copy / each)
    return copy


def packages(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "ops" / "packages.py"), *options]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=60)


def arrows(tree: Path) -> set[str]:
    return {line.strip() for line in (tree / PAGE).read_text().splitlines() if "-->" in line}


def test_the_page_shows_the_packages_as_they_are(tree: Path) -> None:
    done = packages(tree, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_planted_import_makes_the_check_fail_and_is_drawn_when_the_page_is_written(tree: Path) -> None:
    planted, page = tree / "services" / "vault" / "keyring.py", (tree / PAGE).read_text()
    whole = planted.read_text()
    planted.write_text(f"{whole}\nimport services.engines\n")
    try:
        done = packages(tree, "--check")
        assert done.returncode == 1
        assert f"{PAGE} differs from the imports" in done.stdout
        assert (tree / PAGE).read_text() == page, "a check writes nothing"
        assert packages(tree).returncode == 0
        assert "vault --> engines" in arrows(tree)
    finally:
        planted.write_text(whole)
        (tree / PAGE).write_text(page)


def test_an_import_that_a_longer_way_implies_is_not_drawn(tree: Path) -> None:
    planted, page = tree / "services" / "cli" / "token.py", (tree / PAGE).read_text()
    whole = planted.read_text()
    planted.write_text(f"{whole}\nimport services.kernel\n")
    try:
        assert packages(tree, "--check").returncode == 0
        assert "cli --> kernel" not in arrows(tree)
    finally:
        planted.write_text(whole)
        (tree / PAGE).write_text(page)


def test_another_docstring_or_a_new_module_makes_the_check_fail(tree: Path) -> None:
    new = tree / "services" / "vault" / "new.py"
    new.write_text('"""A new module."""\n')
    assert packages(tree, "--check").returncode == 1
    new.unlink()
    assert packages(tree, "--check").returncode == 0
    root = tree / "services" / "vault" / "__init__.py"
    whole = root.read_text()
    root.write_text(whole.replace('"""', '"""Not ', 1))
    assert packages(tree, "--check").returncode == 1
    root.write_text(whole)


@pytest.mark.parametrize("path", ["analytics/new.py", "grouping/pairs/new.py"])
def test_a_new_file_of_a_room_makes_the_check_fail_and_is_listed_when_the_page_is_written(
    tree: Path, path: str
) -> None:
    page = (tree / ROOMS).read_text()
    (tree / path).write_text('"""A first sentence over\ntwo lines. A second one."""\n')
    try:
        done = packages(tree, "--check")
        assert done.returncode == 1
        assert f"{ROOMS} differs from the docstrings" in done.stdout
        assert (tree / ROOMS).read_text() == page, "a check writes nothing"
        assert packages(tree).returncode == 0
        assert f"| `{path}` | A first sentence over two lines. |" in (tree / ROOMS).read_text()
    finally:
        (tree / path).unlink()
        (tree / ROOMS).write_text(page)


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in (ROOT / "services").rglob("*.py")}), ids=lambda each: each.name
)
def test_each_package_says_what_it_holds_who_may_import_it_and_its_invariant(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert "nvariant" in said
    assert "may import it" in said
