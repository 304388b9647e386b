"""No field for a clinical fact exists: not in an event, not in a form or body of a service, not in what a service stores.

Losing a job is not an illness, and nobody is asked for a diagnosis. A new field with such a name fails here.
"""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.contracts import catalogue
from services.contracts.topics import SERVICES
from services.settings import Settings

CLINICAL = re.compile(
    r"diagnos|disease|illness|malatt|patolog|health|salute|medic|farmac|drug|therap|terap|patient|pazient|symptom|sintom|icd(?![a-z])|"
    r"psych|psic|depress|anxi|ansia|disab|handicap|invalid|pregnan|gravid|diet|blood|allerg",
    re.IGNORECASE,
)
ALLOWED = {
    "illness": "a reason of leaving, among others, which the person chooses; it is told to statistics alone, sealed",
    "health": "a kind of service in the catalogue (ASL); a request to one is sealed, and says nothing of why",
}


def names(schema: Any) -> Iterator[str]:
    """Names of properties and values of enums in a JSON schema, at any depth."""
    if isinstance(schema, list):
        for each in schema:
            yield from names(each)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {}) if isinstance(schema.get("properties"), dict) else ()
        yield from (each for each in schema.get("enum", ()) if isinstance(each, str))
        yield from (each for each in [schema.get("const")] if isinstance(each, str))
        for each in schema.values():
            yield from names(each)


def clinical(schema: Any) -> set[str]:
    return {each for each in names(schema) if CLINICAL.search(each)} - ALLOWED.keys()


def test_no_event_has_a_clinical_field() -> None:
    assert {kind: found for kind, each in catalogue().items() if (found := clinical(each.model_json_schema()))} == {}


@pytest.mark.parametrize("name", SERVICES)
def test_no_route_and_no_aggregate_of_a_service_has_a_clinical_field(name: str, keys: Path) -> None:
    settings = Settings(kafka="127.0.0.1:1", mongo="mongodb://127.0.0.1:1", keys=keys)
    service = importlib.import_module(f"{name}.app").build(settings)
    document = service.app.openapi()
    assert len(list(names(document))) > 20
    assert clinical(document) == set()
    assert {each.noun: found for each in service.aggregates if (found := clinical(each.model_json_schema()))} == {}


@pytest.mark.parametrize("field", ["diagnosis", "health_notes", "ICD10", "patologie", "disability", "farmaci"])
def test_a_clinical_field_is_found_wherever_it_stands(field: str) -> None:
    planted = {
        "components": {"schemas": {"Card": {"properties": {"more": {"properties": {field: {"type": "string"}}}}}}}
    }
    assert clinical(planted) == {field}


@pytest.mark.parametrize("field", ["needs_access", "municipality", "indicators", "predicted", "individual", "subject"])
def test_an_innocent_name_is_none(field: str) -> None:
    assert clinical({"properties": {field: {}}}) == set()


def test_what_is_allowed_still_exists() -> None:
    every = {each for kind in catalogue().values() for each in names(kind.model_json_schema())}
    assert ALLOWED.keys() <= every
