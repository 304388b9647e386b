"""Routes that every service has: is it alive, is it ready, what does it publish and consume.

Invariant: they are open, and tell nothing of any person or programme.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from services.contracts import asyncapi, catalogue
from services.contracts import page as contract_page
from services.identity.auth import open_to_all
from services.web import openapi_page
from services.web.problem import problem


class Healthy(Protocol):
    """What health needs of a service."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def ready(self) -> Callable[[], Awaitable[dict[str, str]]]:
        """What is not ready, and why; nothing when all is."""


class DescribedService(Healthy, Protocol):
    """What the standing routes need of a service."""

    @property
    def app(self) -> FastAPI:
        """What answers."""

    @property
    def bootstrap(self) -> str:
        """Where its bus is."""

    @property
    def secured(self) -> bool:
        """Whether its bus wants a user and a password."""

    def consumed_types(self) -> list[str]:
        """The event types that it reads."""


def health(service: Healthy) -> APIRouter:
    """`/healthz` (the process answers) and `/readyz` (what it needs answers)."""
    router = APIRouter(dependencies=[open_to_all("load balancers and container engines ask without a token")])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"service": service.name, "status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Everything it needs answers. 503 naming what does not."""
        missing = await service.ready()
        if missing:
            detail = "; ".join(f"{name}: {why}" for name, why in missing.items())
            return problem(503, "not-ready", detail, {"Retry-After": "2"})
        return JSONResponse({"service": service.name, "status": "ready"})

    return router


def common_routes(service: DescribedService) -> list[APIRouter]:
    """Health, and the contracts, each as a document and as a page; `/openapi.json` is FastAPI's own route."""
    router = APIRouter(dependencies=[open_to_all("contracts are published language")])

    def described() -> dict[str, Any]:
        kinds = catalogue()
        consumed = [kinds[name] for name in service.consumed_types()]
        return asyncapi.document(
            service.name,
            asyncapi.published_by(service.name),
            consumed,
            bootstrap=service.bootstrap,
            secure=service.secured,
        )

    @router.get("/asyncapi.json")
    async def document() -> dict[str, Any]:
        """What it publishes and consumes (AsyncAPI 3.0)."""
        return described()

    @router.get("/asyncapi", response_class=HTMLResponse)
    async def page() -> HTMLResponse:
        """The same, to read."""
        return HTMLResponse(contract_page.page(described()))

    @router.get("/docs", response_class=HTMLResponse)
    async def operations() -> HTMLResponse:
        """What can be asked of it (OpenAPI), to read."""
        return HTMLResponse(openapi_page.page(service.app.openapi()))

    return [health(service), router]
