"""The JSON Schema (draft 2020-12) of an event type, which partners read and which is frozen.

Invariant: nothing in it comes from a Python name, so that renaming a class or an enum changes no contract. Topic,
readers and person are part of it, since they are promised as well as the fields.
"""

from inspect import cleandoc
from typing import Any

from services.contracts.base import EventData
from services.contracts.envelope import schema_uri

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAMED = ("properties", "patternProperties")  # their keys are names of fields, not keywords
_LITERAL = ("const", "default", "enum", "examples", "required")


def schema_of(kind: type[EventData]) -> Schema:
    """Return the schema of the payload as it is written; of a restricted type, of the decrypted payload.
    References are resolved in place. ValueError for a payload that contains itself."""
    raw = kind.model_json_schema()
    shape = _plain(raw, raw.get("$defs", {}))
    return {
        "$schema": DRAFT,
        "$id": schema_uri(kind),
        "title": kind.type,
        "description": cleandoc(kind.__doc__ or ""),
        "x-topic": kind.topic,
        "x-readers": list(kind.readers),
        "x-person": kind.person,
        "type": "object",
        "properties": shape.pop("properties", {}),
        **{key: value for key, value in shape.items() if key not in ("type", "description")},
    }


def payload_only(schema: Schema) -> Schema:
    """Return the schema without its address and its `x-` annotations, to be put inside a larger document."""
    return {key: value for key, value in schema.items() if not key.startswith(("$", "x-"))}


def summary_of(kind: type[EventData]) -> str:
    """Return the first sentence of the docstring of a type."""
    text = " ".join(cleandoc(kind.__doc__ or "").split())
    head, stop, _ = text.partition(". ")
    return head + "." if stop else text


def _plain(node: Any, defs: Schema, inside: tuple[str, ...] = ()) -> Any:
    if isinstance(node, list):
        return [_plain(item, defs, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        if name in inside:
            # Resolved in place, it would never end.
            raise ValueError(f"{name} contains itself: an event is a tree")
        # pydantic writes a description or a default beside the reference.
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _plain({**defs[name], **beside}, defs, (*inside, name))
    plain: Schema = {}
    for key, value in node.items():
        if key in _NAMED:
            plain[key] = {name: _plain(field, defs, inside) for name, field in value.items()}
        elif key in _LITERAL:
            plain[key] = value
        elif key not in ("title", "$defs"):  # both are Python names
            plain[key] = _plain(value, defs, inside)
    return plain


_TEXT = {"type": "string", "minLength": 1}
_MOMENT = {"type": "string", "format": "date-time"}

ENVELOPE: Schema = {
    "title": "CloudEvent",
    "description": "CloudEvents 1.0 in JSON, structured mode: the whole record. Unknown attributes are to be ignored.",
    "type": "object",
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "id": {**_TEXT, "description": "UUIDv7; the same on every redelivery, so repeats can be dropped by it."},
        "source": {
            "type": "string",
            "pattern": "^/programmes/[^/]+/.+$",
            "description": "/programmes/{programme}/{context}, with /restricted for the restricted topic.",
        },
        "type": {**_TEXT, "description": "Name and version of what happened."},
        "subject": {**_TEXT, "description": "Id of what it happened to; also the record's key."},
        "time": {**_MOMENT, "description": "When it happened in the world."},
        "recordedtime": {**_MOMENT, "description": "When it was written down."},
        "sequence": {
            "type": "string",
            "pattern": "^[1-9][0-9]*$",
            "description": "1, 2, 3 … without a gap per source and subject: it shows repeats and missing events.",
        },
        "sequencetype": {"type": "string", "const": "Integer"},
        "datacontenttype": {"type": "string", "enum": ["application/json", "application/jose"]},
        "dataschema": {"type": "string", "format": "uri", "description": "The JSON Schema of this type and version."},
        "traceparent": {**_TEXT, "description": "W3C trace context of what caused it."},
        "correlationid": {**_TEXT, "description": "Which request it began with."},
        "causationid": {**_TEXT, "description": "Id of the event that caused it."},
        "data": {"description": "The payload; see dataschema."},
    },
    "required": [
        "specversion", "id", "source", "type", "subject", "time", "recordedtime", "sequence", "sequencetype",
        "datacontenttype", "dataschema", "data",
    ],
}  # fmt: skip
