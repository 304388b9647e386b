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
from tests.helpers.waiting import eventually


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
    notifications = home.all_services.services["notifications"]
    await eventually(lambda: notifications.store["keys"].find_one({"_id": f"jobs2/{worker}"}))
    await operator("GET", f"/notifications/messages?worker={worker}")
    seen = await ama("accesses", worker, **where)
    told = [line.split()[1:3] + line.split()[-1:] for line in seen.output.splitlines()]
    assert told == [["enrolment", "operator", "person"], ["notifications", "operator", "messages"]], seen.output
    refused = await ama("erase", worker, answer="n\n", **where)
    assert (refused.exit_code, f"Erase {worker} for ever?" in refused.output) == (1, True)
    erased = await ama("erase", worker, answer="y\n", **where)
    assert (erased.exit_code, f"{worker} is erased: every service" in erased.output) == (0, True), erased.output
    for service in home.all_services.services.values():
        found = await service.store["erased"].find_one({"_id": f"jobs2/{worker}"})
        assert found is not None, "it ends only after every service"
        assert found["done"], "it ends only after every service"
    again = await ama("erase", worker, "--yes", **where)
    assert (again.exit_code, f"{worker} is erased: every service" in again.output) == (0, True), again.output
    nobody = await ama("erase", "nobody", "--yes", **where)
    assert (nobody.exit_code, "Refused (404)" in nobody.output) == (1, True), nobody.output


async def test_the_command_names_the_services_that_have_not_confirmed_and_fails(home: Home) -> None:
    where = {"AMA_PUBLIC_URL": home.base, "AMA_ISSUER": home.settings.issuer, "AMA_KEYS": str(home.settings.keys)}
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": THEN}
    worker = (await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)).json()["worker"]
    sessions = home.all_services.services["sessions"]
    await eventually(lambda: sessions.store["keys"].find_one({"_id": f"jobs2/{worker}"}))
    # Held by a transaction of somebody else, its gate cannot finish.
    async with sessions.store.driver_session() as held:
        held.start_transaction()
        await sessions.store["keys"].update_one({"_id": f"jobs2/{worker}"}, {"$inc": {"guard": 1}}, session=held)
        late = await ama("erase", worker, "--yes", "--wait", "10", **where)
        await held.abort_transaction()
    assert late.exit_code == 1
    assert "Not confirmed within 10 s by " in late.output
    assert "sessions: has not heard of it" in late.output, late.output
    done = await ama("erase", worker, "--yes", **where)
    assert done.exit_code == 0, done.output


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
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": THEN}
    worker = (await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)).json()["worker"]
    token = home.token("operator", "jobs2", "[/b] [red]nobody")
    async with home.client() as client:
        await client.get(f"/enrolment/workers/{worker}", headers={"Authorization": f"Bearer {token}"})
    seen = await ama("accesses", worker, **where)
    assert (seen.exit_code, "[/b] [red]nobody" in seen.output) == (0, True), seen.output
