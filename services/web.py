"""HTTP as every service speaks it: bodies checked before anything reads them, health, and pages that describe the service.

Invariant: no body larger than the limit is ever held, and no text reaches a rule that an engine could not store.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import problems
from services.auth import open_to_all
from services.contracts import asyncapi, catalogue
from services.contracts import page as contract_page
from services.kernel import Refused
from services.problems import Unavailable

__all__ = ["Body", "Day", "Moment", "Unavailable", "etag", "install", "standing_routes", "version_of"]

LARGEST = 1024 * 1024  # bytes of a request's body
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


def _in_this_age(moment: datetime) -> datetime:
    if not EARLIEST.year <= moment.year <= LATEST.year:
        raise ValueError(f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_this_age)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def etag(version: int) -> str:
    """The entity tag of an aggregate's version."""
    return f'"{version}"'


def version_of(tag: str) -> int:
    """The version that an If-Match names. Refused(412) when it is no tag of ours: then nothing matches."""
    digits = tag.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 12:
        raise Refused("changed-meanwhile", "If-Match names no version of this.", status=412)
    return int(digits)


class CheckedBodies:
    """Pure ASGI: reads a body whole, up to the limit, and refuses what is no JSON text (lone surrogates, NaN) before it is parsed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but bodies through."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            if size > LARGEST:
                refusal = problems.problem(413, "too-large", f"A body has at most {LARGEST} bytes.", {"Connection": "close"})
                await refusal(scope, receive, send)
                return
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(chunks)
        if (refused := _unreadable(scope, body)) is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)


def _unreadable(scope: Scope, body: bytes) -> JSONResponse | None:
    kind = dict(scope["headers"]).get(b"content-type", b"").split(b";")[0].strip().lower()
    if not body or kind == b"application/x-www-form-urlencoded":
        return None
    if kind != b"application/json":
        return problems.problem(415, "not-json", "Send application/json.")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return problems.problem(400, "malformed-json", f"The body is not JSON: {error}.")
    return None


def _once(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def install(app: FastAPI) -> None:
    """Problem documents for whatever goes wrong, and checked bodies."""
    problems.install(app)
    app.add_middleware(CheckedBodies)
    for route in app.routes:
        if hasattr(route, "responses"):
            route.responses = {**_PROBLEMS, **route.responses}


class Problem(BaseModel):
    """RFC 9457, with a stable code."""

    type: str
    title: str
    status: int
    code: str
    detail: str


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {"schema": Problem.model_json_schema()}}}
    for status, text in (
        (400, "The request is not HTTP or JSON as it should be"),
        (401, "No token, or one that is not accepted"),
        (403, "Not in this role, or not yours"),
        (404, "There is no such thing"),
        (409, "A rule says no"),
        (410, "The person was erased"),
        (412, "Changed since it was read"),
        (413, "Too large"),
        (415, "Not JSON"),
        (422, "A field is wrong"),
        (503, "An engine is away, or something is still on its way: see Retry-After"),
    )
}


class Standing(Protocol):
    """What the standing routes need of a service."""

    name: str
    app: FastAPI

    async def ready(self) -> dict[str, str]:
        """What is not ready, and why."""

    def consumed_types(self) -> list[str]:
        """The event types that it reads."""

    bootstrap: str


def health(service: Standing) -> APIRouter:
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
            return problems.problem(503, "not-ready", "; ".join(f"{name}: {why}" for name, why in missing.items()), {"Retry-After": "2"})
        return JSONResponse({"service": service.name, "status": "ready"})

    return router


def standing_routes(service: Standing) -> list[APIRouter]:
    """Health, and the contracts: OpenAPI is FastAPI's own; AsyncAPI as document and as page."""
    router = APIRouter(dependencies=[open_to_all("contracts are published language")])

    def described() -> dict[str, Any]:
        kinds = catalogue()
        consumed = [kinds[name] for name in service.consumed_types()]
        return asyncapi.document(service.name, asyncapi.published_by(service.name), consumed, bootstrap=service.bootstrap)

    @router.get("/asyncapi.json")
    async def document() -> dict[str, Any]:
        """What it publishes and consumes (AsyncAPI 3.0)."""
        return described()

    @router.get("/asyncapi", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:  # noqa: ARG001
        """The same, to read."""
        return HTMLResponse(contract_page.page(described()))

    return [health(service), router]
