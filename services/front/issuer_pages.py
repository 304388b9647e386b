"""Sign-in of people at our own issuer: the authorization code flow with PKCE, for the site, with a personal account.

Invariants: an answer goes only to an address that is registered for the client. A code is valid once, for a minute, for the holder of the
verifier, in any copy. Who guesses a password waits longer after each guess.
"""

import math
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.front.accounts import Account, Accounts, login_of
from services.front.pages import FRAME
from services.front.sealed import Clock, Sealed, utc
from services.identity.attempts import Attempts
from services.identity.issuer import ID_LASTS, Issuer
from services.identity.oidc import challenge_of
from services.settings import Misconfigured
from services.store.mongo import Store
from services.web.forms import form_of, typed
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

COLLECTION = "codes"
CODE_LASTS = timedelta(seconds=60)
CHALLENGE = 43  # characters of an S256 challenge
LONGEST = 1_000  # characters of a password that are looked at
FORM = Form(
    Field(
        "name",
        N_("Account name"),
        hint=N_("As whoever gave you the account wrote it, such as anna.bianchi"),
        autocomplete="username",
    ),
    Field("password", N_("Password"), kind=Kind.PASSWORD, autocomplete="current-password"),
)


class IssuerPages:
    """The sign-in pages. `clients` maps a client id to its redirect URI. Every client is public and proves itself by PKCE."""

    def __init__(
        self,
        issuer: Issuer,
        store: Store,
        accounts: Accounts,
        clients: Mapping[str, str],
        attempts: Attempts,
        clock: Clock = utc,
    ) -> None:
        self._issuer, self._accounts, self._attempts, self.clients = issuer, accounts, attempts, clients
        self._codes, self._clock = Sealed(store, COLLECTION, clock), clock

    async def prepare(self) -> None:
        """Make the collections and their indexes."""
        await self._codes.prepare()
        await self._attempts.prepare()

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
            "scopes_supported": ["openid", "profile"],
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
        return self._refusal(request) or self._form(request, FORM.empty())

    async def _enter(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        filled = await FORM.filled(request)
        name, password = filled.values["name"], filled.values["password"][:LONGEST]
        for field, value in (("name", name), ("password", password)):
            if not value:
                filled.wrong(field, N_("Fill in: %(label)s"))
        if filled.errors:
            return self._form(request, filled)
        attempt = await self._attempts.begin(name, request.client.host if request.client else "")
        if isinstance(attempt, float):
            return self._later(request, filled, attempt)
        account = await self._known(name, password)
        if account is None:
            self._attempts.failed(attempt)
            filled.wrong("", N_("The account name or the password is not right."))
            return self._form(request, filled, 403)
        await self._attempts.succeeded(attempt)
        return self._back(request.query_params, code=await self._code(request, account))

    async def _known(self, name: str, password: str) -> Account | None:
        try:
            login = login_of(name)
        except Misconfigured:
            login = ""  # no account: what follows takes as long as for one
        return await self._accounts.who(login, password)

    async def _code(self, request: Request, account: Account) -> str:
        asked = request.query_params
        content = {each: asked.get(each) for each in ("client_id", "code_challenge", "nonce")}
        return await self._codes.keep({**content, "login": account.login}, self._clock() + CODE_LASTS)

    def _refusal(self, request: Request) -> Response | None:
        """Answer a request that is wrong; None when it is right. The first check answers on a page of our own: an address that is not
        registered must get no redirection."""
        asked = request.query_params
        registered = self.clients.get(asked.get("client_id", ""))
        if registered is None or asked.get("redirect_uri") != registered:
            return FRAME.page(request, "not_signed_in.html", status=400)
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

    def _form(self, request: Request, filled: Filled, status: int = 200) -> Response:
        """Render the form. Its policy names the client's address too, since browsers apply `form-action` to redirections."""
        to = urlsplit(request.query_params["redirect_uri"])
        forms = f"'self' {to.scheme}://{to.netloc}"
        return FRAME.page(request, "sign_in.html", status=status, forms=forms, form=filled)

    def _later(self, request: Request, filled: Filled, wait: float) -> Response:
        seconds = math.ceil(wait)
        filled.wrong("", N_("Too many attempts failed. Try again in %(seconds)d seconds."), seconds=seconds)
        answer = self._form(request, filled, 429)
        answer.headers["Retry-After"] = str(seconds)
        return answer

    async def _token(self, request: Request) -> Response:
        form = await form_of(request)
        if typed(form, "grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        grant = await self._codes.take(typed(form, "code"))  # valid once, also when the rest is wrong
        if grant is None or not self._redeems(grant, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        account = await self._accounts.find(grant["login"])
        if account is None or account.disabled:
            return JSONResponse({"error": "invalid_grant"}, 400)
        told = {"name": account.name, "ama": [str(each) for each in account.grants]}
        id_token = self._issuer.id_token(grant["client_id"], account.login, grant["nonce"], **told)
        # OAuth requires an access token. Nothing takes this one: roles are chosen on the site, which signs what services see.
        tokens = {"access_token": secrets.token_urlsafe(32), "id_token": id_token, "token_type": "Bearer"}
        return JSONResponse({**tokens, "expires_in": ID_LASTS, "scope": "openid profile"})

    def _redeems(self, grant: Mapping[str, str], form: FormData) -> bool:
        verifier = typed(form, "code_verifier")
        return (
            typed(form, "client_id") == grant["client_id"]
            and typed(form, "redirect_uri") == self.clients[grant["client_id"]]
            and secrets.compare_digest(challenge_of(verifier).encode(), grant["code_challenge"].encode())
        )
