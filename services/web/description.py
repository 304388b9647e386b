"""Additions to a service's OpenAPI document: the roles of each operation, and every problem that it may answer with.

Invariants: roles are read from the dependency that enforces them, so the document cannot promise anything else. The document is rendered
once, since strangers may ask for it as often as they like.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.routing import Route

from services.identity.route_access import RouteAccess, access_of
from services.web.frame.routing import TAG

Schema = dict[str, Any]
_TEXT = {"type": "string"}
PROBLEM: Schema = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `detail` is for people; some problems have further members.",
    "type": "object",
    "properties": {
        "type": {**_TEXT, "format": "uri", "description": "urn:amalavoro:problem:{code}"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
        "errors": {
            "description": "Of code invalid: the wrong fields.",
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": _TEXT,
                    "message": _TEXT,
                    "pointer": {**_TEXT, "description": "JSON pointer into the body"},
                },
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_ALWAYS = {
    404: "There is no such thing",
    413: "The body is too large",
    415: "The body is not JSON",
    503: "An engine is away: Retry-After says when to come again",
}
_ALWAYS |= {400: "The body is not JSON as it should be", 422: "A field is wrong; `errors` names it"}
_CLOSED = {401: "No token, or one that is not accepted", 403: "Not in this role, or not yours"}
_CHANGING = {409: "A rule says no", 410: "The person was erased", 412: "Changed since it was read (If-Match)"}
_PROBLEM_CONTENT: tuple[str, Schema] = "application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}}
_RETRY = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` return the completed document, built at the first call, and its route answer the bytes rendered then."""
    plain = app.openapi
    completed: list[Schema] = []

    def openapi() -> Schema:
        document = plain()  # kept by FastAPI, and another one once routes have changed
        if not completed or completed[0] is not document:
            completed[:] = [_completed(document, access_of(app))]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of extending it
    for at, route in enumerate(app.router.routes):
        if isinstance(route, Route) and route.path == app.openapi_url:
            app.router.routes[at] = _rendered_once(app, route)


def _rendered_once(app: FastAPI, route: Route) -> Route:
    """Return FastAPI's route of the document with an answer that is kept for each place where the application is mounted."""
    kept: dict[str, tuple[Schema, bytes]] = {}

    async def rendered(request: Request) -> Response:
        document, place = app.openapi(), request.scope.get("root_path", "")
        if place not in kept or kept[place][0] is not document:
            kept[place] = document, bytes((await route.endpoint(request)).body)
        return Response(kept[place][1], media_type="application/json")

    return Route(route.path, rendered, include_in_schema=False)


def _completed(document: Schema, routes: Iterable[RouteAccess]) -> Schema:
    for route in routes:
        for method in route.methods:
            operation = document.get("paths", {}).get(route.path, {}).get(method.lower())
            if operation is None:
                continue  # a route declared with include_in_schema=False
            operation |= {"x-roles": [str(role) for role in route.roles]} if route.roles else {"x-open": route.why}
            if route.own:
                operation["x-own"] = {str(role): what for role, what in route.own.items()}
            responses = operation["responses"]
            # FastAPI describes its own answer to a wrong field; here a problem document is sent instead.
            if "HTTPValidationError" in str(responses.get("422")):
                del responses["422"]
            for status, text in sorted(_problems(method, route).items()):
                described = responses.setdefault(str(status), {"description": text})
                # To people, the middleware `Pages` shows a page in place of the problem document.
                kind, schema = ("text/html", {}) if TAG in operation.get("tags", ()) else _PROBLEM_CONTENT
                described.setdefault("content", {}).setdefault(kind, schema)  # beside a page of its own
                if status == 503:
                    described.setdefault("headers", _RETRY)
    schemas: Schema = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    return document


def _problems(method: str, route: RouteAccess) -> dict[int, str]:
    return (
        _ALWAYS | (_CLOSED if route.roles else {}) | (_CHANGING if method not in {"GET", "HEAD"} or route.roles else {})
    )
