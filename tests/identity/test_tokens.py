"""A token is believed only when the issuer's key signed it, for us, and it is in force."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.identity.auth import LEEWAY, Authenticator, Role, Who
from services.identity.issuer import Issuer
from services.identity.issuer_keys import FETCH_AGAIN, KEYS_KEPT, KEYS_TRUSTED
from services.kernel import Refused
from services.web import Unavailable
from tests.helpers.serving import Asked, Served, client_of, served, settings_for

Claims = dict[str, Any]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def claims(url: str, **other: Any) -> Claims:
    now = int(time.time())
    told = {
        "iss": url,
        "aud": "ama",
        "sub": "carla",
        "role": "operator",
        "programme": "jobs2",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in {**told, **other}.items() if value is not None}


def signed(there: Served, told: Claims, key: OKPKey | None = None, **header: Any) -> str:
    key = key or there.issuer._key
    header = {"alg": "Ed25519", "kid": there.issuer._key.kid, **header}
    # Not by `jwt.encode`, which writes no half of a surrogate pair. JSON allows it as an escape.
    return jws.serialize_compact(header, json.dumps(told), key, algorithms=["Ed25519", "EdDSA"])


def changed(there: Served) -> str:
    head, _, signature = signed(there, claims(there.url)).split(".")
    return f"{head}.{signed(there, claims(there.url, sub='eva')).split('.')[1]}.{signature}"


async def test_a_token_says_who_calls(client: httpx.AsyncClient, issuer: Served, operator: dict[str, str]) -> None:
    answer = await client.get("/workers/w1", headers=operator)
    assert answer.json() == {
        "worker": "w1",
        "role": "operator",
        "subject": "carla",
        "programme": "jobs2",
        "partner": "",
    }


async def test_without_a_token_the_answer_says_how_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/workers/w1")
    assert (answer.status_code, answer.headers["www-authenticate"], answer.json()["code"]) == (
        401,
        "Bearer",
        "not-authenticated",
    )
    assert answer.headers["content-type"] == "application/problem+json"


NOT_ACCEPTED: dict[str, Callable[[Served], str]] = {
    "expired": lambda there: signed(there, claims(there.url, exp=int(time.time()) - 60)),
    "without an end": lambda there: signed(there, claims(there.url, exp=None)),
    "not yet in force": lambda there: signed(there, claims(there.url, nbf=int(time.time()) + 600)),
    "issued in the future": lambda there: signed(there, claims(there.url, iat=int(time.time()) + 600)),
    "without an issue date": lambda there: signed(there, claims(there.url, iat=None)),
    "of another issuer": lambda there: signed(there, claims("http://elsewhere/issuer")),
    "for another audience": lambda there: signed(there, claims(there.url, aud="someone-else")),
    "of a role that does not exist": lambda there: signed(there, claims(there.url, role="emperor")),
    "with a list of roles": lambda there: signed(there, claims(there.url, role=["operator"])),
    "without a programme": lambda there: signed(there, claims(there.url, programme=None)),
    "with a programme that is no text": lambda there: signed(there, claims(there.url, programme={"$ne": None})),
    "of a subject with half a surrogate pair": lambda there: signed(there, claims(there.url, sub="half \ud800")),
    "of a subject that turns the direction of writing": lambda there: signed(
        there, claims(there.url, sub="carla\u202enimda")
    ),
    "of a subject with an invisible character": lambda there: signed(there, claims(there.url, sub="carla\u200b")),
    "of a subject with NUL": lambda there: signed(there, claims(there.url, sub="a\0b")),
    "of a subject that is no text": lambda there: signed(there, claims(there.url, sub=5)),
    "of a subject without end": lambda there: signed(there, claims(there.url, sub="x" * 201)),
    "of a partner with half a surrogate pair": lambda there: signed(there, claims(there.url, partner="\udc00")),
    "of a programme with half a surrogate pair": lambda there: signed(there, claims(there.url, programme="\udc00")),
    **{
        f"of a {role} with the {claim} {text!r}": lambda there, role=role, claim=claim, text=text: signed(  # type: ignore[misc]
            there, claims(there.url, role=role, **{"partner": "isr", claim: text})
        )
        for role, claim, text in (
            ("referrer", "partner", "__nope"),
            ("partner-system", "partner", "Isr"),
            ("operator", "programme", "__nope"),
            ("worker", "sub", "a/b"),
            ("facilitator", "sub", "x" * 65),
        )
    },
    "in force for longer than a day": lambda there: signed(there, claims(there.url, exp=int(time.time()) + 86500)),
    "in force for ever": lambda there: signed(there, claims(there.url, exp=float("inf"))),
    "with an end that is no number": lambda there: signed(there, claims(there.url, exp=float("nan"))),
    "issued long ago for long": lambda there: signed(there, claims(there.url, iat=int(time.time()) - 90_000)),
    "of nobody": lambda there: signed(there, claims(there.url, sub="")),
    "with a partner that is no text": lambda there: signed(there, claims(there.url, partner={"$ne": None})),
    "signed by another key under the same kid": lambda there: signed(
        there, claims(there.url), OKPKey.generate_key("Ed25519")
    ),
    "signed with our public key as a secret": lambda there: jwt.encode(
        {"alg": "HS256", "kid": there.issuer._key.kid},
        claims(there.url),
        OctKey.import_key(str(there.issuer._key.as_dict(private=False)["x"])),
        algorithms=["HS256"],
    ),
    "not signed at all": lambda there: "eyJhbGciOiJub25lIn0." + signed(there, claims(there.url)).split(".")[1] + ".",
    "changed after it was signed": changed,
    "no token": lambda _: "nonsense",
    "nearly a token": lambda _: "e30.e30.e30",
    "deeply nested": lambda _: f"{'W1tb' * 3000}.e30.e30",
}


@pytest.mark.parametrize("make", NOT_ACCEPTED.values(), ids=NOT_ACCEPTED.keys())
async def test_a_token_that_is_not_to_be_believed_is_refused(
    client: httpx.AsyncClient, issuer: Served, make: Callable[[Served], str]
) -> None:
    answer = await client.get("/workers/w1", headers={"Authorization": f"Bearer {make(issuer)}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")


async def test_how_long_a_token_may_be_in_force_is_a_setting(issuer: Served) -> None:
    token = signed(issuer, claims(issuer.url, exp=int(time.time()) + 7_300))
    accepts = Authenticator(settings_for(issuer.url, token_hours=3), known=["jobs2"])
    assert (await accepts.who(token)).subject == "carla"
    with pytest.raises(Refused):
        await Authenticator(settings_for(issuer.url, token_hours=2), known=["jobs2"]).who(token)


async def test_a_token_for_one_of_several_audiences_is_ours_too(client: httpx.AsyncClient, issuer: Served) -> None:
    token = signed(issuer, claims(issuer.url, aud=["mail", "ama"]))
    assert (await client.get("/workers/w1", headers={"Authorization": f"Bearer {token}"})).status_code == 200


@pytest.mark.parametrize(
    ("role", "programme", "partner", "code"),
    [
        ("worker", "jobs2", None, "not-allowed"),
        ("operator", "atlantis", None, "no-such-programme"),
        ("referrer", "jobs2", None, "no-partner"),
        ("partner-system", "jobs2", None, "no-partner"),
    ],
)
async def test_a_token_that_is_believed_may_still_not_be_enough(
    client: httpx.AsyncClient, issuer: Served, role: str, programme: str, partner: str | None, code: str
) -> None:
    token = issuer.issuer.token(role, programme, "x", partner)
    answer = await client.get("/workers/w1", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, {"kid": "k", "use": "sig"}), "RS256"),
        (ECKey.generate_key("P-256", {"kid": "k"}), "ES256"),
        (OKPKey.generate_key("Ed25519", {"kid": "k", "alg": "EdDSA"}), "EdDSA"),
    ],
    ids=["RS256", "ES256", "EdDSA"],
)
async def test_keys_may_be_of_any_usual_kind_beside_others_and_at_an_address_of_their_own(
    key: Any, algorithm: str
) -> None:
    others = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "s"},
        {"kty": "new", "kid": "n"},
        OKPKey.generate_key("X25519").as_dict(private=False),
    ]

    async def keys(_: Any) -> JSONResponse:
        return JSONResponse({"keys": [*others, key.as_dict(private=False)]})

    async with served(Starlette(routes=[Route("/certs", keys)])) as base:
        believes = Authenticator(settings_for("https://id.example", jwks=f"{base}/certs"), known=["jobs2"])
        token = jwt.encode({"alg": algorithm, "kid": "k"}, claims("https://id.example"), key, algorithms=[algorithm])
        assert await believes.who(token) == Who(Role.OPERATOR, "carla", "jobs2")
        secret = jwt.encode(
            {"alg": "HS256", "kid": "s"},
            claims("https://id.example"),
            OctKey.import_key("secret"),
            algorithms=["HS256"],
        )
        with pytest.raises(Refused):
            await believes.who(secret)


@pytest.fixture
def away(tmp_path: Path) -> Served:
    """An issuer that a test starts and stops."""
    return Served(tmp_path / "keys")


async def test_keys_are_asked_for_once_however_many_tokens_come(away: Served) -> None:
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=Clock())
    async with away.up():
        for _ in range(5):
            await believes.who(away.issuer.token("operator", "jobs2", "x"))
    assert away.asked.paths == ["/issuer/.well-known/openid-configuration", "/issuer/jwks.json"]


async def test_a_new_key_is_found_and_the_old_one_is_not_believed_any_more(away: Served, tmp_path: Path) -> None:
    clock = Clock()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    old = away.issuer.token("operator", "jobs2", "x")
    async with away.up():
        await believes.who(old)
        away.change_keys(tmp_path / "other")
        clock.now += FETCH_AGAIN + 1
        assert await believes.who(away.issuer.token("operator", "jobs2", "y")) == Who(Role.OPERATOR, "y", "jobs2")
        with pytest.raises(Refused):
            await believes.who(old)


async def test_a_token_that_was_believed_is_not_any_more_when_its_time_is_over(away: Served) -> None:
    believes = Authenticator(settings_for(away.url), known=["jobs2"])
    async with away.up():
        short = away.issuer.token("operator", "jobs2", "x", lifetime=2 - LEEWAY)
        assert await believes.who(short) == await believes.who(short) == Who(Role.OPERATOR, "x", "jobs2")
        await asyncio.sleep(4)
        with pytest.raises(Refused):
            await believes.who(short)


async def test_strangers_cannot_make_us_ask_more_often_than_every_few_seconds(away: Served, tmp_path: Path) -> None:
    clock = Clock()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    strange = Issuer(tmp_path / "strange", away.url).token("operator", "jobs2", "x")
    async with away.up():
        await believes.who(away.issuer.token("operator", "jobs2", "x"))
        for _ in range(20):
            clock.now += 1
            with pytest.raises(Refused):
                await believes.who(strange)
    assert away.asked.paths.count("/issuer/jwks.json") == 4  # at first, and in 20 seconds every 6


async def test_an_issuer_that_is_away_is_503_at_once_for_those_who_come_after_and_well_when_it_is_back(
    away: Served,
) -> None:
    clock = Clock()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    token = away.issuer.token("operator", "jobs2", "x")
    with pytest.raises(Unavailable):
        await believes.who(token)
    async with away.up():
        with pytest.raises(Unavailable):
            await believes.who(token)
        assert away.asked.paths == []  # not asked again so soon
        clock.now += FETCH_AGAIN + 1
        await believes.who(token)


async def test_over_http_an_issuer_that_is_away_says_when_to_come_again(away: Served) -> None:
    from tests.helpers import specimen

    async with client_of(specimen.build(settings_for(away.url))) as client:
        token = away.issuer.token("operator", "jobs2", "x")
        answer = await client.get("/workers/w1", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")


async def test_keys_outlive_a_short_absence_of_the_issuer_and_no_long_one(away: Served) -> None:
    clock = Clock()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    token = away.issuer.token("operator", "jobs2", "x")
    async with away.up():
        await believes.who(token)
    clock.now += KEYS_KEPT + 1
    await believes.who(token)
    clock.now += KEYS_TRUSTED
    with pytest.raises(Unavailable):
        await believes.who(token)


async def test_a_strange_key_while_the_issuer_is_away_may_be_a_new_one(away: Served, tmp_path: Path) -> None:
    clock = Clock()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    async with away.up():
        await believes.who(away.issuer.token("operator", "jobs2", "x"))
    clock.now += FETCH_AGAIN + 1
    with pytest.raises(Unavailable):
        await believes.who(Issuer(tmp_path / "strange", away.url).token("operator", "jobs2", "x"))
    await believes.who(away.issuer.token("operator", "jobs2", "x"))


async def test_a_good_token_does_not_wait_for_the_answer_to_a_stranger(away: Served, tmp_path: Path) -> None:
    import asyncio

    clock, hanging = Clock(), asyncio.Event()
    believes = Authenticator(settings_for(away.url), known=["jobs2"], clock=clock)
    known = away.asked._app

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        hanging.set()
        await asyncio.sleep(2)
        await known(scope, receive, send)

    strange = Issuer(tmp_path / "strange", away.url).token("operator", "jobs2", "x")
    async with away.up():
        await believes.who(away.issuer.token("operator", "jobs2", "x"))
        clock.now += KEYS_KEPT + 1
        away.asked._app = slow
        asking = asyncio.create_task(believes.who(strange))
        await hanging.wait()
        async with asyncio.timeout(1):
            await believes.who(away.issuer.token("operator", "jobs2", "x"))
        with pytest.raises(Refused):
            await asking


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "http://elsewhere", "jwks_uri": "{base}/jwks.json"},
        {"issuer": "{base}"},
        {"jwks_uri": 5},
        [],
        "nothing",
    ],
    ids=["another issuer", "no address", "no issuer", "a list", "a text"],
)
async def test_a_discovery_document_that_is_wrong_is_as_good_as_none(told: Any) -> None:
    async def discovery(_: Any) -> JSONResponse:
        filled = (
            {name: value.format(base=base) for name, value in told.items() if isinstance(value, str)}
            if isinstance(told, dict)
            else told
        )
        return JSONResponse(filled)

    app = Asked(Starlette(routes=[Route("/.well-known/openid-configuration", discovery)]))
    async with served(app) as base:
        believes = Authenticator(settings_for(base), known=["jobs2"])
        token = jwt.encode(
            {"alg": "Ed25519", "kid": "k"}, claims(base), OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"]
        )
        with pytest.raises(Unavailable):
            await believes.who(token)
    assert app.paths == ["/.well-known/openid-configuration"]
