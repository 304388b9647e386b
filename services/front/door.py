"""The door between browsers and services: a web session becomes a bearer token, and a change that another site asked for is refused.

Invariants: a request that carries an Authorization header of its own is its caller's alone: no cookie counts for it. A service is never
sent the cookie. What a page of another site asks for changes nothing, by whatever method but reading ones.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.front.cookies import COOKIES, WEB_SESSION, Cookies, without_ours
from services.front.people import WebSession, WebSessions
from services.front.sealed import name_of
from services.identity.issuer import Issuer
from services.store.mongo import PyMongoError, within

READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LASTS, FRESH = 300.0, 150.0  # seconds of a token, and those that it has left at least when a service is sent it
REMEMBERED = 1_000  # tokens, so that services need not verify another one with each request
PATIENCE = 10.0  # seconds that a request waits for MongoDB
OWN = "services.front.web_session"  # the web session of a request, in its scope, for the front's own pages


Answering = Callable[[Request], Response]


class CrossSite(Exception):
    """A page of another site asked for a change."""


def refuse_cross_site(method: str, headers: Headers, base: str) -> None:
    """Raise CrossSite for a change that a page of another site asked for. `base`: the public address of this site.

    Browsers say so in Sec-Fetch-Site where the site has TLS or is on this machine, and in Origin everywhere. A program sends neither, and
    has no cookie that it did not choose to send.
    """
    if method in READING:
        return
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        # `none`: typed or opened by the person. `same-site` is another host of the domain, which is not ours.
        if fetched not in ("same-origin", "none"):
            raise CrossSite
        return
    origin = headers.get("origin")
    if origin is not None and _origin(origin) != _origin(base):
        raise CrossSite


def _origin(address: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port; None for `null` and anything else that is no origin."""
    try:
        url = urlsplit(address)
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:
        return None
    return (url.scheme, url.hostname, port) if url.hostname else None


class Tokens:
    """Tokens of our own issuer for what somebody chose in their web session."""

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._clock = issuer, clock
        self._made: OrderedDict[tuple[str, ...], tuple[str, float]] = OrderedDict()

    def of(self, session: WebSession) -> str | None:
        """Return a token for this web session; None before a role is chosen."""
        who = session.who
        if who is None:
            return None
        # All that the token says is in the key, so that none outlives a change of the account.
        key = (name_of(session.secret), who.role, who.subject, who.programme, who.partner or "", who.name or "")
        token, until = self._made.get(key, ("", 0.0))
        if until - self._clock() < FRESH:
            token = self._issuer.token(who.role, who.programme, who.subject, who.partner, LASTS, name=who.name)
            self._made[key] = token, self._clock() + LASTS
            self._made.move_to_end(key)
            if len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
        return token


@dataclass(frozen=True, slots=True)
class Passage:
    """The part of a judgement that goes on with a request. `authorization`: the header, or None."""

    session: WebSession | None
    authorization: str | None


class Passing:
    """Decides about each request; the middleware and `/forward-auth` ask it."""

    def __init__(self, sessions: WebSessions, cookies: Cookies, tokens: Tokens, base: str) -> None:
        self._sessions, self._cookies, self._tokens, self._base = sessions, cookies, tokens, base

    async def judge(self, method: str, request: Request) -> Passage:
        """Decide about one request. CrossSite when it must not pass."""
        headers = request.headers
        if (own := headers.get("authorization")) is not None:
            return Passage(None, own)
        refuse_cross_site(method, headers, self._base)
        # Not by the person: an open page asks for its stream by itself, also when nobody looks at it.
        by_person = "text/event-stream" not in headers.get("accept", "")
        session = await self._sessions.find(self._cookies.read(request, WEB_SESSION), by_person)
        token = self._tokens.of(session) if session is not None else None
        return Passage(session, f"Bearer {token}" if token else None)


class FrontDoor:
    """ASGI middleware: turns the cookie into a bearer token for everything behind it. `refused` answers a refused change, `away` whoever
    has a cookie while the database is away."""

    def __init__(self, app: ASGIApp, passing: Passing, refused: Answering, away: Answering) -> None:
        self._app, self._passing, self._refused, self._away = app, passing, refused, away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a token and without the cookie."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            with within(PATIENCE):
                passage = await self._passing.judge(scope["method"], request)
        except CrossSite:
            await self._refused(request)(scope, receive, send)
            return
        except PyMongoError:
            await self._away(request)(scope, receive, send)
            return
        headers = _passed(scope["headers"], passage.authorization)
        await self._app({**scope, "headers": headers, OWN: passage.session, COOKIES: request.cookies}, receive, send)


def _passed(headers: Iterable[tuple[bytes, bytes]], authorization: str | None) -> list[tuple[bytes, bytes]]:
    """Return the headers that go on."""
    passed = []
    for name, value in headers:
        if name == b"cookie":
            value = without_ours(value)  # noqa: PLW2901  # the same header, shorter
            if not value:
                continue
        passed.append((name, value))
    if authorization is not None:
        MutableHeaders(raw=passed)["authorization"] = authorization
    return passed
