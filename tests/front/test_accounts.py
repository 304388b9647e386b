"""`ama accounts` and `ama provision`: accounts that open the site, passwords that are shown once, sentences for what is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from services.cli import app
from services.engines import Engines
from services.front.accounts import FIRST
from services.settings import Misconfigured
from tests.front.served_site import HASH, Desk, desk  # language: kept (a fixture)


@pytest_asyncio.fixture
async def one(engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A site, and an environment that names its database."""
    async with desk(engines, tmp_path) as there:
        monkeypatch.setenv("AMA_MONGO", there.site.settings.mongo)
        monkeypatch.setenv("AMA_DATABASE", there.site.settings.database)
        monkeypatch.chdir(tmp_path)
        yield there


async def ama(*words: str, typed: str | None = None) -> Result:
    """Run the command in a thread, since it has a loop of its own."""
    import asyncio

    result: Result = await asyncio.to_thread(CliRunner().invoke, app, ["accounts", *words], input=typed)
    return result


def sentence(result: Result) -> str:
    assert isinstance(result.exception, Misconfigured), result.output
    return str(result.exception)


async def test_an_account_is_added_signs_in_and_is_listed_without_its_password(one: Desk) -> None:
    grants = ["--grant", "operator:monza-brianza", "--grant", "facilitator:monza-brianza:F-1"]
    added = await ama("add", "Anna.Bianchi", "--name", "Anna Bianchi", *grants)
    password = added.stdout.strip()
    assert (await one.browser().sign_in("anna.bianchi", password)).headers["location"] == "/ruolo"
    listed = (await ama("list")).stdout
    for words in ("anna.bianchi", "Anna Bianchi", "enabled", "operator:monza-brianza", "facilitator:monza-brianza:F-1"):
        assert words in listed, words
    assert password not in listed
    assert "argon2" not in listed


async def test_a_new_password_replaces_the_old_one_and_may_be_typed(one: Desk) -> None:
    await one.account()
    made = (await ama("password", "anna")).stdout.strip()
    assert (await one.browser().sign_in("anna", made)).status_code == 303
    chosen = "quattro cavalli verdi"
    asked = await ama("password", "anna", "--ask", typed=f"{chosen}\n{chosen}\n")
    assert chosen not in asked.output
    assert (await one.browser().sign_in("anna", chosen)).status_code == 303
    refused = await ama("password", "anna", "--ask", typed="password1234\npassword1234\n")
    assert "common" in sentence(refused)


async def test_granting_revoking_disabling_and_enabling_hold_at_once(one: Desk) -> None:
    anna = await one.signed_in()
    await ama("grant", "anna", "system-operator:monza-brianza")
    assert (await anna.get("/ruolo")).text.count('name="ruolo"') == 2
    await ama("revoke", "anna", "operator:monza-brianza")
    assert (await anna.get("/ruolo")).text.count('name="ruolo"') == 1
    await ama("disable", "anna")
    assert not await anna.known()
    await ama("enable", "anna")
    assert (await one.browser().sign_in("anna")).status_code == 303


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "anna", "--name", "Anna"], "There is an account anna already."),
        (["add", "Anna Bianchi", "--name", "Anna"], "A login has"),
        (["add", "eva", "--name", " "], "A name has"),
        (["add", "eva", "--name", "Eva\u202e"], "A name has"),
        (["add", "eva", "--name", "Eva", "--grant", "emperor:monza-brianza"], "is no grant"),
        (["add", "eva", "--name", "Eva", "--grant", "worker:monza-brianza"], "is no grant"),
        (["add", "eva", "--name", "Eva", "--grant", "operator:nowhere"], "There is no programme nowhere"),
        (["disable", "nobody"], "There is no account nobody"),
        (["password", "nobody"], "There is no account nobody"),
        (["grant", "nobody", "operator:monza-brianza"], "There is no account nobody"),
        (["revoke", "anna", "coordinator:monza-brianza"], "has no grant"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_one_sentence(one: Desk, words: list[str], says: str) -> None:
    await one.account()
    assert says in sentence(await ama(*words))


async def test_the_first_account_is_made_once_with_the_system_and_every_programme(one: Desk) -> None:
    password = await one.site.make_first_account()
    assert password is not None
    first = one.browser()
    assert (await first.sign_in(FIRST, password)).headers["location"] == "/ruolo"
    page = (await first.get("/ruolo")).text
    for grant in ("system-operator:monza-brianza", "operator:monza-brianza", "operator:jobs2"):
        assert f'value="{grant}"' in page, grant
    assert await one.site.make_first_account() is None
    assert len(await one.site.accounts.everybody()) == 1


async def test_provisioning_makes_the_first_account_from_the_hash_that_secrets_keeps(one: Desk) -> None:
    from services.cli.provision import _first_account

    given: Any = one.site.settings
    assert not await _first_account(given, ""), "nothing was made by `ama secrets`"
    assert await _first_account(given, HASH)
    assert not await _first_account(given, HASH)
    assert (await one.browser().sign_in(FIRST)).status_code == 303


async def test_without_a_running_system_or_a_database_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMA_MONGO", raising=False)
    assert "ama up" in sentence(await ama("list", "--data", str(tmp_path / "none")))
