"""The contracts of a service as pages of the site: its operations (OpenAPI) and its events (AsyncAPI), for programmers.

Invariants: a page is rendered once for each language, since strangers may ask for it as often as they like; every value of a document is
shown as text, never as markup.
"""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.contracts.described import Row, holds, rows
from services.web.frame import Frame

Schema = dict[str, Any]
FRAME = Frame("services.web")


class ContractPage:
    """One page; `shown` gives what its template shows, and is asked once for each language."""

    def __init__(self, template: str, shown: Callable[[], Schema]) -> None:
        self._template, self._shown = template, shown
        self._kept: dict[tuple[str, str], str] = {}

    def answer(self, request: Request) -> Response:
        """Answer with the page in the reader's language."""
        # By its place too: the links to other languages begin with it.
        key = FRAME.language(request), request.url.path
        if key not in self._kept:
            self._kept[key] = FRAME.body(request, self._template, keeps_query=False, **self._shown())
        return FRAME.answer(request, self._kept[key])


def operations(document: Schema) -> Schema:
    """Return what the page of an OpenAPI document shows: operations with their roles, parameters, bodies and answers."""
    schemas = document["components"]["schemas"]
    found = [
        _operation(method, path, operation, schemas)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return {"document": document, "operations": found}


def events(document: Schema) -> Schema:
    """Return what the page of an AsyncAPI document shows: messages with the fields of their payloads, topics, operations."""
    schemas = document["components"]["schemas"]
    messages = [
        {"key": name, **message, "rows": rows(schemas[name]) if name in schemas else [], "example": _example(message)}
        for name, message in document["components"]["messages"].items()
    ]
    done = [{**operation, "topic": _last(operation["channel"])} for operation in document["operations"].values()]
    envelope = rows(schemas["cloudevent"])
    return {"document": document, "messages": messages, "envelope": envelope, "operations": done, "last": _last}


def _example(message: Schema) -> str:
    examples: list[Any] = message.get("examples", [])
    return json.dumps(examples[0]["payload"], indent=2, ensure_ascii=False) if examples else ""


def _last(reference: Schema) -> str:
    return str(reference["$ref"].rpartition("/")[2])


def _operation(method: str, path: str, operation: Schema, schemas: Schema) -> Schema:
    sent = operation.get("requestBody", {}).get("content", {})
    # Problems have one schema, which the page explains once.
    back = [_schema(answer) for status, answer in operation["responses"].items() if status.startswith("2")]
    return {
        "name": f"{method.upper()} {path}",
        "about": operation.get("description") or operation.get("summary", ""),
        "who": ", ".join(operation.get("x-roles", ())) or f"everybody: {operation.get('x-open', '')}",
        "parameters": [_parameter(each, schemas) for each in operation.get("parameters", ())],
        "body": [row for kind in sent.values() for row in rows(_resolved(kind.get("schema", {}), schemas))],
        "answers": {status: answer["description"] for status, answer in operation["responses"].items()},
        "back": [row for schema in back for row in rows(_element(_resolved(schema, schemas)))],
    }


def _parameter(parameter: Schema, schemas: Schema) -> Row:
    held = holds(_resolved(parameter.get("schema", {}), schemas))
    about = parameter.get("description", "")
    return Row(f"{parameter['name']} ({parameter['in']})", held, parameter.get("required", False), about)


def _schema(answer: Schema) -> Schema:
    found: Schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _element(schema: Schema) -> Schema:
    """Give the schema of the elements of a list; another schema is returned as it is."""
    items: Schema = schema.get("items", schema)
    return items


def _resolved(node: Any, schemas: Schema, inside: tuple[str, ...] = ()) -> Any:
    """Replace references by the schemas that they name. A schema inside itself becomes empty, which ends the recursion."""
    if isinstance(node, list):
        return [_resolved(each, schemas, inside) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        return {} if name in inside else _resolved(schemas[name], schemas, (*inside, name))
    return {key: _resolved(value, schemas, inside) for key, value in node.items()}
