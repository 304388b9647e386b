"""Example records made from a schema, for documents and for tests of evolution.

Invariant: the same schema gives the same example, and every example is valid against its schema. No person is real, and
the key of the encrypted examples is public.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import orjson
from joserfc import jwe
from joserfc.jwk import OctKey

from services.contracts.base import EventData, Restricted
from services.contracts.envelope import Event, encode, schema_uri
from services.contracts.schema import Schema, schema_of
from services.contracts.topics import FEED, source_of

KEY = b"example key of nobody, 32 octets"  # decrypts the examples; A256GCM needs 32 octets
PERSON = "019a8c52-6d1e-7b64-9f0a-3c5b7a1d2e4f"
_PSEUDONYM = "nY3v0QkT8wz1Lr5uXc7dEg"  # the person's pseudonym for one partner; every partner has another
_GROUP = "019a8c60-01b2-7c10-8a55-5d2f90c4e7a1"
_WORDS: dict[str, tuple[Any, ...]] = {  # examples by the name of a field; used where the schema allows them
    "about": ("group-formed",),
    "absent": (1,),
    "address": ("via Esempio 1",),
    "birth_year": (1971,),
    "employer": ("azienda-in-crisi",),
    "facilitator": ("facilitator-3",),
    "gender": ("f",),
    "group": (_GROUP,),
    "groups": (2,),
    "instrument": ("who-5",),
    "into": ("019a8c55-1f4a-7c02-8d3e-6a2b9c4d5e71",),
    "language": ("it",),
    "municipality": ("monza",),
    "notice": ("2026-1",),
    "number": (3,),
    "partner": ("cgil",),
    "place": ("monza-centro",),
    "present": (True, 11),
    "one": (PERSON,),
    "other": ("019a8c55-1f4a-7c02-8d3e-6a2b9c4d5e71",),
    "reason": ("mailbox-full",),
    "reference": (_GROUP,),
    "scores": ({"total": 64.0},),
    "receiver": ("afol",),
    "rooms": (2,),
    "service": ("orientamento-afol",),
    "session": ("019a8c71-90aa-7e02-b1c3-0f6e2d8a4b95",),
    "slots": (["tuesday-evening", "thursday-evening"],),
    "slot": ("thursday-evening",),
    "title": ("Centro civico",),
    "travel_km": (15.0,),
    "wave": ("T0",),
    "wish": ("sealed under the key of the other",),
    "worker": (PERSON,),
}
_BY_TYPE: dict[str, tuple[Any, ...]] = {
    "string": ("example", "monza", "2026-03-12", "2026-03-12T18:30:00+01:00", PERSON, "https://example.org/", "x", "1"),
    "integer": (1, 0, 10, 100, 2026),
    "number": (1.5, 0.5, 0, 10, 100),
    "boolean": (True,),
    "null": (None,),
}


def sample(schema: Schema, *, full: bool = True, name: str = "") -> Any:
    """Return a value that the schema allows; `full`: with every optional field, else with the required ones alone. ValueError
    when none is found: give the field `examples`."""
    valid = jsonschema_rs.validator_for(schema, validate_formats=True)
    for candidate in _candidates(schema, full, name):
        if valid.is_valid(candidate):
            return candidate
    raise ValueError(f"no example fits {name or 'the payload'}: give the field examples=[…]")


def record(kind: type[EventData]) -> Schema:
    """Return a complete CloudEvent of this type as JSON values, its payload in clear."""
    feed = kind.topic == FEED.name
    written_down, happened = datetime(2026, 3, 13, 8, 5, 12, tzinfo=UTC), datetime(2026, 3, 12, 17, 30, tzinfo=UTC)
    day = datetime(2026, 3, 12, tzinfo=UTC)  # a feed tells the day alone
    event = Event(
        id="019ce2f4-3a68-7f5d-8a37-1b9e6c0d4f22",
        source=source_of("monza-brianza", f"{kind.topic}.cgil" if feed else kind.topic),
        type=kind.type,
        subject=_PSEUDONYM if feed else PERSON if kind.person == "subject" else _GROUP,
        time=day if feed else happened,
        recordedtime=day if feed else written_down,
        sequence=1,
        data=kind.model_validate(sample(schema_of(kind))),
        dataschema=schema_uri(kind),
        # A trace would link the entry to other events of the person.
        traceparent=None if feed else "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        correlationid=None if feed else "019ce2f4-3a51-7a0c-9d44-52c1f7b3e690",
    )
    body: Schema = orjson.loads(encode(event))
    return body


def sealed(kind: type[EventData], opened: Schema) -> Schema:
    """Return the record as it is on the topic: of a restricted type, `data` is a JWE under the person's key, here `KEY`."""
    if not issubclass(kind, Restricted):
        return opened
    person = opened["subject"] if kind.person == "subject" else opened["data"][kind.person]
    header = {"alg": "dir", "enc": "A256GCM", "kid": person}
    # joserfc and not the vault, because this package imports nothing else of ours.
    token = jwe.encrypt_compact(header, orjson.dumps(opened["data"]), OctKey.import_key(KEY))
    return opened | {"datacontenttype": "application/jose", "data": token}


def _candidates(schema: Schema, full: bool, name: str) -> Iterator[Any]:
    yield from schema.get("examples", ())
    yield from _WORDS.get(name, ())
    yield from schema.get("enum", ())
    if "const" in schema:
        yield schema["const"]
    for alternative in schema.get("anyOf", ()):
        yield sample(alternative, full=full, name=name)
    if schema.get("type") == "object":
        yield _fields(schema, full)
    if schema.get("type") == "array":
        one = [sample(schema["items"], full=full, name=name)] if "items" in schema else []
        yield from (one, one * 2, [])
    yield from _BY_TYPE.get(schema.get("type", ""), ())


def _fields(schema: Schema, full: bool) -> Schema:
    fields, required = schema.get("properties", {}), schema.get("required", ())
    chosen = {name: field for name, field in fields.items() if full or name in required}
    values = {name: sample(field, full=full, name=name) for name, field in chosen.items()}
    rest = schema.get("additionalProperties")
    if not values and isinstance(rest, dict):
        return {"one": sample(rest, full=full)}
    return values
