"""`Work` uses the methods of `Unit`, and neither of them reaches into the state of the other."""

import ast
import inspect

import pytest

from services.store import aggregates, outbox, people, unit, work
from services.store.unit import Unit

# The time of the transaction, and the objects that open keys, know consents and erasures, and fence the consumers.
VALUES = {"now", "keys", "consents", "erased", "fence"}


def used(module: object, owner: str) -> set[str]:
    """Names of the attributes that a module takes from `owner`."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    return {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == owner
    }


def test_work_uses_public_methods_of_the_unit_alone() -> None:
    names = used(work, "self._unit")
    assert len(names) > 8, "the test looks at the wrong name"
    assert {name for name in names if name.startswith("_") or not (name in VALUES or hasattr(Unit, name))} == set()


def test_a_unit_shows_no_other_state_than_its_time_and_the_objects_that_know_people() -> None:
    assigned = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(Unit.__init__).lstrip()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert {name for name in assigned if not name.startswith("_")} == VALUES


@pytest.mark.parametrize("module", [unit, aggregates, outbox, people])
def test_a_unit_knows_nothing_of_work(module: object) -> None:
    source = inspect.getsource(module)  # type: ignore[arg-type]
    assert "services.store.work" not in source
