"""The console assembled: its routes, and the callers that each admits.

Invariants: it knows bearer tokens alone, as every service does, and passes the caller's own on to the services, which decide on rights. It
keeps nothing of a caller. An answer with a page carries the headers that limit what the page may load.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, Router

from services.contracts.topics import SERVICES
from services.operations.console.live import View, over, stream
from services.operations.console.screen import FRAME
from services.operations.console.services_client import NoAnswer, NotAllowed, ServicesClient, TokenRefused
from services.operations.console.wording import BANNERS, NOTICES, STATES
from services.web.forms import form_of, typed
from services.web.frame.routing import caller_of

log = logging.getLogger(__name__)
LONGEST = 500  # characters of a reason
HOME = "/console"
DONE = {"redrive": "redriven", "dismiss": "dismissed"}
TOLD = ("redriven", "dismissed", "held")  # banners that an address may ask for


class Caller(NamedTuple):
    """A caller: their token, which the services verify."""

    token: str


Handler = Callable[[Request, Caller], Awaitable[Response]]


class OperatorsConsole:
    """The console. Its `routes` belong at `/` of the public address. `services`: the address of a service, with {service} for its name."""

    def __init__(self, client: httpx.AsyncClient, services: str) -> None:
        self._services, self._closing = ServicesClient(client, services), asyncio.Event()

    def close(self) -> None:
        """End every stream, since a server that stops waits for open answers."""
        self._closing.set()

    def routes(self) -> list[BaseRoute]:
        """List the routes, those under `/console/` in one mount."""
        dead_letter = "/dead/{service}/{id:path}"
        inside: list[BaseRoute] = [
            Route("/live", self._live, methods=["GET"]),
            Route(dead_letter, self._inside(self._dead_letter), methods=["GET"]),
            Route(dead_letter, self._inside(self._resolve), methods=["POST"]),
        ]
        # A router of its own: a mount of a list redirects to the address in the header Host, which a caller chooses.
        home = Route(HOME, self._inside(self._console), methods=["GET"])
        return [home, Mount(HOME, Router(inside, redirect_slashes=False))]

    def _inside(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Admit callers with a token; send others to sign in."""

        async def guarded(request: Request) -> Response:
            caller = _caller(request)
            if caller is None:
                return RedirectResponse(f"/accedi?next={quote(request.url.path, safe='')}", 303)
            return await self._answered(handler, request, caller)

        return guarded

    async def _answered(self, handler: Handler, request: Request, caller: Caller) -> Response:
        try:
            return await handler(request, caller)
        except TokenRefused:
            return await self._notice(request, "ended", 401)
        except NotAllowed:
            return await self._notice(request, "may-not", 403, caller)
        except NoAnswer as silent:
            return await self._notice(request, "later", 503, caller, str(silent))

    async def _notice(
        self, request: Request, says: str, status: int, caller: Caller | None = None, more: str = ""
    ) -> Response:
        return await self._page(
            request, "notice.html", status, notice=NOTICES[says], more=more, signed_in=caller is not None
        )

    async def _page(self, request: Request, template: str, status: int = 200, **shown: Any) -> Response:
        who = await caller_of(request)
        return FRAME.page(request, template, who=who, status=status, states=STATES, banners=BANNERS, **shown)

    async def _console(self, request: Request, caller: Caller) -> Response:
        parts = await View(self._services, caller.token, FRAME.language(request)).parts()
        done = request.query_params.get("fatto", "")
        banner = (done, "") if done in TOLD else None
        return await self._page(request, "console.html", parts=parts, banner=banner)

    async def _live(self, request: Request) -> Response:
        caller, language = _caller(request), FRAME.language(request)
        if caller is None:
            return _events(over(language))
        view = View(self._services, caller.token, language)
        # What the browser writes is compared with digests, and shown nowhere.
        return _events(stream(view, self._closing, request.headers.get("last-event-id", "")[:LONGEST]))

    async def _dead_letter(self, request: Request, caller: Caller) -> Response:
        return await self._shown(request, caller)

    async def _shown(self, request: Request, caller: Caller, refusal: str | None = None) -> Response:
        """Show a dead letter; with a `refusal`, why nothing was done with it."""
        service, id = request.path_params["service"], request.path_params["id"]
        # The name becomes part of an address, so only the names of services are asked.
        found = await self._services.dead_letter(service, id, caller.token) if service in SERVICES else None
        if found is None:
            return await self._notice(request, "no-such", 404, caller)
        banner, status = (None, 200) if refusal is None else (("refused", refusal), 409)
        return await self._page(request, "dead_letter.html", status, service=service, dead_letter=found, banner=banner)

    async def _resolve(self, request: Request, caller: Caller) -> Response:
        """Redrive a dead letter, or dismiss it for a reason. The next page shows the outcome."""
        service, id, form = request.path_params["service"], request.path_params["id"], await form_of(request)
        action, reason = typed(form, "what"), typed(form, "reason")[:LONGEST].strip()
        if service not in SERVICES or action not in DONE:
            return await self._notice(request, "no-such", 404, caller)
        body = {"reason": reason} if action == "dismiss" else {}
        result = await self._services.do(action, service, id, caller.token, **body)
        if result is None:
            return await self._notice(request, "no-such", 404, caller)
        answer, done = result
        log.info(
            "dead letter was dealt with",
            extra={"service": service, "reason": action, "status": answer.get("code", "done")},
        )
        if not done:
            return await self._shown(request, caller, str(answer["detail"]))
        # 303: a reload of the page that follows must not send the form again.
        return RedirectResponse(f"{HOME}?fatto={'held' if answer['held'] else DONE[action]}", 303)


def _caller(request: Request) -> Caller | None:
    """Return the caller; None for a request without a token."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        return None
    return Caller(token.strip())


def _events(events: AsyncIterator[str]) -> Response:
    """Answer with a stream; the header keeps proxies from buffering it."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
