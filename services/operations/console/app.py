"""The console put together: its routes, and who may come through each.

Invariants: but for the front page, signing in and the files of `static`, nothing answers without a session; nothing is changed without that
session's CSRF token; an answer that shows a page says what the page may do.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from services import web
from services.contracts.topics import SERVICES
from services.identity.oidc import NotSignedIn, Provider
from services.identity.settings import ConsoleSettings
from services.identity.web_session import WebSession, WebSessions
from services.kernel import Unavailable
from services.operations.console import assets
from services.operations.console.live import View, over, stream
from services.operations.console.screen import STATIC, site
from services.operations.console.services_client import Asking, Away, MayNot, Stranger
from services.web.forms import form_of

log = logging.getLogger(__name__)
LONGEST = 500  # characters of a reason
DONE = {"redrive": "redriven", "dismiss": "dismissed"}
Handler = Callable[[Request, WebSession], Awaitable[Response]]


class OperatorsConsole:
    """`routes` are to stand at `/` of the public address. Misconfigured when its files are not there."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> None:
        assets.check()
        self.settings, self._closing = settings, asyncio.Event()
        self._client = httpx.AsyncClient()
        self.sessions, self.provider = WebSessions(settings, clock), Provider(settings, self._client)
        self._asking = Asking(self._client, settings.console_services)

    async def close(self) -> None:
        """End every stream, so that whoever serves need not wait for them."""
        self._closing.set()
        await self._client.aclose()

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        letter = "/dead/{service}/{id:path}"
        inside: list[BaseRoute] = [
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/sign-in", self._sign_in, methods=["GET"]),
            Route("/signed-in", self._signed_in, methods=["GET"]),
            Route("/sign-out", self._changing(self._sign_out), methods=["POST"]),
            Route("/live", self._live, methods=["GET"]),
            Route(letter, self._inside(self._letter), methods=["GET"]),
            Route(letter, self._changing(self._deal), methods=["POST"]),
            Mount("/static", _Files(directory=STATIC)),
        ]
        return [Route("/", self._home, methods=["GET"]), Mount("/console", routes=inside)]

    def app(self) -> Starlette:
        """By itself, in a process of its own."""
        app = Starlette(routes=self.routes())
        web.install_outside(app)
        return app

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"service": "console", "status": "alive"})

    def _inside(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """For who is signed in; others are sent to `/`."""

        async def guarded(request: Request) -> Response:
            session = self.sessions.of(request)
            return RedirectResponse("/", 303) if session is None else await self._answered(handler, request, session)

        return guarded

    def _changing(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """For who is signed in and sends what their own page holds."""

        async def guarded(request: Request) -> Response:
            session = self.sessions.of(request)
            if session is None:
                return self._notice(request, "expired", 403)
            given = (await form_of(request)).get("csrf")
            if not isinstance(given, str) or not secrets.compare_digest(given.encode(), session.csrf.encode()):
                return self._notice(request, "expired", 403, session)
            return await self._answered(handler, request, session)

        return guarded

    async def _answered(self, handler: Handler, request: Request, session: WebSession) -> Response:
        try:
            return await handler(request, session)
        except Stranger:
            self.sessions.end(session)
            return self._notice(request, "ended", 401)
        except MayNot:
            return self._notice(request, "may-not", 403, session)
        except Away as away:
            return self._notice(request, "later", 503, session, str(away))

    def _notice(
        self, request: Request, says: str, status: int, session: WebSession | None = None, more: str = ""
    ) -> Response:
        return self._page(request, "notice.html", session, status, says=says, more=more)

    def _page(
        self, request: Request, template: str, session: WebSession | None, status: int = 200, **shown: Any
    ) -> Response:
        return site().page(request, template, status, self.settings.tls, session=session, **shown)

    async def _home(self, request: Request) -> Response:
        session = self.sessions.of(request)
        if session is None:
            return self._page(request, "front.html", None, services=SERVICES)
        return await self._answered(self._console, request, session)

    async def _console(self, request: Request, session: WebSession) -> Response:
        parts = await View(self._asking, session, site().language(request)).parts()
        told, session.told = session.told, None
        return self._page(request, "console.html", session, parts=parts, told=told)

    async def _live(self, request: Request) -> Response:
        session, language = self.sessions.of(request, by_person=False), site().language(request)
        if session is None:
            return _events(over(language))
        events = stream(View(self._asking, session, language), self.sessions, session, self._closing, language)
        return _events(events)

    async def _letter(self, request: Request, session: WebSession) -> Response:
        service, id = request.path_params["service"], request.path_params["id"]
        letter = await self._asking.letter(service, id, session.token) if service in SERVICES else None
        if letter is None:
            return self._notice(request, "no-such", 404, session)
        told, session.told = session.told, None
        return self._page(request, "letter.html", session, service=service, letter=letter, told=told)

    async def _deal(self, request: Request, session: WebSession) -> Response:
        """Redrive it, or dismiss it for a reason. What became of that is said on the page that follows."""
        service, id, form = request.path_params["service"], request.path_params["id"], await form_of(request)
        what, reason = form.get("what"), str(form.get("reason", ""))[:LONGEST].strip()
        if service not in SERVICES or what not in DONE:
            return self._notice(request, "no-such", 404, session)
        body = {"reason": reason} if what == "dismiss" else {}
        told, done = await self._asking.do(str(what), service, id, session.token, **body)
        log.info(
            "dead letter was dealt with",
            extra={"service": service, "reason": what, "status": told.get("code", "done")},
        )
        if not done:
            session.told = ("refused", told["detail"])
            return RedirectResponse(request.url.path, 303)
        session.told = ("held" if told["held"] else DONE[str(what)], "")
        return RedirectResponse("/", 303)

    async def _sign_in(self, request: Request) -> Response:
        try:
            where, sealed = await self.provider.begin()
        except Unavailable:
            return self._notice(request, "later", 503, None, self.settings.issuer)
        answer = RedirectResponse(where, 303)
        self.sessions.remember_pending(answer, sealed)
        return answer

    async def _signed_in(self, request: Request) -> Response:
        try:
            who = await self.provider.finish(dict(request.query_params), self.sessions.pending(request))
        except NotSignedIn as error:
            log.warning("sign-in was refused", extra={"reason": error.why})
            answer = self._notice(request, "bad-sign-in", 400)
            self.sessions.forget(answer, "signing-in")
            return answer
        except Unavailable:
            return self._notice(request, "later", 503, None, self.settings.issuer)
        if (earlier := self.sessions.of(request)) is not None:
            self.sessions.end(earlier)
        answer = RedirectResponse("/", 303)
        self.sessions.remember(answer, self.sessions.begin(who))
        return answer

    async def _sign_out(self, request: Request, session: WebSession) -> Response:
        self.sessions.end(session)
        answer = self._notice(request, "signed-out", 200)
        self.sessions.forget(answer)
        return answer


def _events(events: AsyncIterator[str]) -> Response:
    """As they come: no proxy is to gather them."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


class _Files(StaticFiles):
    """Public files, the same for everybody: a browser may keep them for a while."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """With how long."""
        answer = super().file_response(*given, **named)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer
