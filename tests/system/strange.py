"""Requests whose text is legal and strange: each text of each body, path and query of a service, replaced by each strange value in turn."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from services.contracts.sampling import sample

# As they stand in a JSON text, without its quotation marks.
STRANGE = [
    "",
    " ",
    r"\u00a0",
    r"=?utf-8?b?////?=,",
    r"=?utf-8?q?A=0D=0AReply-To:x?=",
    r"A\r\nBcc: b@example.org",
    r"\u202eadA",
    r"A\u2028B",
    r"\ud800",
    r"\u0000",
    r"\ud83d\ude00",
    r"niccolo\u0300@example.it",
    r"{\"$gt\": \"\"}",
    "$where",
    "../../ops/state",
    "[/b]",
    "<script>",
    "%00%ff",
    r"\u0661\u0662\u0663",
    "9" * 40,
    "1e999",
    "-0",
    "2026-02-30",
    "9999-12-31T23:59:59-14:00",
    "+39 333 123 4567",
    "A" * 78 + " " + "B" * 78,
    "x" * 20_000,
]
IN_ADDRESSES = ["\0", " ", "\u202eadA", '{"$gt": ""}', "../../ops/state", "%00%ff", "\u0661", "9" * 40, "x" * 2_000]
VALUES = [
    "null",
    "true",
    "[]",
    "{}",
    "1e400",
    "-0.0",
    "5e-324",
    "9223372036854775807",
    "-9223372036854775808",
    "1e18",
    '"1"',
]
BODIES = [  # whole bodies, legal or nearly so
    b"null", b"0", b"[]", b'""', b"{}", b'{"a":1e999}', b'{"a":-0.0}', b'{"a":' + b"9" * 400 + b"}", b'{"":""}', b'{"a":1,"a":2}',
    b'{"$where":"1"}', b'{"__proto__":{}}', b'{"a":"\xff"}', b"\xef\xbb\xbf{}", b"[" * 70 + b"]" * 70, b'{"\\ud800":1}',
    b'{"a.b":{"$ne":1}}',
]  # fmt: skip


class Request(NamedTuple):
    """One request: the operation, its path with the query, and its body if it has one."""

    roles: list[str]
    method: str
    path: str
    body: bytes | None


def requests(openapi: dict[str, Any], there: dict[str, str]) -> Iterator[Request]:
    """Give the requests for all operations. What is not replaced names something that is `there`, or is made from the schema."""
    schemas = openapi["components"]["schemas"]
    for template, item in openapi["paths"].items():
        for method, operation in item.items():
            roles = operation.get("x-roles", [])
            kinds = operation.get("requestBody", {}).get("content", {})
            made = (
                sample(_inlined(kinds["application/json"]["schema"], schemas))
                if kinds.get("application/json")
                else None
            )
            body = None if made is None else orjson.dumps(made)
            path = _path(template, there)
            for odd in _addresses(template, operation, there):
                yield Request(roles, method, odd, body)
            for content in BODIES if body is not None else ():
                yield Request(roles, method, path, content)
            for content in _bodies(made):
                yield Request(roles, method, path, content)


def _inlined(schema: Any, schemas: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    return {name: _inlined(each, schemas) for name, each in schema.items()}


def _path(template: str, named: dict[str, str]) -> str:
    steps = (named.get(step[1:-1], "x") if step.startswith("{") else step for step in template.split("/"))
    return "/".join(steps)


def _addresses(template: str, operation: dict[str, Any], there: dict[str, str]) -> Iterator[str]:
    odd = [quote(each, safe="") for each in IN_ADDRESSES] + ["%ed%a0%80", "%ff"]
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        for each in odd:
            if parameter["in"] == "path":
                yield _path(template.replace(f"{{{name}}}", each).replace(f"{{{name}:path}}", each), there)
            elif parameter["in"] == "query":
                yield f"{_path(template, there)}?{name}={each}"


def _bodies(made: Any) -> Iterator[bytes]:
    """The body with each of its texts and other values replaced by each strange one, and with each field repeated."""
    for path, value in _places(made, ()):
        for each in [f'"{text}"' for text in STRANGE] if isinstance(value, str) else VALUES:
            yield _with(made, path, each)
    for name in made if isinstance(made, dict) else ():
        text = orjson.dumps(made)
        yield text[:-1] + b"," + orjson.dumps(name) + b":" + orjson.dumps(made[name]) + b"}"


def _places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _places(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _places(each, (*path, at))
    elif path:
        yield path, value


def _with(made: Any, path: tuple[Any, ...], text: str) -> bytes:
    changed = copy.deepcopy(made)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "@@"
    # Put in as text, since no library would write half a character.
    return orjson.dumps(changed).replace(b'"@@"', text.encode())
