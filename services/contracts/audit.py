"""The check that the code keeps its published promises: one line for each broken one.

Invariant: `problems` is empty exactly when every type is well named, on a topic of its context, with declared readers,
frozen, and readable both ways: the frozen example by the class, the class's records by the frozen schema.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from inspect import getsource
from textwrap import dedent
from typing import Any

import jsonschema_rs
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from services.contracts.base import EventData, Restricted, Written
from services.contracts.envelope import schema_uri
from services.contracts.evolution import additions
from services.contracts.frozen import Frozen
from services.contracts.sampling import sample
from services.contracts.schema import ENVELOPE, Schema, schema_of
from services.contracts.topics import FEED, topic_of

_NAME = re.compile(
    r"it\.amalavoro\.(?P<context>[a-z]+)\.(?P<subject>[a-z]+)\.(?P<happened>[a-z]+(-[a-z]+)*)\.v[1-9][0-9]*"
)
# Bare text in open types that was reviewed, one by one, and holds no person: names of organisations, of municipalities and of programmes,
# and the name and street of a place that is open to all. A catalogue of services is public as a whole: what an office offers, for whom, and
# how it is reached; it names offices and no person.
_OF_A_SERVICE = (
    "name", "organization_name", "description", "eligibility_description", "application_process", "email", "phone", "url",
)  # fmt: skip
_LOOKED_AT = {
    "it.amalavoro.enrolment.service.registered.v1": {f"data.{each}" for each in _OF_A_SERVICE},
    "it.amalavoro.grouping.place.registered.v1": {"data.address", "data.title"},
    "it.amalavoro.programmes.programme.published.v1": {
        "data.contact.email",
        "data.contact.name",
        "data.contact.phone",
        "data.title",
        "data.title_en",
        "data.timezone",
        "data.partners.name",
        "data.partners.feed",
        "data.municipalities.name",
        *(f"data.services.{each}" for each in _OF_A_SERVICE),
    },
}


def problems(kinds: Iterable[type[EventData]], frozen: Frozen | None = None) -> list[str]:
    """Return every broken promise of these types as "type: problem", and the frozen schemas that no type keeps any more."""
    kinds, frozen = list(kinds), frozen or Frozen()
    found = [f"{kind.type}: {problem}" for kind in kinds for problem in _of(kind, frozen)]
    # Topics are kept for ever, so records of every published type have to stay readable.
    gone = frozen.types() - {kind.type for kind in kinds}
    return found + [
        f"{name}: frozen, but no class has this type; a type that was published stays" for name in sorted(gone)
    ]


def is_literal(kind: type[EventData]) -> bool:
    """Check that the class body says `type = "…"`, so that no rename and no computation can change it."""
    try:
        # A class inside a function is indented, and would not parse.
        body = ast.parse(dedent(getsource(kind))).body[0]
    except (OSError, TypeError):
        return False  # made at run time: there is no class body
    return isinstance(body, ast.ClassDef) and any(
        isinstance(line, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "type" for target in line.targets)
        and isinstance(line.value, ast.Constant)
        and line.value.value == kind.type
        for line in body.body
    )


def _of(kind: type[EventData], frozen: Frozen) -> Iterator[str]:
    yield from _naming(kind)
    yield from _visibility(kind)
    yield from _privacy(kind)
    old = frozen.schema(kind.type)
    if old is None:
        yield "has no frozen schema: run `ama contracts freeze`"
        return
    changes = [reason.removeprefix(f"{kind.type}: ") for reason in frozen.broken(kind)]
    yield from (f"{change}; make it a new version beside the old" for change in changes)
    if not changes:
        yield from (
            f"{change}, and not frozen yet: run `ama contracts freeze`" for change in additions(old, schema_of(kind))
        )
    yield from _old_read_by_new(kind, old, frozen)
    yield from _new_read_by_old(kind, old)


def _naming(kind: type[EventData]) -> Iterator[str]:
    if not is_literal(kind):
        yield "`type` is not a literal string in the class body"
    if not (kind.__doc__ or "").strip():
        yield "has no docstring that says what happened"
    name = _NAME.fullmatch(kind.type)
    if name is None:
        yield "type is not it.amalavoro.{context}.{subject}.{past-tense}.v{N}"
    if topic_of(kind.topic) is None:
        yield f"topic {kind.topic} does not exist"
    elif name is not None and kind.topic.removesuffix(".restricted") != f"ama.{name['context']}":
        yield f"topic {kind.topic} is not one of the context {name['context']}"


def _visibility(kind: type[EventData]) -> Iterator[str]:
    restricted = kind.topic.endswith(".restricted")
    if issubclass(kind, Restricted) != restricted:
        yield f"is {'open' if restricted else 'restricted'}, but its topic {kind.topic} is not"
    elif restricted:
        topic = topic_of(kind.topic)
        if topic is not None and (strangers := set(kind.readers) - set(topic.readers)):
            yield f"readers {sorted(strangers)} may not read the topic {kind.topic}"
        if not kind.readers:
            yield "is restricted and names no reader"
        if kind.person is None:
            yield "is restricted, but `person` does not say under whose key"
    elif kind.readers != (FEED.readers if kind.topic == FEED.name else ("any",)):
        yield "names readers, but only restricted types and those of the feed have readers"
    if kind.person is not None and kind.person != "subject":
        field = kind.model_fields.get(kind.person)
        # An optional field may be empty, and nobody would know under whose key the payload is.
        if field is None or not field.is_required():
            yield f"`person` names {kind.person!r}, which is not a required field"


def _privacy(kind: type[EventData]) -> Iterator[str]:
    if not issubclass(kind, Restricted):
        patterned = {f"data.{name}" for name, field in kind.model_fields.items() if _is_patterned(field)}
        for where in _bare_texts(schema_of(kind)):
            if where not in patterned | _LOOKED_AT.get(kind.type, set()):
                yield f"{where} is bare text in an open type: give it a pattern (`Code`), an enum or a restricted type"


def _is_patterned(field: FieldInfo) -> bool:
    return any(isinstance(each, Written) for each in field.metadata)


def _bare_texts(schema: Schema, where: str = "data") -> Iterator[str]:
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "enum", "const", "format"}:
        yield where
    for name, field in schema.get("properties", {}).items():
        yield from _bare_texts(field, f"{where}.{name}")
    for inner in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _bare_texts(inner, where)


def _old_read_by_new(kind: type[EventData], old: Schema, frozen: Frozen) -> Iterator[str]:
    record, opened = frozen.example(kind.type), frozen.opened(kind)
    if record is None or opened is None:
        yield "has no example: run `ama contracts freeze`"
        return
    for example, note in ((record, "example"), (opened, "opened example")):
        yield from (f"{note}: {error}" for error in _invalid(ENVELOPE, example))
        if (example.get("type"), example.get("dataschema")) != (kind.type, schema_uri(kind)):
            yield f"{note}: names another type or schema"
    yield from (f"example: {error} (frozen schema)" for error in _invalid(old, opened["data"], "data"))
    try:
        again = kind.model_validate(opened["data"]).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        yield f"old example not read: {'.'.join(('data', *map(str, first['loc'])))}: {first['msg']}"
        return
    # A class ignores fields that it does not know: a renamed one would be dropped in silence.
    lost = [name for name, value in opened["data"].items() if name not in again or again[name] != value]
    yield from (f"old example read, but data.{name} is lost or changed" for name in lost)


def _new_read_by_old(kind: type[EventData], old: Schema) -> Iterator[str]:
    code = schema_of(kind)
    # Also without the optional fields, whose defaults the frozen schema may refuse.
    for full in (True, False):
        written = kind.model_validate(sample(code, full=full)).model_dump(mode="json")
        yield from (f"new record against the frozen schema: {error}" for error in _invalid(old, written, "data"))


def _invalid(schema: Schema, value: Any, where: str = "record") -> Iterator[str]:
    # `format` is only a remark in JSON Schema unless its validation is asked for.
    for error in jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(value):
        yield f"{'.'.join((where, *map(str, error.instance_path)))}: {error.message}"
