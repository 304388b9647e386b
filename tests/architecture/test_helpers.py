"""Helpers of tests: those of one folder stay in it, those of several are in tests/helpers, and no test module is a helper."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = "helpers"


def imports(path: Path) -> Iterator[str]:
    """Every module that a file may import, by its full name. A name from a package may be a module of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{each.name}" for each in node.names)


def faults(root: Path) -> list[str]:
    """Imports of test modules, and of helpers that belong to another folder."""
    found: set[str] = set()
    for path in sorted((root / "tests").rglob("*.py")):
        folder = path.relative_to(root / "tests").parts[0]
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "tests" or len(parts) == 1:
                continue
            place = path.relative_to(root)
            if any(
                part.startswith("test_") and (root.joinpath(*parts[:n]) / f"{part}.py").exists()
                for n, part in enumerate(parts)
            ):
                found.add(f"{place} imports a test module: {name}")
            elif parts[1] not in {folder, SHARED}:
                found.add(f"{place} imports a helper of another folder: {name}")
    return sorted(found)


def test_no_test_imports_a_test_module_or_a_helper_of_another_folder() -> None:
    assert faults(ROOT) == []


def test_an_import_of_a_test_module_or_of_another_folders_helper_is_found(tmp_path: Path) -> None:
    for name, text in {
        "store/test_one.py": "",
        "store/rows.py": "",
        "store/test_two.py": "from tests.store import rows\nfrom tests.helpers.waiting import eventually",
        "store/test_three.py": "from tests.store import test_one",
        "web/test_four.py": "def test_it() -> None:\n    from tests.store.rows import a_row",
        "helpers/waiting.py": "import tests.web.conftest",
    }.items():
        path = tmp_path / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {line.partition(" ")[0] for line in faults(tmp_path)}
    assert found == {"tests/store/test_three.py", "tests/web/test_four.py", "tests/helpers/waiting.py"}
