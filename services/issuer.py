"""The embedded default's own OIDC issuer: a signing key in a folder, its discovery document, and tokens for the roles.

Invariant: services treat it as any other issuer; nothing but its address tells them that it is ours.
"""

import time
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services import vault
from services.auth import Role
from services.settings import Misconfigured

WORKDAY = 8 * 60 * 60.0  # seconds


class Issuer:
    """Signs tokens with the Ed25519 key in `folder/issuer.jwk`, made when missing."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self._key = OKPKey.import_key(vault.keep(folder / "issuer.jwk", _new_key))

    def token(self, role: str, programme: str, subject: str, partner: str | None = None, lifetime: float = WORKDAY) -> str:
        """A token for `lifetime` seconds. Misconfigured for a role that does not exist."""
        if role not in set(Role):
            raise Misconfigured(f"There is no role {role}; there are {', '.join(Role)}.")
        now = int(time.time())
        claims: dict[str, Any] = {"iss": self.url, "aud": "ama", "sub": subject, "role": role, "programme": programme}
        claims |= {"iat": now, "exp": now + int(lifetime), **({"partner": partner} if partner else {})}
        return jwt.encode({"alg": "Ed25519", "kid": self._key.kid}, claims, self._key, algorithms=["Ed25519"])

    def app(self) -> Starlette:
        """Discovery document and keys, as OpenID Connect Discovery 1.0 wants them."""

        async def discovery(_: Request) -> JSONResponse:
            return JSONResponse(
                {
                    "issuer": self.url,
                    "jwks_uri": f"{self.url}/jwks.json",
                    "id_token_signing_alg_values_supported": ["Ed25519"],
                    "response_types_supported": ["none"],
                    "subject_types_supported": ["public"],
                }
            )

        async def jwks(_: Request) -> JSONResponse:
            return JSONResponse({"keys": [dict(self._key.as_dict(private=False))]})

        return Starlette(routes=[Route("/.well-known/openid-configuration", discovery), Route("/jwks.json", jwks)])


def _new_key() -> dict[str, Any]:
    return dict(OKPKey.generate_key("Ed25519", {"kid": f"i{int(time.time())}", "alg": "Ed25519"}, private=True).as_dict(private=True))
