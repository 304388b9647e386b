"""A loop without Python's side is called by loops alone: a call from Python would end the process."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "grouping" / "formation"
LOOPS = {"compiled", "inner"}


def decorated(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(each, ast.Name) and each.id in names for each in node.decorator_list
    )


def inner_loops() -> dict[str, set[Path]]:
    """The names of inner loops with the files that define one of that name."""
    found: dict[str, set[Path]] = {}
    for path in ENGINE.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and decorated(node, {"inner"}):
                found.setdefault(node.name, set()).add(path)
    return found


def called_by_python(path: Path) -> Iterator[str]:
    """Names that code outside of loops uses in this file."""
    for node in ast.parse(path.read_text()).body:
        if decorated(node, LOOPS) or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                yield each.id
            elif isinstance(each, ast.Attribute):
                yield each.attr


def uses(path: Path) -> set[str]:
    """Inner loops that Python calls in this file. A private name belongs to the file that defines it."""
    known = inner_loops()
    return {
        name for name in called_by_python(path) if name in known and (not name.startswith("_") or path in known[name])
    }


def test_python_calls_no_inner_loop() -> None:
    assert len(inner_loops()) > 30
    files = [
        *ENGINE.glob("*.py"),
        *(ROOT / "tests" / "grouping").glob("*.py"),
        *(ROOT / "bench" / "formation").glob("*.py"),
    ]
    assert {path.name: found for path in files if path.name != Path(__file__).name and (found := uses(path))} == {}


def test_a_call_from_python_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "other.py"
    file.write_text("from grouping.formation import tables\n\n\ndef look() -> None:\n    chains.move_along(1, 2, 3)\n")
    assert uses(file) == {"move_along"}
