"""An OpenAPI document as one plain page: operations with their roles, parameters, bodies and answers.

Invariant: the page needs no other address and no script; every value of the document is shown as text, never as markup.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.contracts.page import Row, holds, rows

Schema = dict[str, Any]
_jinja = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(document: Schema) -> str:
    """Render a service's OpenAPI document as HTML."""
    schemas = document["components"]["schemas"]
    operations = [
        _operation(method, path, operation, schemas)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return _jinja.get_template("openapi.html").render(document=document, operations=operations)


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
