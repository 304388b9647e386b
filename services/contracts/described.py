"""The fields of a JSON Schema in a few words each, as the pages about contracts show them."""

import json
from typing import NamedTuple

from services.contracts.schema import Schema


class Row(NamedTuple):
    """One field of a payload: its path, the values that it `holds`, whether it is required, and its description."""

    name: str
    holds: str
    required: bool
    about: str


def rows(schema: Schema) -> list[Row]:
    """Return the fields of an object schema; nested ones are named by their path."""
    found: list[Row] = []
    for name, field in schema.get("properties", {}).items():
        found.append(Row(name, holds(field), name in schema.get("required", ()), field.get("description", "")))
        found += [inner._replace(name=f"{name}.{inner.name}") for inner in rows(field)]
    return found


def holds(field: Schema) -> str:
    """Describe the values of a field in a few words."""
    if "anyOf" in field:
        return " or ".join(holds(choice) for choice in field["anyOf"])
    if "const" in field:
        return json.dumps(field["const"], ensure_ascii=False)
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return "list of " + holds(field.get("items", {}))
    if isinstance(rest := field.get("additionalProperties"), dict):
        return "table of " + holds(rest)
    bounds = [f"{word} {field[key]}" for key, word in _BOUNDS.items() if key in field]
    return ", ".join([str(field.get("format") or field.get("type") or "any JSON"), *bounds])


_BOUNDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "below",
    "maxLength": "length to",
    "pattern": "like",
}
