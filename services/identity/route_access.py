"""Access to routes, deny by default: each route names its roles, or the reason why everybody may call it.

Invariant: roles are read back from the dependency that enforces them, so a description of the routes cannot promise anything else.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path

from services.identity.auth import OF_ONE, OWN_PATH, Role


class Unprotected(Exception):
    """A defect of the program: a route names neither its roles nor a reason to be open."""


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """A route and its callers: these roles, or everybody for the reason `why`. `own`: what a role gets, of all that there is; `regex`
    matches the paths of its requests."""

    path: str
    methods: frozenset[str]
    roles: tuple[Role, ...]
    why: str | None
    regex: re.Pattern[str]
    own: Mapping[Role, str] = field(default_factory=dict)


def access_of(app: FastAPI) -> Iterator[RouteAccess]:
    """List the access of every route, also in routers that the application includes. Unprotected at the first that names neither
    roles nor a reason, and at what cannot name any (a mount, a socket, a plain route). The OpenAPI document is exempt."""
    for route in iter_route_contexts(app.routes):
        # FastAPI adds the OpenAPI document as a plain route, which can name nothing; contracts are open to everybody.
        if (
            app.openapi_url is not None
            and route.path == app.openapi_url
            and not isinstance(route.original_route, APIRoute)
        ):
            continue
        named = f"{' '.join(sorted(route.methods or ()))} {route.path or type(route.original_route).__name__}".strip()
        if not isinstance(route.original_route, APIRoute):
            raise Unprotected(f"{named} cannot say which roles may call it: declare it as a route of a router")
        marks = list(_dependencies(route.dependant))
        roles = [mark.roles for mark in marks if hasattr(mark, "roles")]
        whys = [mark.why for mark in marks if hasattr(mark, "why")]
        # Exactly one of them: with two `allowed`, a caller would need both, which a description could not say.
        if len(roles) + bool(whys) != 1 or roles == [()]:
            raise Unprotected(f"{named} must say which roles may call it, or why everybody may, and not both")
        path, admitted = route.path_format or "", roles[0] if roles else ()
        own = _own(named, path, admitted, next((mark.own for mark in marks if hasattr(mark, "own")), {}))
        regex = compile_path(route.path or "")[0]
        yield RouteAccess(path, frozenset(route.methods or ()), admitted, whys[0] if whys else None, regex, own)


def _own(named: str, path: str, roles: Collection[Role], said: Mapping[Role, str]) -> dict[Role, str]:
    """Complete what the route says of each role. Unprotected when it says nothing of a role that may not have everything."""
    own = dict(said)
    # Enforced by `allowed` itself, so that no route needs to say it.
    if Role.WORKER in roles and f"{{{OWN_PATH}}}" in path:
        own[Role.WORKER] = "themselves"
    if missing := [role for role in roles if role in (Role.WORKER, *OF_ONE) and role not in own]:
        raise Unprotected(f"{named} must say which of it is the {missing[0]}'s own")
    return own


def check_protected(app: FastAPI) -> None:
    """Raise Unprotected, which stops the start, unless every route names its access. Call it last: routes that are added
    afterwards are not seen."""
    for _ in access_of(app):
        pass


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _dependencies(each)
