"""The embedded issuer keeps one key, for its owner alone; `ama token` signs with it, or says in one sentence why not."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from typer.testing import CliRunner, Result

from services.cli import app
from services.identity.auth import Authenticator, Role, Who
from services.identity.issuer import Issuer
from services.settings import Misconfigured
from tests.helpers.serving import Served, settings_for


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first, second = (Issuer(tmp_path / "keys", "http://x/issuer") for _ in range(2))
    assert first._key.kid == second._key.kid == first._key.thumbprint()
    assert (tmp_path / "keys" / "issuer.jwk").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "kept",
    ["nothing", "[]", '{"kty":"oct","k":"c2VjcmV0"}', '{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"k"}',
     '{"kty":"OKP","crv":"Ed25519","x":"!","d":"!","kid":"k"}'],
    ids=["no JSON", "a list", "another kind", "public alone", "damaged"],
)  # fmt: skip
def test_a_key_file_that_is_wrong_is_one_sentence_that_quotes_nothing(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "issuer.jwk"
    path.write_text(kept)
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match=r"issuer\.jwk") as refused:
        Issuer(tmp_path, "http://x/issuer").token("operator", "jobs2", "x")
    assert "c2VjcmV0" not in str(refused.value)


async def test_what_is_published_holds_nothing_secret(issuer: Served) -> None:
    import httpx

    async with httpx.AsyncClient() as client:
        discovery = (await client.get(f"{issuer.url}/.well-known/openid-configuration")).json()
        (key,) = (await client.get(discovery["jwks_uri"])).json()["keys"]
    assert discovery["issuer"] == issuer.url
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_role_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no role emperor; there are worker, referrer"):
        Issuer(tmp_path / "keys", "http://x").token("emperor", "jobs2", "x")


def ama(*words: str) -> Result:
    return CliRunner().invoke(app, ["token", *words])


def home(folder: Path, base: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"base": base, "kafka": "", "mongo": "", "sasl": {}}))


def claims(token: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(jws.extract_compact(token.strip().encode()).payload)
    return told


async def test_the_token_it_prints_is_believed(tmp_path: Path) -> None:
    there = Served(tmp_path / "keys")
    home(tmp_path, there.url.removesuffix("/issuer"))
    printed = ama(
        "--role", "referrer", "--programme", "jobs2", "--partner", "isr", "--subject", "rita", "--data", str(tmp_path)
    )
    assert printed.exit_code == 0, printed.output
    async with there.up():
        who = await Authenticator(settings_for(there.url), known=["jobs2"]).who(printed.output.strip())
    assert who == Who(Role.REFERRER, "rita", "jobs2", "isr")


@pytest.mark.parametrize(("lifetime", "seconds"), [("90s", 90), ("15m", 900), ("8h", 28800), ("1d", 86400)])
def test_it_is_in_force_as_long_as_was_said(tmp_path: Path, lifetime: str, seconds: int) -> None:
    home(tmp_path, "http://127.0.0.1:1")
    printed = ama("--role", "operator", "--programme", "jobs2", "--lifetime", lifetime, "--data", str(tmp_path))
    told = claims(printed.output)
    assert told["exp"] - told["iat"] == seconds
    assert abs(told["iat"] - time.time()) < 30
    assert (told["sub"], told["role"]) == ("operator", "operator")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--role", "operator", "--lifetime", "30d"], "in force for 24 hours at most"),
        (["--role", "operator", "--subject", "half \ud800"], "texts of 1 to 200 characters"),
        (["--role", "emperor"], "There is no role emperor"),
        (["--role", "referrer"], "--partner"),
        (["--role", "partner-system"], "--partner"),
        (["--role", "worker"], "--subject"),
        (["--role", "facilitator"], "--subject"),
        (["--role", "operator", "--lifetime", "soon"], "--lifetime soon"),
        (["--role", "operator", "--lifetime", "0h"], "--lifetime 0h"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    home(tmp_path, "http://127.0.0.1:1")
    refused = ama("--programme", "jobs2", "--data", str(tmp_path), *words)
    assert isinstance(refused.exception, Misconfigured)
    assert sentence in str(refused.exception)


def test_without_a_running_house_it_says_what_to_do(tmp_path: Path) -> None:
    refused = ama("--role", "operator", "--programme", "jobs2", "--data", str(tmp_path / "none"))
    assert "ama up" in str(refused.exception)
    assert not (tmp_path / "none").exists()
