"""Deny by default, tried from outside: whatever a service's OpenAPI names is closed to those whom it does not name."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

from services.identity.auth import Role

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


class Operation(NamedTuple):
    """One operation: how to call it, and who may. `why` is the reason for which it is open, if it is."""

    method: str
    path: str
    roles: tuple[str, ...]
    why: str | None


def operations(openapi: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of a document, with something plausible in its path."""
    for path, item in openapi["paths"].items():
        for method in METHODS:
            if method in item:
                described = item[method]
                concrete = path.format(**{each["name"]: _plausible(each) for each in _in_path(item, described)})
                yield Operation(method.upper(), concrete, tuple(described.get("x-roles", ())), described.get("x-open"))


async def assert_denied_by_default(
    client: httpx.AsyncClient, openapi: dict[str, Any], token_for: Callable[[Role], str], prefix: str = ""
) -> set[str]:
    """No token: 401, which says how to come back. Each role that is not named: 403. Gives the
    paths that are open, so that the caller can hold them against a list. `prefix` is where the service is mounted."""
    found = list(operations(openapi))
    assert any(each.roles for each in found), "nothing is closed here: is this the right document?"
    for each in found:
        assert bool(each.roles) != bool(each.why), (
            f"{each.method} {each.path} says neither its roles nor why it is open"
        )
        assert set(each.roles) <= set(Role), f"{each.method} {each.path} names roles that do not exist"
        if each.why:
            continue
        for shown in (None, "Bearer", "Bearer a.b.c", "Basic YTpi"):
            answer = await _ask(client, each, prefix, shown)
            assert _said(answer) == (401, "not-authenticated"), f"{each.method} {each.path} with {shown}: {answer.text}"
            assert answer.headers["www-authenticate"] == "Bearer"
        for role in Role:
            if role not in each.roles:
                answer = await _ask(client, each, prefix, f"Bearer {token_for(role)}")
                assert _said(answer) == (403, "not-allowed"), f"{each.method} {each.path} as {role}: {answer.text}"
    return {each.path for each in found if each.why}


async def _ask(client: httpx.AsyncClient, operation: Operation, prefix: str, shown: str | None) -> httpx.Response:
    headers = {} if shown is None else {"Authorization": shown}
    body: dict[str, Any] | None = None if operation.method in {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"} else {}
    return await client.request(operation.method, prefix + operation.path, headers=headers, json=body)


def _said(answer: httpx.Response) -> tuple[int, str | None]:
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else None


def _in_path(item: dict[str, Any], described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in [*item.get("parameters", ()), *described.get("parameters", ())]:
        if each["in"] == "path":
            yield each


def _plausible(parameter: dict[str, Any]) -> str:
    return "1" if parameter.get("schema", {}).get("type") in {"integer", "number"} else "somebody"
