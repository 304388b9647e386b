"""The two cookies of the site: of a web session, and of a sign-in that was begun.

Invariant: no script reads them, no other site sets them where there is TLS, and no service is sent the one of the web session.
"""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from services.identity.settings import SiteSettings

WEB_SESSION, BEGUN = "ama-site", "ama-signing-in"
COOKIES = "services.front.cookies"  # the cookies of a request as they came, in its scope
BEGUN_LASTS = 600  # seconds for somebody to sign in
_PART = re.compile(r"(?:^|;)\s*(?:__Host-)?(?:ama-site|ama-signing-in)=[^;]*")


class Cookies:
    """Sets and reads the cookies, by names that fit the settings."""

    def __init__(self, settings: SiteSettings) -> None:
        self._tls = settings.tls

    def read(self, request: Request, what: str) -> str:
        """Return a cookie's content; empty when there is none."""
        # The middleware takes our cookies out of the header, and keeps them beside it for our own pages.
        cookies: Mapping[str, str] = request.scope.get(COOKIES, request.cookies)
        return cookies.get(self._named(what), "")

    def remember(self, response: Response, secret: str) -> None:
        """Set the cookie of a web session, which the browser drops when it is closed."""
        self._set(response, WEB_SESSION, secret, None)

    def remember_begun(self, response: Response, secret: str) -> None:
        """Set the cookie of a sign-in that was begun, for BEGUN_LASTS seconds."""
        self._set(response, BEGUN, secret, BEGUN_LASTS)

    def forget(self, response: Response, *what: str) -> None:
        """Have the browser drop these cookies."""
        for each in what:
            self._set(response, each, "", 0)

    def _set(self, response: Response, what: str, value: str, lasts: int | None) -> None:
        # `lax`: with `strict`, a browser would send no cookie on the way back from the provider, or from a link in a mail.
        response.set_cookie(
            self._named(what), value, max_age=lasts, path="/", secure=self._tls, httponly=True, samesite="lax"
        )

    def _named(self, what: str) -> str:
        """Name a cookie. `__Host-` lets only this very host set it; a browser refuses the prefix without TLS."""
        return f"{'__Host-' if self._tls else ''}{what}"


def without_ours(header: bytes) -> bytes:
    """Return a Cookie header without our cookies; empty when nothing is left."""
    return _PART.sub("", header.decode("latin-1")).strip("; ").encode("latin-1")
