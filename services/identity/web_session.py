"""Who is signed in. Kept in memory alone: a restart signs everybody out, and signing out leaves nothing that a stolen cookie could open.

Invariants: a session ends after so long without a request of its person (a page that is merely open is none), after so long altogether,
with its token, and by signing out; its id and its CSRF token are 256 random bits each.
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
    """`told` is what the next page says first."""

    name: str
    token: str
    ends: float
    used: float
    id: str = field(default_factory=_secret)
    csrf: str = field(default_factory=_secret)
    told: tuple[str, str] | None = None


class WebSessions:
    """`clock` counts seconds, from whenever."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle, self._longest = settings.console_idle * 60.0, settings.console_longest * 3600.0
        self._tls, self._clock = settings.tls, clock
        self._open: dict[str, WebSession] = {}

    def begin(self, who: SignedIn) -> WebSession:
        """Anew at each sign-in, so that nobody can have known its id before."""
        now = self._clock()
        self._open = {id: each for id, each in self._open.items() if self._lasts(each)}
        while len(self._open) >= MOST:
            self.end(min(self._open.values(), key=lambda each: each.used))
        session = WebSession(who.name, who.token, now + min(self._longest, who.lasts), now)
        self._open[session.id] = session
        return session

    def of(self, request: Request, by_person: bool = True) -> WebSession | None:
        """Whose request it is; `by_person` when they made it, and not their page by itself."""
        session = self._open.get(request.cookies.get(self._named("session"), ""))
        if session is None or not self.lasts(session):
            return None
        if by_person:
            session.used = self._clock()
        return session

    def lasts(self, session: WebSession) -> bool:
        """Whether it has not ended; one that has is forgotten."""
        if not self._lasts(session):
            self.end(session)
        return session.id in self._open

    def end(self, session: WebSession) -> None:
        """At once, and wherever its cookie is."""
        self._open.pop(session.id, None)

    def remember(self, response: Response, session: WebSession) -> None:
        """In the browser, until that is closed."""
        self._set(response, "session", session.id, None)
        self.forget(response, "signing-in")

    def remember_pending(self, response: Response, sealed: str) -> None:
        """For as long as somebody takes to sign in."""
        self._set(response, "signing-in", sealed, PENDING)

    def pending(self, request: Request) -> str | None:
        """What was left there."""
        return request.cookies.get(self._named("signing-in"))

    def forget(self, response: Response, *what: str) -> None:
        """Have the browser drop these."""
        for each in what or ("session", "signing-in"):
            self._set(response, each, "", 0)

    def _set(self, response: Response, what: str, value: str, lasts: int | None) -> None:
        response.set_cookie(
            self._named(what), value, max_age=lasts, path="/", secure=self._tls, httponly=True, samesite="lax"
        )

    def _named(self, what: str) -> str:
        """With TLS a name that only this very host can set; without, a browser would refuse it."""
        return f"{'__Host-' if self._tls else ''}ama-{what}"

    def _lasts(self, session: WebSession) -> bool:
        now = self._clock()
        return now < session.ends and now - session.used < self._idle
