"""Problem documents (RFC 9457) with a stable code."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **members: Any) -> JSONResponse:
    """Build the answer. `type` and `code` are stable; `detail` is for people; `members` are added to the document."""
    body = {"type": f"urn:amalavoro:problem:{code}", "title": HTTPStatus(status).phrase, "status": status}
    content = {**body, "code": code, "detail": detail, **members}
    return JSONResponse(content, status, headers, media_type="application/problem+json")
