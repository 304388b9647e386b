"""Routes that every service has: health, the contracts of its events and of its API, and the log of accesses.

Invariant: those that are open to everybody say nothing about any person or programme, and name no address of the inner network.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from services.contracts import asyncapi, catalogue
from services.identity.auth import open_to_all
from services.web import access_log, contract_pages
from services.web.contract_pages import ContractPage
from services.web.problem import problem


class Healthy(Protocol):
    """The part of a service that the health routes use."""

    @property
    def name(self) -> str:
        """The name of the service."""

    @property
    def ready(self) -> Callable[[], Awaitable[dict[str, str]]]:
        """A function that lists what is not ready, with the reason; empty when all is."""


class DescribedService(Healthy, Protocol):
    """The part of a service that the contract routes use."""

    @property
    def app(self) -> FastAPI:
        """The FastAPI application of the service."""

    @property
    def public_bootstrap(self) -> str | None:
        """The address of Kafka for partners; None when it has none."""

    @property
    def secured(self) -> bool:
        """True when Kafka needs a user and a password."""

    def consumed_types(self) -> list[str]:
        """List the event types that it consumes."""


def health(service: Healthy) -> APIRouter:
    """Build `/healthz` (the process answers) and `/readyz` (its engines answer too)."""
    router = APIRouter(dependencies=[open_to_all("load balancers and container engines ask without a token")])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Report that the process answers."""
        return {"service": service.name, "status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Report that all it needs answers. 503 names what does not."""
        missing = await service.ready()
        if missing:
            # 503: a load balancer then takes another copy of the service, and asks this one again.
            detail = "; ".join(f"{name}: {why}" for name, why in missing.items())
            return problem(503, "not-ready", detail, {"Retry-After": "2"})
        return JSONResponse({"service": service.name, "status": "ready"})

    return router


def common_routes(service: DescribedService) -> list[APIRouter]:
    """Build the health routes, the contract routes and the access log; `/openapi.json` is FastAPI's own.

    A contract changes with the code and the settings alone, so each is rendered once: strangers may ask for it as often as they like.
    """
    router = APIRouter(dependencies=[open_to_all("contracts are published language")])

    @cache
    def described() -> dict[str, Any]:
        kinds = catalogue()
        consumed = [kinds[name] for name in service.consumed_types()]
        return asyncapi.document(
            service.name,
            asyncapi.published_by(service.name),
            consumed,
            bootstrap=service.public_bootstrap,
            secure=service.secured,
        )

    @cache
    def rendered() -> bytes:
        return bytes(JSONResponse(described()).body)

    events = ContractPage("asyncapi.html", lambda: contract_pages.events(described()))
    operations = ContractPage("openapi.html", lambda: contract_pages.operations(service.app.openapi()))

    @router.get("/asyncapi.json", response_model=dict[str, Any])
    async def document() -> Response:
        """Describe the events that it publishes and consumes (AsyncAPI 3.0)."""
        return Response(rendered(), media_type="application/json")

    @router.get("/asyncapi", response_class=HTMLResponse)
    async def events_page(request: Request) -> Response:
        """Show the AsyncAPI document as a page."""
        return events.answer(request)

    @router.get("/docs", response_class=HTMLResponse)
    async def operations_page(request: Request) -> Response:
        """Show the OpenAPI document as a page."""
        return operations.answer(request)

    return [health(service), router, access_log.router]
