"""Payloads as a JSON Schema allows them, for hypothesis."""

from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from services.contracts import EventData
from services.contracts.schema import Schema, schema_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "null": st.none(),
    "number": st.floats(allow_nan=False, allow_infinity=False),
}


def payloads(kind: type[EventData]) -> st.SearchStrategy[EventData]:
    """Payloads of a type, with and without their optional fields."""
    return values(schema_of(kind)).map(kind.model_validate)


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a schema allows; knows the keywords that the contracts use, and fails on others."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*map(values, schema["anyOf"]))
    match schema["type"]:
        case "object":
            return _object(schema)
        case "array":
            return st.lists(values(schema["items"]), max_size=3)
        case "string":
            return _text(schema)
        case "integer":
            # 64 bits: what JSON readers agree on.
            return st.integers(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1))
        case simple:
            return _SIMPLE[simple]


def _object(schema: Schema) -> st.SearchStrategy[Any]:
    if isinstance(rest := schema.get("additionalProperties"), dict):
        return st.dictionaries(st.text(max_size=10), values(rest), max_size=4)
    fields = {name: values(field) for name, field in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        shaped = st.from_regex(schema["pattern"].replace("$", r"\Z"))
        return shaped.filter(lambda text: len(text) <= schema.get("maxLength", 10**6))
    match schema.get("format"):
        case "date":
            return st.dates().map(str)
        case "date-time":
            return st.datetimes(timezones=_OFFSETS).map(lambda moment: moment.isoformat())
        case _:
            return st.text()
