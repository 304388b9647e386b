"""Every route says who may call it, or the service does not start."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from services.identity.auth import OF_ONE, Role, Who, allowed, caller, open_to_all
from services.identity.route_access import Unprotected, check_protected
from tests.helpers import specimen
from tests.helpers.serving import Served, client_of, settings_for
from tests.web.denied import assert_denied_by_default, operations

SETTINGS = settings_for("http://127.0.0.1:1/issuer")


async def answer() -> str:
    return "here"


def with_route(*dependencies: Any) -> APIRouter:
    router = APIRouter()
    router.add_api_route("/planted", answer, dependencies=list(dependencies))
    return router


def nested(router: APIRouter) -> APIRouter:
    outer = APIRouter(prefix="/outer")
    outer.include_router(router)
    return outer


def by_caller_alone() -> APIRouter:
    router = APIRouter()

    @router.get("/planted")
    async def planted(who: Annotated[Who, Depends(caller)]) -> str:
        return who.role

    return router


def socket() -> APIRouter:
    router = APIRouter()

    @router.websocket("/planted")
    async def planted(socket: WebSocket) -> None:
        await socket.accept()

    return router


def plain() -> APIRouter:
    return APIRouter(routes=[Route("/planted", PlainTextResponse("here"))])


def hidden() -> APIRouter:
    router = APIRouter()
    router.add_api_route("/planted", answer, include_in_schema=False)
    return router


@pytest.mark.parametrize(
    "planted",
    [
        with_route(),
        nested(with_route()),
        nested(nested(with_route())),
        by_caller_alone(),
        socket(),
        plain(),
        hidden(),
        with_route(allowed()),
        with_route(allowed(Role.OPERATOR), open_to_all("and everybody else")),
        with_route(allowed(Role.OPERATOR), allowed(Role.WORKER, own={Role.WORKER: "theirs"})),
        *(with_route(allowed(Role.OPERATOR, role)) for role in (Role.WORKER, *OF_ONE)),
    ],
    ids=[
        "bare",
        "nested",
        "nested twice",
        "any role",
        "socket",
        "plain",
        "hidden",
        "nobody",
        "open too",
        "two doors",
        "all to a worker",
        "all to a facilitator",
        "all to a referrer",
        "all to a partner",
    ],
)
def test_a_route_that_does_not_say_who_may_call_it_stops_the_build(planted: APIRouter) -> None:
    with pytest.raises(Unprotected, match=r"(must|cannot) say which (roles|of it)"):
        specimen.build(SETTINGS, planted)


def test_a_mount_stops_the_build() -> None:
    app = FastAPI()
    app.router.routes.append(Mount("/files", PlainTextResponse("here")))
    with pytest.raises(Unprotected):
        check_protected(app)


def test_documentation_pages_from_elsewhere_stop_the_build() -> None:
    with pytest.raises(Unprotected, match="/docs"):
        check_protected(FastAPI())


def test_a_router_may_say_it_for_all_of_its_routes() -> None:
    outer = APIRouter(dependencies=[open_to_all("published")])
    outer.include_router(with_route())
    document = specimen.build(SETTINGS, outer).openapi()
    assert document["paths"]["/planted"]["get"]["x-open"] == "published"


def test_the_openapi_names_the_roles_of_each_operation_and_how_they_are_shown() -> None:
    document = specimen.build(SETTINGS).openapi()
    refer = document["paths"]["/referrals"]["post"]
    assert refer["x-roles"] == ["operator", "referrer"]
    assert document["components"]["securitySchemes"][next(iter(refer["security"][0]))]["scheme"] == "bearer"
    assert {"401", "403", "404", "409", "412", "422", "503"} <= set(refer["responses"])
    assert document["paths"]["/answers"]["post"]["x-open"] == "a form behind a signed personal link"
    assert "401" not in document["paths"]["/answers"]["post"]["responses"]
    assert "HTTPValidationError" not in str(document)


def test_routers_are_left_as_they_were_so_two_services_can_be_built_of_them() -> None:
    shared = nested(with_route(allowed(Role.OPERATOR)))
    first, second = (specimen.build(SETTINGS, shared).openapi() for _ in range(2))
    assert first == second
    assert first["paths"]["/outer/planted"]["get"]["x-roles"] == ["operator"]


async def test_whatever_the_openapi_names_is_closed_to_those_whom_it_does_not_name(
    client: httpx.AsyncClient, issuer: Served
) -> None:
    def token_for(role: Role) -> str:
        return issuer.issuer.token(role, "jobs2", "somebody", "isr")

    document = (await client.get("/openapi.json")).json()
    assert await assert_denied_by_default(client, document, token_for) == {"/answers"}


async def test_a_door_that_is_promised_and_not_there_is_found(issuer: Served) -> None:
    app = specimen.build(settings_for(issuer.url))
    app.include_router(with_route())  # after the check
    document = specimen.build(settings_for(issuer.url), with_route(allowed(Role.OPERATOR))).openapi()
    async with client_of(app) as client:
        with pytest.raises(AssertionError, match="GET /planted with None"):
            await assert_denied_by_default(
                client, document, lambda role: issuer.issuer.token(role, "jobs2", "x", "isr")
            )


def test_a_path_gets_something_plausible_in_its_places() -> None:
    paths = {each.path for each in operations(specimen.build(SETTINGS).openapi())}
    assert "/workers/somebody" in paths
