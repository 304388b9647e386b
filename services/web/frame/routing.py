"""Routes of pages, and pages in place of problem documents.

Invariant: people never see a problem document: whatever refuses a request for a page, a rule, a check of the body or a defect, is answered
with a page in the frame that says what to do next. Programs at other addresses get the documents as before.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import Refused, Unavailable
from services.web.forms import LARGEST, URLENCODED
from services.web.frame.addresses import NO_PAGES, is_page, segment_of
from services.web.frame.frame import Frame

TAG = "pages"  # of the operations of pages in an OpenAPI document
PROBLEM = "application/problem+json"
SIGN_IN = "/accedi"
_HELD = "ama.page"  # key of the scope: which frame the route has


def page_router(frame: Frame | None = None) -> APIRouter:
    """Make a router of pages. `frame`: the one whose sentences its refusals have; without it, those of the chassis alone."""

    class PageRoute(APIRoute):
        """A route whose refusals have the sentences of its room."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Tell the middleware outside which frame the page has."""
            handle = super().get_route_handler()

            async def held(request: Request) -> Response:
                if frame is not None:
                    request.scope.get(_HELD, {})["frame"] = frame
                return await handle(request)

            return held

    return APIRouter(tags=[TAG], default_response_class=HTMLResponse, route_class=PageRoute)


class Pages:
    """ASGI middleware that makes pages of problem documents, where a person looks, and answers HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._plain = app, Frame()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer with a page when it is refused."""
        # Applications stand inside each other: the innermost makes the page, since it knows the caller and the frame of the route.
        if scope["type"] != "http" or not _looked_at(scope):
            await self._app(scope, receive, send)
            return
        held: dict[str, Frame] = {}
        head = scope["method"] == "HEAD"
        # FastAPI's routes have no HEAD; crawlers and link checkers ask for it.
        inner = {**scope, "method": "GET" if head else scope["method"], _HELD: held}
        answer, body = _Answer(send, head=head), _Body(receive)
        await self._app(inner, body, answer)
        if answer.problem is not None:
            page = await self._page(Request(inner, receive), answer, held.get("frame", self._plain), body)
            await page(scope, receive, answer.passed)

    async def _page(self, request: Request, answer: "_Answer", frame: Frame, body: "_Body") -> Response:
        status, code, members = answer.read()
        if status == 401 and request.method == "GET":
            address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(address, safe='')}", 303)
        # A refusal that came before the body was read: what was typed is still to be had, and only then.
        typed = await _typed(request) if status == 401 and not body.begun else []
        page = frame.refusal(request, status, code, await caller_of(request), typed, **members)
        for name, value in answer.kept.items():
            page.headers[name] = value
        return page


def _looked_at(scope: Scope) -> bool:
    path: str = scope["path"]
    if is_page(path):
        return True
    # Anywhere else at the root a browser says that it wants a page, and a program does not.
    return segment_of(path) not in NO_PAGES and "text/html" in Headers(scope=scope).get("accept", "")


class _Body:
    """The body of a request, which notes whether anybody has begun to read it."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self.begun = receive, False

    async def __call__(self) -> Message:
        self.begun = True
        return await self._receive()


class _Answer:
    """The answer of the application, passed on at once, apart from a problem document, which is kept."""

    def __init__(self, send: Send, *, head: bool) -> None:
        self._send, self._head = send, head
        self.problem: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
            if kind.startswith(PROBLEM):
                self.problem = message
                return
        if self.problem is not None:
            self._body += message.get("body", b"")
            return
        await self.passed(message)

    async def passed(self, message: Message) -> None:
        """Send on; of the answer to HEAD, the headers alone."""
        if self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def read(self) -> tuple[int, str, dict[str, Any]]:
        """Return status, code and further members of the problem."""
        assert self.problem is not None
        members = json.loads(self._body)
        known = {"type", "title", "status", "code", "detail", "errors"}
        further = {name: value for name, value in members.items() if name not in known}
        return self.problem["status"], members["code"], further

    @property
    def kept(self) -> dict[str, str]:
        """Headers that the page has too, such as when to come again."""
        assert self.problem is not None
        given = MutableHeaders(raw=self.problem["headers"])
        return {
            name: given[name] for name in ("retry-after", "allow", "www-authenticate", "connection") if name in given
        }


async def _typed(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form that was sent without a token, since a web session may end while somebody writes."""
    length = request.headers.get("content-length", "")
    small = length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= LARGEST
    if not small or not request.headers.get("content-type", "").startswith(URLENCODED):
        return []
    try:
        return parse_qsl((await request.body()).decode(), keep_blank_values=True)
    except (UnicodeDecodeError, ClientDisconnect):
        return []


async def caller_of(request: Request) -> Any:
    """Return who calls, for the navigation of the page; None when that cannot be told."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    app = request.scope.get("app")
    authenticator = getattr(getattr(app, "state", None), "auth", None)
    if authenticator is None or kind.lower() != "bearer":
        return None
    try:
        return await authenticator.who(token.strip())
    except (Refused, Unavailable):
        return None  # that is what the page says, and it has no navigation then
