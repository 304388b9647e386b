"""Generated requests, right and wrong ones, against a service that is really served."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.helpers.randomness import TIMES, exploring

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def fuzz(base: str, openapi: dict[str, Any], headers: dict[str, str], examples: int = 30) -> int:
    """Send `examples` right and as many wrong requests to each operation; each answer is one that the document describes, and no
    server error. Gives the number of operations. It blocks: run it in a thread."""
    schema = schemathesis.openapi.from_dict(openapi)
    assert not [result for result in schema.get_all_operations() if not isinstance(result, Ok)], (
        "an operation is not valid OpenAPI"
    )
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    for operation in operations:
        sent = bool(operation.body) or any(operation.iter_parameters())
        for mode in (
            GenerationMode if sent else (GenerationMode.POSITIVE,)
        ):  # what takes nothing cannot be asked wrongly

            @settings(
                max_examples=examples * (TIMES if exploring() else 1),
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def attack(case: Case[Any]) -> None:
                case.call_and_validate(base_url=base, headers=headers, checks=CHECKS, timeout=10)

            attack()
    return len(operations)
