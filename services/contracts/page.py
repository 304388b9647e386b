"""An AsyncAPI document as one plain HTML page: small, and legible on a phone.

Invariant: the page needs no other address and no script; the content of a document is shown as text, never as markup.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.contracts.schema import Schema

_jinja = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    # Text in a document may look like markup, also that of a plug-in.
    autoescape=True,
    # A misspelt name fails instead of showing nothing.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Row(NamedTuple):
    """One field of a payload: its path, the values that it `holds`, whether it is required, and its description."""

    name: str
    holds: str
    required: bool
    about: str


def page(document: Schema) -> str:
    """Render a document of `asyncapi.document` as HTML."""
    schemas = document["components"]["schemas"]
    messages = [
        {"key": name, **message, "rows": rows(schemas[name]) if name in schemas else [], "example": _example(message)}
        for name, message in document["components"]["messages"].items()
    ]
    return _jinja.get_template("asyncapi.html").render(
        document=document,
        messages=messages,
        envelope=rows(schemas["cloudevent"]),
        operations=[
            {**operation, "topic": _last(operation["channel"])} for operation in document["operations"].values()
        ],
        last=_last,
    )


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


def _example(message: Schema) -> str:
    examples: list[Any] = message.get("examples", [])
    return json.dumps(examples[0]["payload"], indent=2, ensure_ascii=False) if examples else ""


def _last(reference: Schema) -> str:
    return str(reference["$ref"].rpartition("/")[2])
