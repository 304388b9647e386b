"""Errors that speak: RFC 9457 problem documents with a stable code, naming the field that is wrong.

Invariant: whatever goes wrong in a request, the answer is a problem document that reveals nothing of the inside.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.kernel import Refused

log = logging.getLogger(__name__)


class Unavailable(Exception):
    """Something that is needed does not answer, or is still on its way: come again in `after` seconds."""

    def __init__(self, detail: str, after: int = 2) -> None:
        super().__init__(detail)
        self.detail, self.after = detail, after


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **members: Any) -> JSONResponse:
    """The answer: `type` and `code` are stable, `detail` is for people."""
    body = {"type": f"urn:amalavoro:problem:{code}", "title": HTTPStatus(status).phrase, "status": status}
    content = {**body, "code": code, "detail": detail, **members}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every failure with a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_: Request, error: Any) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return problem(error.status, error.code, error.detail, headers, **error.members)


async def _unavailable(_: Request, error: Any) -> JSONResponse:
    return problem(503, "unavailable", error.detail, {"Retry-After": str(error.after)})


async def _invalid(_: Request, error: Any) -> JSONResponse:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return problem(
            400, "malformed-json", f"The body is not JSON: {found[0].get('ctx', {}).get('error', 'unreadable')}."
        )
    errors = [{"field": _field(each["loc"]), "message": each["msg"]} for each in found]
    return problem(422, "invalid", f"{errors[0]['field']}: {errors[0]['message']}.", errors=errors)


def _field(place: Iterable[Any]) -> str:
    return ".".join(str(part) for part in place)


async def _http(_: Request, error: Any) -> JSONResponse:
    code = {404: "not-found", 405: "method-not-allowed", 400: "malformed-json"}.get(error.status_code, "http")
    return problem(error.status_code, code, str(error.detail), dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra={"route": request.url.path[:40]}, exc_info=error)
    return problem(500, "defect", "Something is wrong here, and has been written down.")
