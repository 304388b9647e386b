"""Sign-in of people at the embedded issuer: the authorization code flow with PKCE, for known clients, behind a password.

Invariants: an answer goes only to an address that is registered for the client. A code is valid once, for a minute, for the holder of the
verifier. The password is shown only where the system was started or is kept, so nobody else on the network can sign in. Who guesses it
waits longer after each guess.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.identity.attempts import Attempts
from services.identity.auth import Role
from services.identity.issuer import WORKDAY, Issuer
from services.identity.oidc import challenge_of
from services.identity.texts import text_of
from services.operations.console.screen import site
from services.web.forms import form_of, typed

CLIENT = "ama-console"
ROLES = (
    Role.SYSTEM_OPERATOR,
    Role.ADMINISTRATOR,
    Role.OPERATOR,
    Role.COORDINATOR,
)  # the others need the id of one worker, facilitator or partner
ASKED = (  # parameters of a request for sign-in that have a meaning here
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
CODE_LASTS = 60.0  # seconds
CHALLENGE = 43  # characters of an S256 challenge
PRINTED, KEPT = "password-printed", "password-kept"  # texts that say where to find the password
PROBE, STUDY = "smoke", "jobs2"  # programmes with invented people, or with those of a study


@dataclass(frozen=True, slots=True)
class Grant:
    """The sign-in that an authorization code completes. `until`: by the monotonic clock."""

    client: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    name: str
    role: str
    programme: str
    until: float


class SignIn:
    """The sign-in pages. `clients` maps a client id to its redirect URI. Every client is public and proves itself by PKCE."""

    def __init__(
        self,
        issuer: Issuer,
        password: str,
        clients: Mapping[str, str],
        programmes: Sequence[str],
        hint: str = PRINTED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._password, self.clients, self._hint = issuer, _digest(password), clients, hint
        self._attempts = Attempts(clock)
        self._programmes = offered(programmes)
        self._grants: dict[str, Grant] = {}

    @classmethod
    def to_the_console(
        cls,
        issuer: Issuer,
        password: str,
        public_url: str,
        programmes: Sequence[str],
        hint: str = PRINTED,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Build a sign-in for one client, the console at that address."""
        return cls(issuer, password, {CLIENT: f"{public_url.rstrip('/')}/console/signed-in"}, programmes, hint, clock)

    def prefer(self, programme: str) -> None:
        """Offer this programme first in the form."""
        self._programmes = sorted(self._programmes, key=lambda each: each != programme)

    def discovery(self) -> dict[str, Any]:
        """Give the members of the discovery document that concern sign-in."""
        return {
            "authorization_endpoint": f"{self._issuer.url}/authorize",
            "token_endpoint": f"{self._issuer.url}/token",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid"],
            "authorization_response_iss_parameter_supported": True,
        }

    def routes(self) -> list[Route]:
        """Give the routes, relative to the issuer's address."""
        return [
            Route("/authorize", self._ask, methods=["GET"]),
            Route("/authorize", self._enter, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        return self._refusal(request) or self._form(request)

    async def _enter(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        form, asked = await form_of(request), request.query_params
        name, password, role, programme = (typed(form, each) for each in ("name", "password", "role", "programme"))
        name, address = name.strip()[:60], request.client.host if request.client else ""
        # No await between the question and the answer: guesses that come at once would all find that there is nothing to wait for.
        if (wait := self._attempts.wait(name, address)) > 0:
            return self._later(request, name, wait)
        # In constant time: the time of an answer must not tell how much of a guess was right.
        right = secrets.compare_digest(_digest(password.strip()), self._password)
        if not (right and _storable(name) and role in ROLES and programme in self._programmes):
            self._attempts.failed(name, address)
            return self._form(request, "wrong-password", name, 403)
        self._attempts.succeeded(name, address)
        code = secrets.token_urlsafe(32)
        client, challenge, nonce = asked["client_id"], asked["code_challenge"], asked.get("nonce")
        until = time.monotonic() + CODE_LASTS
        # Codes that nobody redeemed would otherwise stay in memory for ever.
        self._grants = {each: grant for each, grant in self._grants.items() if grant.until > time.monotonic()}
        self._grants[code] = Grant(client, self.clients[client], challenge, nonce, name, role, programme, until)
        return self._back(asked, code=code)

    def _refusal(self, request: Request) -> Response | None:
        """Answer a request that is wrong; None when it is right. The first check answers on a page of our own: an address that is not
        registered must get no redirection."""
        asked = request.query_params
        registered = self.clients.get(asked.get("client_id", ""))
        if registered is None or asked.get("redirect_uri") != registered:
            return site().page(request, "login.html", 400, asks=False, says="wrong-request")
        if asked.get("response_type") != "code":
            return self._back(asked, error="unsupported_response_type")
        pkce = asked.get("code_challenge_method") == "S256" and len(asked.get("code_challenge", "")) == CHALLENGE
        if not pkce or "openid" not in asked.get("scope", "").split():
            return self._back(asked, error="invalid_request")
        return None

    def _back(self, asked: Mapping[str, str], **answer: str) -> Response:
        # RFC 9207: by `iss` a client of several issuers sees whose answer this is.
        parameters = {**answer, **({"state": asked["state"]} if "state" in asked else {}), "iss": self._issuer.url}
        # 303: the browser follows with a GET. With 307 it would send the form, and the password, to the client.
        return RedirectResponse(f"{self.clients[asked['client_id']]}?{urlencode(parameters)}", 303)

    def _form(self, request: Request, says: str | None = None, name: str = "", status: int = 200) -> Response:
        """Render the form. Its policy names the client's address too, since browsers apply `form-action` to redirections."""
        to = urlsplit(request.query_params["redirect_uri"])
        return site().page(
            request,
            "login.html",
            status,
            forms=f"'self' {to.scheme}://{to.netloc}",
            keeps=ASKED,
            asks=True,
            hint=self._hint,
            says=says,
            name=name[:60],
            programmes=self._programmes,
            roles=ROLES,
        )

    def _later(self, request: Request, name: str, wait: float) -> Response:
        answer = self._form(request, "too-many", name, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer

    async def _token(self, request: Request) -> Response:
        form = await form_of(request)
        if typed(form, "grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        grant = self._grants.pop(typed(form, "code"), None)  # valid once, also when the rest is wrong
        if grant is None or not _redeems(grant, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = self._issuer.token(grant.role, grant.programme, grant.name)
        tokens = {"access_token": access, "id_token": self._issuer.id_token(grant.client, grant.name, grant.nonce)}
        return JSONResponse({**tokens, "token_type": "Bearer", "expires_in": int(WORKDAY), "scope": "openid"})


def offered(served: Sequence[str]) -> list[str]:
    """Order programmes for the form: those with real people first; the probe's only when there is no other."""
    return sorted((each for each in served if each != PROBE), key=lambda each: each == STUDY) or list(served)


def _digest(password: str) -> bytes:
    # Equal in length whatever was typed, so that a comparison takes the same time.
    return hashlib.sha256(password.encode(errors="replace")).digest()


def _storable(name: str) -> bool:
    """Tell if a name can be the subject of a token."""
    try:
        return bool(text_of(name))
    except ValueError:
        return False


def _redeems(grant: Grant, form: FormData) -> bool:
    verifier = typed(form, "code_verifier")
    return (
        time.monotonic() < grant.until
        and typed(form, "client_id") == grant.client
        and typed(form, "redirect_uri") == grant.redirect_uri
        and secrets.compare_digest(challenge_of(verifier).encode(), grant.challenge.encode())
    )
