"""Event types declared for one test, in a real module file, without a trace in the catalogue afterwards."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from services.contracts import EventData, base
from services.contracts.frozen import Frozen

Declare = Callable[..., type[EventData]]
_PREAMBLE = "from typing import *\nfrom pydantic import BaseModel, Field\nfrom services.contracts.base import *\n"
_GROUP_FOUNDED = {
    "name": "GroupFounded",
    "parent": "EventData",
    "type": '"it.amalavoro.grouping.group.founded.v1"',
    "topic": "ama.grouping",
    "more": "",
    "before": "",
}


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """`declare(fields, topic=…, …)`: an event class that says `fields` and is otherwise a well-declared open one."""
    numbers, modules = count(), list[str]()

    def declared(fields: str, **other: str) -> type[EventData]:
        monkeypatch.setattr(base, "_types", {})  # the same type is declared again and again, as by commit after commit
        said = _GROUP_FOUNDED | other
        lines = [
            f"type = {said['type']}",
            f"topic = {said['topic']!r}",
            *said["more"].splitlines(),
            *fields.splitlines(),
        ]
        body = "\n    ".join(('"""A group was founded."""', *map(str.strip, lines)))
        module = f"declared_{next(numbers)}"
        path = tmp_path / f"{module}.py"
        path.write_text(f"{_PREAMBLE}{said['before']}\nclass {said['name']}({said['parent']}):\n    {body}\n")
        spec = importlib.util.spec_from_file_location(module, path)
        assert spec is not None
        assert spec.loader is not None
        modules.append(module)
        sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])
        kind: type[EventData] = getattr(sys.modules[module], said["name"])
        return kind

    yield declared
    for module in modules:
        del sys.modules[module]


@pytest.fixture
def promised(tmp_path: Path) -> Frozen:
    """An empty folder for frozen contracts."""
    return Frozen(tmp_path / "promised")
