"""Another OpenID Connect provider than ours: it remembers people, wants a secret, and has addresses and algorithms of its own."""

import time
from base64 import b64decode
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.identity.oidc import challenge_of

CLIENT, SECRET = "the site", "s3cret:/+%é"


class Provider:
    """`claims` are put into the ID token over the right ones, None leaves one out; `algorithm` and `key` sign it."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.published = self.key.as_dict(private=False)
        self.algorithm, self.claims, self.url = "ES256", dict[str, Any](), ""
        self._asked: dict[str, str] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._described),
                Route("/keys", self._keys),
                Route("/enter", self._enter),
                Route("/redeem", self._redeem, methods=["POST"]),
            ]
        )

    def signed_by(self, key: ECKey | OctKey, algorithm: str) -> None:
        """From now on, though what it publishes stays."""
        self.key, self.algorithm = key, algorithm  # type: ignore[assignment]  # a key that nobody should believe

    async def _described(self, _: Request) -> Response:
        endpoints = {"authorization_endpoint": "enter?tenant=1", "token_endpoint": "redeem", "jwks_uri": "keys"}
        endpoints["end_session_endpoint"] = "leave"
        return JSONResponse({"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in endpoints.items()}})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.published]})

    async def _enter(self, request: Request) -> Response:
        self._asked = dict(request.query_params)
        assert self._asked["tenant"] == "1"
        told = urlencode({"code": "c0de", "state": self._asked["state"]})
        return RedirectResponse(f"{self._asked['redirect_uri']}?{told}", 303)

    async def _redeem(self, request: Request) -> Response:
        form = await request.form()
        user, _, password = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        proven = challenge_of(str(form["code_verifier"])) == self._asked["code_challenge"]
        if (unquote(user), unquote(password)) != (CLIENT, SECRET) or not proven or form["code"] != "c0de":
            return JSONResponse({"error": "invalid_client"}, 401)
        now = int(time.time())
        right = {
            "iss": self.url,
            "aud": [CLIENT],
            "sub": "42",
            "preferred_username": "anna",
            "iat": now,
            "exp": now + 60,
        }
        told = {**right, "nonce": self._asked["nonce"], **self.claims}
        claims = {name: value for name, value in told.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.published["kid"]}
        token = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return JSONResponse({"access_token": "opaque", "id_token": token, "token_type": "Bearer", "expires_in": 300})
