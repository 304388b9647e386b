"""A room is known wherever rooms are listed: one that is forgotten is not fenced, not typed or not packed, and nothing else says so."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services import contracts
from services.contracts.topics import SERVICES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "services" / "contracts"


def lists(value: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list of names in a document, and where it stands. A fence within a room does not keep it from itself."""
    if isinstance(value, dict):
        inside = {each.partition(".")[0] for each in value.get("source_modules", ()) if "." in each}
        for name, each in value.items():
            yield from ((where, [*names, *inside]) for where, names in lists(each, f"{path}.{name}"))
    elif isinstance(value, list) and all(isinstance(each, str) for each in value):
        yield path, [each.removesuffix("*") for each in value]
    elif isinstance(value, list):
        for each in value:
            yield from lists(each, f"{path}[{each.get('id', '')}]" if isinstance(each, dict) else path)


def forgetful(document: Any) -> list[str]:
    """Lists that hold some rooms and not all."""
    found = ((path, set(SERVICES) - set(names)) for path, names in lists(document))
    return [f"{path}: {', '.join(sorted(missing))}" for path, missing in found if 0 < len(missing) < len(SERVICES) - 1]


def declaring() -> list[str]:
    """Modules of the published language that have a class with an event's `type`."""
    return [
        path.stem for path in sorted(FOLDER.glob("*.py")) if any(map(is_event, ast.walk(ast.parse(path.read_text()))))
    ]


def is_event(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        isinstance(each, ast.AnnAssign | ast.Assign) and "'it.amalavoro." in ast.unparse(each) for each in node.body
    )


def test_a_list_that_names_one_room_names_them_all() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert forgetful(configured) == []
    configured["tool"]["importlinter"]["root_packages"].remove("grouping")
    assert forgetful(configured) == [".tool.importlinter.root_packages: grouping"]


@pytest.mark.parametrize("module", declaring())
def test_a_module_with_events_belongs_to_the_published_language(module: str) -> None:
    """A module that `services.contracts` does not import has no frozen schema, and no check."""
    assert module in contracts.__all__
    assert hasattr(contracts, module)
