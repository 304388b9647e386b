"""A service takes everything in its constructor: nobody changes it from outside, where its `build` would not show it."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE_BY = {"Service", "build"}  # calls that return a service


def modules() -> list[Path]:
    """Every module that git tracks, and every new one."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [path for name in listed if (path := ROOT / name).exists()]


def assigned(tree: ast.AST) -> Iterator[str]:
    """Every assignment to an attribute of a service, as `line: target`. A name stands for a service when it is `service`, is annotated
    as one, or is assigned from a call that makes one."""
    names = {"service", *_annotated(tree), *_made(tree)}
    for node in ast.walk(tree):
        for target in _targets(node):
            for each in ast.walk(target):
                if (
                    isinstance(each, ast.Attribute)
                    and isinstance(each.ctx, ast.Store | ast.Del)
                    and _is(each.value, names)
                ):
                    yield f"{each.lineno}: {ast.unparse(each)}"
        if isinstance(node, ast.Call) and _called(node) == "setattr" and node.args and _is(node.args[0], names):
            yield f"{node.lineno}: {ast.unparse(node)}"


def _is(owner: ast.expr, names: set[str]) -> bool:
    return (isinstance(owner, ast.Name) and owner.id in names) or (
        isinstance(owner, ast.Call) and _called(owner) in MADE_BY
    )


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _annotated(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.arg)
            and node.annotation is not None
            and ast.unparse(node.annotation).strip("'\"") == "Service"
        ):
            yield node.arg


def _made(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _called(node.value) in MADE_BY:
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))


def test_nothing_is_assigned_to_a_service_from_outside() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{each}"
        for path in modules()
        if path.parts[-3:]
        != ("tests", "web", "test_health.py")  # its service is a stand-in, which it changes on purpose
        for each in assigned(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "breach",
    [
        "service.after_restore = ()",
        "one = enrolment.app.build(settings)\none.background = ()",
        "def change(one: Service) -> None:\n    one.tasks, other = Tasks('x'), 1",
        "def change(one: 'Service') -> None:\n    one.name += 'x'",
        "Service('x', settings).store = other",
        "setattr(service, 'store', other)",
        "monkeypatch.setattr(service, 'store', other)",
        "del service.store",
    ],
)
def test_an_assignment_from_outside_is_found(breach: str) -> None:
    assert list(assigned(ast.parse(breach)))


@pytest.mark.parametrize(
    "fine", ["self.service = service", "app.state.service = self", "x = service.store", "service = build(x)"]
)
def test_what_assigns_nothing_to_a_service_is_let_through(fine: str) -> None:
    assert not list(assigned(ast.parse(fine)))
