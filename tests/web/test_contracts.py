"""The contract documents of a service: rendered once, since strangers may ask for them as often as they like."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.routing import Mount

from services import web
from services.contracts import asyncapi
from services.identity.auth import open_to_all
from services.web import contract_pages
from services.web.common_routes import common_routes
from tests.helpers.serving import client_of


class Specimen:
    """A service as far as the contract routes see it."""

    name = "enrolment"
    public_bootstrap = None
    secured = False

    def __init__(self) -> None:
        self.app = FastAPI(title="enrolment", version="1", docs_url=None, redoc_url=None)
        for router in common_routes(self):
            self.app.include_router(router)
        web.install(self.app)

    async def ready(self) -> dict[str, str]:
        return {}

    def consumed_types(self) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("path", "module", "function"),
    [
        ("/asyncapi.json", asyncapi, "document"),
        ("/asyncapi", asyncapi, "document"),
        ("/asyncapi", contract_pages, "events"),
        ("/docs", contract_pages, "operations"),
    ],
    ids=["document", "document of the page", "page of events", "page of operations"],
)
async def test_a_contract_is_rendered_once(
    path: str, module: object, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = getattr(module, function)
    rendered = []

    def counting(*given: Any, **named: Any) -> Any:
        rendered.append(path)
        return real(*given, **named)

    monkeypatch.setattr(module, function, counting)
    async with client_of(Specimen().app) as client:
        answers = [await client.get(path) for _ in range(3)]
    assert [each.status_code for each in answers] == [200] * 3
    assert answers[0].content == answers[2].content
    assert len(rendered) == 1


async def test_the_document_says_that_it_is_json() -> None:
    async with client_of(Specimen().app) as client:
        answer = await client.get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["asyncapi"].startswith("3.")


async def test_the_openapi_document_is_rendered_once_for_each_place_and_again_when_routes_have_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered, real = list[bool](), JSONResponse.render

    def counting(response: JSONResponse, content: Any) -> bytes:
        rendered.append("openapi" in content)
        return real(response, content)

    monkeypatch.setattr(JSONResponse, "render", counting)
    app = Specimen().app
    async with client_of(app) as client, client_of(Starlette(routes=[Mount("/enrolment", app)])) as outside:
        alone = [await client.get("/openapi.json") for _ in range(3)]
        mounted = [await outside.get("/enrolment/openapi.json") for _ in range(3)]
        assert rendered == [True] * 2
        app.include_router(
            APIRouter(routes=[APIRoute("/more", Specimen().ready, dependencies=[open_to_all("a test")])])
        )
        assert "/more" in (await client.get("/openapi.json")).json()["paths"]
    assert {each.headers["content-type"] for each in (*alone, *mounted)} == {"application/json"}
    assert alone[0].content == alone[2].content
    assert (alone[0].json().get("servers"), mounted[2].json()["servers"]) == (None, [{"url": "/enrolment"}])


async def test_the_pages_of_the_contracts_are_in_the_frame_and_in_the_language_of_the_reader() -> None:
    async with client_of(Specimen().app) as client:
        italian, english = await client.get("/docs"), await client.get("/docs?lang=en&x=1")
    assert 'href="/docs?lang=en"' in italian.text
    assert "Vai al contenuto" in italian.text
    assert "Skip to the content" in english.text
    assert "default-src 'none'" in english.headers["content-security-policy"]
