"""The console assembled: its routes, and the callers that each admits.

Invariants: without a web session only the front page, the sign-in and the files of `static` answer. A change needs the CSRF token of that
web session. An answer with a page carries the headers that limit what the page may load.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from services import web
from services.contracts.topics import SERVICES
from services.identity.oidc import NotSignedIn, Provider
from services.identity.settings import ConsoleSettings
from services.identity.web_session import WebSession, WebSessions
from services.kernel import Unavailable
from services.operations.console.live import View, over, stream
from services.operations.console.screen import STATIC, site
from services.operations.console.services_client import NoAnswer, NotAllowed, ServicesClient, TokenRefused
from services.web.forms import form_of, typed

log = logging.getLogger(__name__)
LONGEST = 500  # characters of a reason
DONE = {"redrive": "redriven", "dismiss": "dismissed"}
Handler = Callable[[Request, WebSession], Awaitable[Response]]


class OperatorsConsole:
    """The console. Its `routes` belong at `/` of the public address."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._closing = settings, asyncio.Event()
        self._client = httpx.AsyncClient()
        self.sessions, self.provider = WebSessions(settings, clock), Provider(settings, self._client)
        self._services = ServicesClient(self._client, settings.console_services)

    async def close(self) -> None:
        """End every stream, since a server that stops waits for open answers."""
        self._closing.set()
        await self._client.aclose()

    def routes(self) -> list[BaseRoute]:
        """List the routes, those under `/console` in one mount."""
        dead_letter = "/dead/{service}/{id:path}"
        inside: list[BaseRoute] = [
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/sign-in", self._sign_in, methods=["GET"]),
            Route("/signed-in", self._signed_in, methods=["GET"]),
            Route("/sign-out", self._changing(self._sign_out), methods=["POST"]),
            Route("/live", self._live, methods=["GET"]),
            Route(dead_letter, self._inside(self._dead_letter), methods=["GET"]),
            Route(dead_letter, self._changing(self._resolve), methods=["POST"]),
            Mount("/static", _Files(directory=STATIC)),
        ]
        # A router of its own: a mount of a list redirects to the address in the header Host, which a caller chooses.
        return [Route("/", self._home, methods=["GET"]), Mount("/console", Router(inside, redirect_slashes=False))]

    def app(self) -> Starlette:
        """Give an application with these routes alone, for a process of its own."""
        app = Starlette(routes=self.routes())
        web.install_outside(app)
        return app

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"service": "console", "status": "alive"})

    def _inside(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Admit callers that are signed in; send others to `/`."""

        async def guarded(request: Request) -> Response:
            session = self.sessions.of(request)
            return RedirectResponse("/", 303) if session is None else await self._answered(handler, request, session)

        return guarded

    def _changing(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Admit callers that are signed in and send the CSRF token of their own page."""

        async def guarded(request: Request) -> Response:
            session = self.sessions.of(request)
            if session is None:
                return self._notice(request, "expired", 403)
            # Beside SameSite, which older browsers ignore: only a page of this web session has the token.
            given = typed(await form_of(request), "csrf")
            if not secrets.compare_digest(given.encode(), session.csrf.encode()):
                return self._notice(request, "expired", 403, session)
            return await self._answered(handler, request, session)

        return guarded

    async def _answered(self, handler: Handler, request: Request, session: WebSession) -> Response:
        try:
            return await handler(request, session)
        except TokenRefused:
            self.sessions.end(session)
            return self._notice(request, "ended", 401)
        except NotAllowed:
            return self._notice(request, "may-not", 403, session)
        except NoAnswer as silent:
            return self._notice(request, "later", 503, session, str(silent))

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
        parts = await View(self._services, session, site().language(request)).parts()
        banner, session.banner = session.banner, None
        return self._page(request, "console.html", session, parts=parts, banner=banner)

    async def _live(self, request: Request) -> Response:
        # Not by the person: the page opens the stream by itself, also when nobody looks at it.
        session, language = self.sessions.of(request, by_person=False), site().language(request)
        if session is None:
            return _events(over(language))
        events = stream(View(self._services, session, language), self.sessions, session, self._closing, language)
        return _events(events)

    async def _dead_letter(self, request: Request, session: WebSession) -> Response:
        service, id = request.path_params["service"], request.path_params["id"]
        # The name becomes part of an address, so only the names of services are asked.
        found = await self._services.dead_letter(service, id, session.token) if service in SERVICES else None
        if found is None:
            return self._notice(request, "no-such", 404, session)
        banner, session.banner = session.banner, None
        return self._page(request, "dead_letter.html", session, service=service, dead_letter=found, banner=banner)

    async def _resolve(self, request: Request, session: WebSession) -> Response:
        """Redrive a dead letter, or dismiss it for a reason. The next page shows the outcome."""
        service, id, form = request.path_params["service"], request.path_params["id"], await form_of(request)
        action, reason = typed(form, "what"), typed(form, "reason")[:LONGEST].strip()
        if service not in SERVICES or action not in DONE:
            return self._notice(request, "no-such", 404, session)
        body = {"reason": reason} if action == "dismiss" else {}
        result = await self._services.do(action, service, id, session.token, **body)
        if result is None:
            return self._notice(request, "no-such", 404, session)
        answer, done = result
        log.info(
            "dead letter was dealt with",
            extra={"service": service, "reason": action, "status": answer.get("code", "done")},
        )
        if not done:
            session.banner = ("refused", answer["detail"])
            # From fixed parts: a browser takes a path that begins with two slashes for the address of another site.
            return RedirectResponse(f"/console/dead/{service}/{quote(id, safe='/')}", 303)
        # 303: a reload of the page that follows must not send the form again.
        session.banner = ("held" if answer["held"] else DONE[action], "")
        return RedirectResponse("/", 303)

    async def _sign_in(self, request: Request) -> Response:
        try:
            address, sealed = await self.provider.begin()
        except Unavailable:
            return self._notice(request, "later", 503, None, self.settings.issuer)
        answer = RedirectResponse(address, 303)
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
        # A new sign-in ends the former web session of this browser, which would otherwise stay open until it expires.
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
    """Answer with a stream; the header keeps proxies from buffering it."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


class _Files(StaticFiles):
    """Public files, the same for everybody: a browser may keep them for a while."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """Add how long a browser may keep the file."""
        answer = super().file_response(*given, **named)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer
