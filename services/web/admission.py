"""Callers are admitted before their body is read, and the bodies that are being read have a budget.

Invariants: a route for roles reads no byte of a body whose caller has no accepted token of such a role. Callers without a token share a
small budget of their own, so that they take none from the others; no caller with a token has more than a share of theirs. A body that
breaks off reaches no route.
"""

import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.identity import auth
from services.identity.route_access import RouteAccess
from services.kernel import Refusal, Refused, Unavailable
from services.web import failures
from services.web.bodies import LARGEST
from services.web.budget import Body, Budget, Caller
from services.web.problem import problem

KNOWN = 16 * LARGEST  # bytes of the bodies of all callers with a token, that one service holds at a time
SHARE = KNOWN // 4  # of them, those of one person or partner
STRANGERS = (
    4 * LARGEST
)  # the same of all callers without a token, who have no shares: behind a proxy they all have one address
FORM = 64 * 1024  # bytes of one body of a caller without a token: a form


class BrokenOff(Exception):
    """The caller has gone before the end of the body."""


class TooLarge(Exception):
    """The body of a caller without a token is larger than a form. The argument is the limit in bytes."""


class Admitted:
    """ASGI middleware for the routes of a service."""

    def __init__(self, app: ASGIApp, of: FastAPI, routes: Sequence[RouteAccess]) -> None:
        """`of`: the application that `routes` are of, and whose state has the authenticator."""
        self._app, self._of, self._routes = app, of, routes
        self._known, self._strangers = Budget(KNOWN, SHARE), Budget(STRANGERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body within the budget; else answer with a problem document."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal: Response
        try:
            known = await self._known_caller(scope)
            with (self._known if known else self._strangers).counting(known or _address(scope)) as body:
                limit = None if known else FORM
                await self._app(scope, _counted(receive, body, limit), send)
        except BrokenOff:
            return  # nobody is there to read an answer
        except TooLarge as error:
            refusal = problem(413, "too-large", f"A body without a token has at most {error} bytes.", CLOSE)
            await refusal(scope, receive, send)
        except Refused as error:
            await failures.refused(error)(scope, receive, send)
        except Unavailable as error:
            await failures.unavailable(error)(scope, receive, send)

    async def _known_caller(self, scope: Scope) -> Caller | None:
        """Name the caller, whose token the route takes; None for a route that takes none. Refused as the route itself refuses."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))  # without the place where the service is mounted
        for route in self._routes:
            found = route.regex.match(path)
            if found is not None and scope["method"] in route.methods:
                if not route.roles:
                    return None
                who = await self._of.state.auth.who(_token(Headers(scope=scope)))
                auth.permit(who, route.roles, found.groupdict().get(auth.OWN_PATH))
                # A partner is one caller, however many people or systems it has.
                return (who.programme, "partner", who.partner) if who.partner else (who.programme, who.subject)
        return None


CLOSE = {"Connection": "close"}
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _token(headers: Headers) -> str:
    found = _BEARER.fullmatch(headers.get("authorization", "").strip())
    if found is None:
        raise Refused("not-authenticated", "Send a token: Authorization: Bearer …", Refusal.UNAUTHENTICATED)
    return found[1]


def _address(scope: Scope) -> Caller:
    return (scope["client"][0],) if scope.get("client") else ()


def _counted(receive: Receive, body: Body, limit: int | None) -> Receive:
    async def counting() -> Message:
        if body.whole:
            return await receive()  # what follows is the end of the connection
        message = await body.part(receive)
        if message["type"] == "http.disconnect":
            # Else an empty body would stand for one that was never sent whole.
            raise BrokenOff
        if limit is not None and body.seen > limit:
            raise TooLarge(limit)
        return message

    return counting
