"""Web sessions of people who are signed in, in memory alone: a restart signs everybody out, and a cookie stolen earlier opens nothing.

Invariants: a web session ends after a time without a request of its person (an open page makes none), after a longest time, with its
token, and by signing out. Its id and its CSRF token are 256 random bits each.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from services.identity.oidc import PENDING, SignedIn
from services.identity.settings import ConsoleSettings

MOST = 1_000  # at once; the one that was idle longest ends first


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class WebSession:
    """One signed-in person in one browser. `banner` is shown once by the next page: the key of a text, and what goes into it."""

    name: str
    token: str
    ends: float
    used: float
    id: str = field(default_factory=_secret)
    csrf: str = field(default_factory=_secret)
    banner: tuple[str, str] | None = None


class WebSessions:
    """All web sessions. `clock` counts seconds from any start."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle, self._longest = settings.console_idle * 60.0, settings.console_longest * 3600.0
        self._tls, self._clock = settings.tls, clock
        self._open: dict[str, WebSession] = {}

    def begin(self, who: SignedIn) -> WebSession:
        """Open a web session under a new id, so that nobody can have planted the id in the browser before."""
        now = self._clock()
        self._open = {id: each for id, each in self._open.items() if self._lasts(each)}
        while len(self._open) >= MOST:
            self.end(min(self._open.values(), key=lambda each: each.used))
        # Not beyond the token: the console does not renew it, and services refuse it from then on.
        session = WebSession(who.name, who.token, now + min(self._longest, who.lasts), now)
        self._open[session.id] = session
        return session

    def of(self, request: Request, by_person: bool = True) -> WebSession | None:
        """Find the web session of a request. `by_person`: the person made it, so the time without a request starts anew."""
        session = self._open.get(request.cookies.get(self._named("session"), ""))
        if session is None or not self.lasts(session):
            return None
        if by_person:  # else an open page, which asks by itself, would keep its web session alive for ever
            session.used = self._clock()
        return session

    def lasts(self, session: WebSession) -> bool:
        """Tell if the web session has not ended; forget it when it has."""
        if not self._lasts(session):
            self.end(session)
        return session.id in self._open

    def end(self, session: WebSession) -> None:
        """End a web session at once, in every place that holds its cookie."""
        self._open.pop(session.id, None)

    def remember(self, response: Response, session: WebSession) -> None:
        """Set the cookie of a web session, which the browser drops when it is closed."""
        self._set(response, "session", session.id, None)
        self.forget(response, "signing-in")

    def remember_pending(self, response: Response, sealed: str) -> None:
        """Set the cookie of a sign-in that was begun, for PENDING seconds."""
        self._set(response, "signing-in", sealed, PENDING)

    def pending(self, request: Request) -> str | None:
        """Read the cookie of a sign-in that was begun."""
        return request.cookies.get(self._named("signing-in"))

    def forget(self, response: Response, *what: str) -> None:
        """Have the browser drop these cookies; without a name, both."""
        for each in what or ("session", "signing-in"):
            self._set(response, each, "", 0)

    def _set(self, response: Response, what: str, value: str, lasts: int | None) -> None:
        # `lax`: with `strict`, a browser would send no cookie on the way back from the provider.
        response.set_cookie(
            self._named(what), value, max_age=lasts, path="/", secure=self._tls, httponly=True, samesite="lax"
        )

    def _named(self, what: str) -> str:
        """Name a cookie. `__Host-` lets only this very host set it; a browser refuses the prefix without TLS."""
        return f"{'__Host-' if self._tls else ''}ama-{what}"

    def _lasts(self, session: WebSession) -> bool:
        now = self._clock()
        return now < session.ends and now - session.used < self._idle
