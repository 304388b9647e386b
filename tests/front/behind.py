"""A service that stands behind the site's door, and says what it was sent."""

import json
from typing import Any

from joserfc import jws
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send


class Told:
    """Answers every request with its method and its headers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        answer: Response = JSONResponse(
            {"method": request.method, "path": request.url.path, "headers": dict(request.headers)}
        )
        await answer(scope, receive, send)


def claims_of(authorization: str) -> dict[str, Any]:
    """The claims of a header that a service was sent."""
    told: dict[str, Any] = json.loads(jws.extract_compact(authorization.removeprefix("Bearer ").encode()).payload)
    return told
