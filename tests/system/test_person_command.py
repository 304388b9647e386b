"""`ama person` where no `ama up` runs: by the public address and the embedded issuer's key, as with docker compose."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.embedded.home import Home
from services.settings import Misconfigured
from tests.helpers.callers import Caller
from tests.helpers.people import THEN
from tests.helpers.serving import Served


async def ama(*words: str, answer: str = "", **named: str) -> Result:
    """The command line, beside what runs here."""
    given: dict[str, str | None] = {"AMA_DATA": "/nowhere", "AMA_PUBLIC_URL": None, "AMA_TOKEN": None, **named}
    said = ["person", *words, "--programme", "jobs2"]
    return await asyncio.to_thread(CliRunner().invoke, app, said, input=answer, env=given)


async def test_a_person_is_erased_and_their_accesses_are_shown_by_the_public_address(home: Home) -> None:
    where = {
        "AMA_PUBLIC_URL": home.base,
        "AMA_ISSUER": home.settings.issuer,
        "AMA_KEYS": str(home.settings.keys),
    }
    operator = Caller(home, "operator", "jobs2")
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": THEN}
    worker = (await operator("POST", "/enrolment/referrals", body)).json()["worker"]
    await operator("GET", f"/enrolment/workers/{worker}")
    seen = await ama("accesses", worker, **where)
    assert (seen.exit_code, "operator" in seen.output) == (0, True), seen.output
    refused = await ama("erase", worker, answer="n\n", **where)
    assert (refused.exit_code, f"Erase {worker} for ever?" in refused.output) == (1, True)
    erased = await ama("erase", worker, answer="y\n", **where)
    assert (erased.exit_code, f"{worker} is erased" in erased.output) == (0, True), erased.output
    again = await ama("erase", worker, "--yes", **where)
    assert (again.exit_code, "was erased" in again.output) == (1, True), again.output


async def test_who_cannot_be_asked_is_told_before_the_operator_is(tmp_path: Path) -> None:
    nobody = await ama("erase", "somebody", answer="y\n")
    assert isinstance(nobody.exception, Misconfigured)
    assert "AMA_PUBLIC_URL" in str(nobody.exception)
    assert "for ever" not in nobody.output


@pytest.mark.parametrize("answers", [True, False], ids=["another server", "nobody"])
async def test_an_answer_of_another_and_none_at_all_do_not_pass_for_done(tmp_path: Path, answers: bool) -> None:
    there = Served(tmp_path / "keys")
    base = there.url.removesuffix("/issuer")
    where = {"AMA_PUBLIC_URL": base, "AMA_ISSUER": there.url, "AMA_KEYS": str(tmp_path / "keys")}
    if answers:
        async with there.up():
            done = await ama("erase", "somebody", "--yes", **where)
    else:
        done = await ama("erase", "somebody", "--yes", **where)
    assert done.exit_code == 1
    said = done.output + str(done.exception)
    assert (f"Refused (404) at {base}/enrolment/workers/somebody" if answers else "does not answer") in said, said


async def test_a_reader_with_a_name_like_markup_hides_no_access(home: Home) -> None:
    where = {"AMA_PUBLIC_URL": home.base, "AMA_ISSUER": home.settings.issuer, "AMA_KEYS": str(home.settings.keys)}
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}}
    worker = (await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)).json()["worker"]
    token = home.token("operator", "jobs2", "[/b] [red]nobody")
    async with home.client() as client:
        await client.get(f"/enrolment/workers/{worker}", headers={"Authorization": f"Bearer {token}"})
    seen = await ama("accesses", worker, **where)
    assert (seen.exit_code, "[/b] [red]nobody" in seen.output) == (0, True), seen.output
