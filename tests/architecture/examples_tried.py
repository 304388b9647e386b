"""Properties that print their examples. test_repeatable.py runs this file; its name keeps it from being collected with the others."""

import re
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.result import Ok

from tests.helpers.randomness import chance

NUMBER = 10  # examples of each property in a fixed run
BODY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "seats": {"type": "integer"}},
    "required": ["name"],
}
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "a door", "version": "1"},
    "paths": {
        "/groups/{group}": {
            "post": {
                "parameters": [{"name": "group", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": BODY}}},
                "responses": {"204": {"description": "done"}},
            }
        }
    },
}
(DOOR,) = [each.ok() for each in schemathesis.openapi.from_dict(OPENAPI).get_all_operations() if isinstance(each, Ok)]


@settings(max_examples=NUMBER)
@given(st.integers(), st.text(), st.sets(st.text()))
def test_values(number: int, text: str, texts: set[str]) -> None:
    print("value", number, ascii(text), sorted(map(ascii, texts)))


@settings(max_examples=NUMBER, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(case=DOOR.as_strategy())
def test_requests(case: Case[Any]) -> None:
    print("request", re.sub(" at 0x[0-9a-f]+", "", ascii((case.path_parameters, case.query, case.headers, case.body))))


def test_chance() -> None:
    print("chance", chance().random())
