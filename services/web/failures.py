"""Answers to failed requests: problem documents (RFC 9457) with a stable code, and the wrong fields where there are some.

Invariant: an answer reveals nothing of the inside, and no log holds anything that the caller sent.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import Refusal, Refused, Unavailable
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, within
from services.web.problem import problem

log = logging.getLogger(__name__)
MOST = 100  # wrong fields in one answer, since a body may have a million
# Below the 30 s within which every caller gets a 503 while MongoDB is silent (docs/guarantees.md).
PATIENCE = 20.0  # seconds that a request waits for MongoDB
LONGEST = 200  # characters of a field name, which the caller may have invented
STATUS = {
    Refusal.CONFLICT: 409,
    Refusal.FORBIDDEN: 403,
    Refusal.GONE: 410,
    Refusal.INVALID: 422,
    Refusal.NOT_FOUND: 404,
    Refusal.STALE: 412,
    Refusal.TOO_LARGE: 413,
    Refusal.UNAUTHENTICATED: 401,
}
CODES = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "not-json"}


def install(app: Starlette) -> None:
    """Register the handlers that turn exceptions into problem documents."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(PyMongoError, _no_database)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def invalid(errors: Sequence[Mapping[str, str]]) -> JSONResponse:
    """Answer 422 with the wrong fields. `field` begins with its place: body, path, query or header."""
    first = errors[0]
    detail = f"{first['field']}: {first['message'].rstrip('.')}."
    return problem(422, "invalid", detail, errors=[dict(each) for each in errors[:MOST]])


def named(place: Sequence[str | int], why: str) -> dict[str, str]:
    """Describe one wrong field by a dotted name, and in a body also by a JSON pointer (RFC 6901, as a fragment)."""
    steps = [str(step)[:LONGEST] for step in place]
    described = {"field": ".".join(steps), "message": why}
    if steps[0] == "body":
        # `~` is replaced first: in the other order, the tilde of `~1` would be escaped again.
        described["pointer"] = "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps[1:])
    return described


def refused(error: Refused) -> JSONResponse:
    """Make the problem document of a refusal, for middleware that stands outside the handlers."""
    # RFC 9110, section 15.5.2: a 401 names the scheme by which the caller can authenticate.
    headers = {"WWW-Authenticate": "Bearer"} if error.kind is Refusal.UNAUTHENTICATED else None
    return problem(STATUS[error.kind], error.code, error.detail, headers, **error.members)


def unavailable(error: Unavailable) -> JSONResponse:
    """Answer 503, and say when to come again."""
    return problem(503, "unavailable", error.detail, {"Retry-After": str(error.after)})


async def _refused(_: Request, error: Any) -> JSONResponse:
    return refused(error)


async def _unavailable(_: Request, error: Any) -> JSONResponse:
    return unavailable(error)


async def _no_database(_: Request, error: Any) -> JSONResponse:
    """Answer a read that MongoDB failed. Commands raise Unavailable themselves."""
    if not is_transient(error):
        # A defect: `Caught` logs it and answers 500, without the server's text.
        raise error
    return unavailable(Unavailable("The database does not answer."))


async def _invalid(_: Request, error: Any) -> JSONResponse:
    found = error.errors()
    if isinstance(error.body, bytes) and error.body:
        # FastAPI leaves the body as bytes when its media type is not JSON: a form was sent to a route that takes none.
        return problem(415, "not-json", "Send application/json.", {"Accept": "application/json"})
    return invalid([named(each["loc"], each["msg"]) for each in found[: MOST + 1]])


async def _http(_: Request, error: Any) -> JSONResponse:
    code = CODES.get(error.status_code, "http")
    return problem(error.status_code, code, str(error.detail), dict(error.headers or {}))


class Bounded:
    """ASGI middleware that limits the seconds of all MongoDB operations of one request. A server that is connected and silent would
    keep the caller waiting forever."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within PATIENCE."""
        with within(PATIENCE):
            await self._app(scope, receive, send)


class Caught:
    """ASGI middleware that logs an unexpected exception and answers 500. It is inside Starlette's own handler, which would raise the
    exception again for the server to log a second time. An answer that has begun can only be broken off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer 500 if it raises before its answer has begun."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return  # in the middle of a form: nobody is there to read an answer
        except Exception as error:
            # The status is sent already. Raising breaks the connection off, so that no caller takes a part for all.
            if scope["type"] != "http" or begun:
                raise
            log.error("request failed", extra={"route": _route(scope), "error": type(error).__name__}, exc_info=error)  # noqa: TRY400  # outside a handler
            await problem(500, "defect", "Something is wrong here, and has been written down.")(scope, receive, send)


def _route(scope: Scope) -> str:
    """Name the function of the route, since an address may hold a personal link."""
    return f"{scope['method']} {getattr(scope.get('endpoint'), '__qualname__', 'unknown')}"
