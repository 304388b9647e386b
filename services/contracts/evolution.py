"""Changes within a version: a type may gain an optional field, nothing else.

Invariant: two schemas without a break between them are readable both ways, old events by new readers and new events by
old readers. A wider type breaks the old reader, a narrower one breaks the old event, so a known field stays, and
exactly as it is. Anything more is a new version beside the old.
"""

import json
from collections.abc import Iterator
from typing import Any

from services.contracts.schema import Schema

# More readers are no break, but have to be frozen on purpose (`additions`).
_WORDING = frozenset({"$schema", "$id", "title", "description", "examples", "x-readers"})
_HANDLED = frozenset({"properties", "required", "enum", "anyOf"})


def breaks(frozen: Schema, code: Schema, where: str = "data") -> Iterator[str]:
    """Yield each reason why one side cannot read the other, as a sentence that begins with the field."""
    yield from _fields(frozen, code, where)
    yield from _choices(frozen, code, where)
    for key in sorted((frozen.keys() | code.keys()) - _WORDING - _HANDLED):
        old, new = frozen.get(key, _ABSENT), code.get(key, _ABSENT)
        # A default is a value and no schema, even if it is an object.
        if isinstance(old, dict) and isinstance(new, dict) and key != "default":
            yield from breaks(old, new, f"{where}.*")  # items, additionalProperties
        # In Python 1, 1.0 and true are equal; in a JSON Schema they differ.
        elif type(old) is not type(new) or old != new:
            yield f"{where}: {key.removeprefix('x-')} was {_show(old)}, is {_show(new)}"


def additions(frozen: Schema, code: Schema, where: str = "data") -> Iterator[str]:
    """Yield each compatible addition of the code that the frozen schema does not have yet."""
    if frozen.get("x-readers") != code.get("x-readers"):
        yield f"readers were {_show(frozen.get('x-readers'))}, are {_show(code.get('x-readers'))}"
    old, new = frozen.get("properties", {}), code.get("properties", {})
    yield from (f"{where}.{name} is new" for name in new if name not in old)
    for name in old.keys() & new.keys():
        yield from additions(old[name], new[name], f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(frozen.get(key), dict) and isinstance(code.get(key), dict):
            yield from additions(frozen[key], code[key], f"{where}.*")


def _fields(frozen: Schema, code: Schema, where: str) -> Iterator[str]:
    old, new = frozen.get("properties", {}), code.get("properties", {})
    was, now = frozen.get("required", []), code.get("required", [])
    for name in old:
        if name not in new:
            # A removed name could come back with another meaning.
            yield f"{where}.{name}: removed"
            continue
        if name in was and name not in now:
            yield f"{where}.{name}: was required, is optional; readers of the frozen schema refuse events without it"
        if name in now and name not in was:
            yield f"{where}.{name}: was optional, is required; old events may lack it"
        yield from breaks(old[name], new[name], f"{where}.{name}")
    yield from (
        f"{where}.{name}: added as required; old events lack it" for name in new if name not in old and name in now
    )


def _choices(frozen: Schema, code: Schema, where: str) -> Iterator[str]:
    for key, noun in (("enum", "values"), ("anyOf", "alternatives")):
        # Other wording inside a choice breaks no reader.
        old, new = ({_show(_bare(choice)) for choice in side.get(key, ())} for side in (frozen, code))
        if (key in frozen) != (key in code):
            yield f"{where}: {noun} were {_show(sorted(old))}, are {_show(sorted(new))}"
            continue
        if old - new:
            yield f"{where}: {noun} removed: {', '.join(sorted(old - new))}; old events may hold them"
        if new - old:
            yield f"{where}: {noun} added: {', '.join(sorted(new - old))}; readers of the frozen schema refuse them"


class _Absent:
    """A keyword that is absent, which differs from one that is null."""


_ABSENT = _Absent()


def _bare(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    return {key: _bare(value) for key, value in node.items() if key not in _WORDING}


def _show(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
