"""The OIDC issuer of the embedded default: a signing key in a folder, a discovery document, and tokens for the roles.

Invariant: services treat it as any other issuer; only its address tells them that it is ours.
"""

import time
from pathlib import Path
from typing import Any, Protocol

from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services import vault
from services.identity.auth import Role
from services.identity.texts import text_of
from services.settings import Misconfigured
from services.vault.sealing import derived, to_bytes

ALGORITHM = "Ed25519"  # RFC 9864, which retires EdDSA
WORKDAY = 8 * 60 * 60.0  # seconds
LONGEST = 24 * 60 * 60.0  # seconds; services accept no longer ones by default
LONGEST_ANYWHERE = 7 * LONGEST  # as the greatest AMA_TOKEN_HOURS allows
ID_LASTS = 5 * 60  # seconds


class SignInPages(Protocol):
    """The sign-in of people at this issuer; `services.embedded.sign_in` has the one that is used."""

    def discovery(self) -> dict[str, Any]:
        """Give the members of the discovery document that concern sign-in."""

    def routes(self) -> list[Route]:
        """Give its routes, relative to the issuer's address."""


class Issuer:
    """Signs tokens with the Ed25519 key in `folder/issuer.jwk` (mode 600), made when missing. Misconfigured when the file holds
    another kind of key."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, path = url.rstrip("/"), folder / "issuer.jwk"
        jwk = vault.keep(path, _new_key)
        if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519") or not {"x", "d", "kid"} <= set(jwk):
            raise Misconfigured(
                f"Key file {path} is not a private Ed25519 key with a kid: move it away, a new one is made."
            )
        try:
            self._key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d", "kid")})
        except (ValueError, TypeError):
            raise Misconfigured(
                f"Key file {path} is damaged: move it away, a new one is made."
            ) from None  # the cause quotes it

    def token(
        self,
        role: str,
        programme: str,
        subject: str,
        partner: str | None = None,
        lifetime: float = WORKDAY,
        longest: float = LONGEST,
        name: str | None = None,
    ) -> str:
        """Sign an access token for `lifetime` seconds, at most `longest`. `name`: the person's own, for the header of pages. Misconfigured
        for a role that does not exist, a text that services cannot store, or a longer lifetime."""
        if role not in list(Role):
            raise Misconfigured(f"There is no role {role}; there are {', '.join(Role)}.")
        if lifetime > longest:
            raise Misconfigured(f"A token is in force for {longest / 3600:.0f} hours at most.")
        try:
            subject, programme, partner = text_of(subject), text_of(programme), text_of(partner) if partner else None
        except ValueError:
            raise Misconfigured("A subject, a programme and a partner are texts of 1 to 200 characters.") from None
        now = int(time.time())
        claims: dict[str, Any] = {"iss": self.url, "aud": "ama", "sub": subject, "role": role, "programme": programme}
        claims |= {"iat": now, "exp": now + int(lifetime), **({"partner": partner} if partner else {})}
        return self._signed(claims | ({"name": name} if name else {}))

    def id_token(self, client: str, subject: str, nonce: str | None, **more: Any) -> str:
        """Sign an ID token for a client, in force for ID_LASTS seconds, with `more` claims. No service accepts it: its audience is
        the client."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": client, "sub": subject, "iat": now, "exp": now + ID_LASTS, **more}
        return self._signed(claims | ({"nonce": nonce} if nonce else {}))

    def secret_for(self, use: str) -> bytes:
        """Derive 32 bytes for one use from the signing key, the same in every copy that has the key."""
        return derived(to_bytes(str(self._key.as_dict(private=True)["d"])), "issuer", use)

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])

    def app(self, sign_in: SignInPages | None = None) -> Starlette:
        """Serve discovery document and keys (OpenID Connect Discovery 1.0), and the sign-in, if there is one. Document and keys are open:
        they hold nothing secret."""
        described = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "id_token_signing_alg_values_supported": [ALGORITHM],
            # OpenID Connect Discovery requires the member, also of an issuer without sign-in.
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            **(sign_in.discovery() if sign_in else {}),
        }

        async def discovery(_: Request) -> JSONResponse:
            return JSONResponse(described)

        async def jwks(_: Request) -> JSONResponse:
            return JSONResponse({"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]})

        more = sign_in.routes() if sign_in else []
        app = Starlette(
            routes=[Route("/.well-known/openid-configuration", discovery), Route("/jwks.json", jwks), *more]
        )
        # It would redirect to an address that it takes from the header Host, which a caller chooses.
        app.router.redirect_slashes = False
        return app


def _new_key() -> dict[str, Any]:
    """Make a key whose `kid` is its thumbprint (RFC 7638), so that two keys never share one."""
    key = OKPKey.generate_key("Ed25519", private=True, auto_kid=True)
    return {**key.as_dict(private=True), "iat": int(time.time())}
