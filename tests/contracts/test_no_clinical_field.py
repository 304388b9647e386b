"""No schema has a field about anybody's health: events, requests, forms and contact cards are scanned by the names of their fields."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services import vault
from services.contracts import catalogue
from services.contracts.schema import schema_of
from services.contracts.topics import SERVICES
from services.web.frame.form import Form
from tests.helpers.serving import settings_for

CLINICAL = re.compile(
    r"diagnos|clinic|symptom|sintom|patient|pazient|disease|malatt|illness|disab|handicap|therap|terap|drug|farmac|medic|psych|psich"
    r"|pregnan|gravidan|health|salute|hospital|ospedal|icd_?10|addict|dipendenz"
)
# Modules with forms, beyond those of routes.
FORMS = ("enrolment.people.forms", "enrolment.referral.forms")


def names(schema: Any) -> Iterator[str]:
    """The names of all fields of a JSON Schema or OpenAPI document, at any depth."""
    if isinstance(schema, list):
        for each in schema:
            yield from names(each)
    if isinstance(schema, dict):
        yield from schema.get("properties", {}) if isinstance(schema.get("properties"), dict) else ()
        yield from (each["name"] for each in schema.get("parameters", ()) if isinstance(each, dict) and "name" in each)
        for each in schema.values():
            yield from names(each)


@pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.type)
def test_no_event_has_a_clinical_field(kind: Any) -> None:
    assert not [name for name in names(schema_of(kind)) if CLINICAL.search(name)]


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_or_answer_has_a_clinical_field(service: str, tmp_path: Path) -> None:
    vault.make_keys(tmp_path / "keys", SERVICES)
    settings = settings_for("http://127.0.0.1:1/issuer", keys=tmp_path / "keys", public_url="http://127.0.0.1:1")
    document = importlib.import_module(f"{service}.app").build(settings).app.openapi()
    found = list(names(document))
    assert len(found) > 10
    assert not [name for name in found if CLINICAL.search(name)]


@pytest.mark.parametrize("module", FORMS)
def test_no_form_asks_for_one(module: str) -> None:
    forms = [each for each in vars(importlib.import_module(module)).values() if isinstance(each, Form)]
    asked = [name for form in forms for name in form.fields]
    assert asked
    assert not [name for name in asked if CLINICAL.search(name)]


def test_a_clinical_field_would_be_found() -> None:
    planted = {"components": {"schemas": {"Person": {"properties": {"diagnosis": {"type": "string"}}}}}}
    assert [name for name in names(planted) if CLINICAL.search(name)] == ["diagnosis"]
