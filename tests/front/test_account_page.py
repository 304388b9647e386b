"""The page of one's own account: another password takes the old one, ends every other web session, and its guesses wait."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.engines import Engines
from services.front.grants import Grant
from services.front.people import Person
from services.identity.attempts import FREE
from tests.front.served_site import OPERATOR, PASSWORD, REFERRER, Browser, Desk, desk  # language: kept (a fixture)

FRESH = "altre parole scelte da me"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk(engines, tmp_path_factory.mktemp("site")) as there:
        yield there


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def changes(who: Browser, old: str = PASSWORD, new: str = FRESH, again: str | None = None) -> httpx.Response:
    return await who.post("/account", old=old, new=new, again=new if again is None else again)


async def test_the_header_leads_there_and_the_page_says_what_the_account_is_for(one: Desk) -> None:
    anna = await one.signed_in("anna", OPERATOR, REFERRER)
    assert 'href="/account"' not in (await anna.get("/")).text, "a role is to be chosen first"
    await anna.post("/ruolo", ruolo=OPERATOR)
    assert 'href="/account"' in (await anna.get("/")).text
    page = await anna.get("/account")
    for words in ("Anna Bianchi", "anna", "CGIL", "Monza", "Almeno 12 caratteri"):
        assert words in page.text, words


async def test_another_password_ends_every_other_web_session_and_this_browser_goes_on(one: Desk) -> None:
    here = await one.signed_in("bea")
    there = one.browser()
    await there.sign_in("bea")
    before = here.secret
    answer = await changes(here)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?fatto=password")
    assert "La password è cambiata" in (await here.get(answer.headers["location"])).text
    assert here.secret != before
    assert (await here.known(), await there.known()) == (True, False)
    stolen = one.browser()
    stolen.client.cookies.set("ama-site", before)
    assert not await stolen.known(), "the cookie from before opens nothing"
    assert (await one.browser().sign_in("bea", FRESH)).status_code == 303
    again = one.browser()
    refused = await again.post(await again.form(), name="bea", password=PASSWORD)
    assert refused.status_code == 403, "the old password opens nothing any more"


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"old": ""}, "old", "Da compilare"),
        ({"new": "", "again": ""}, "new", "Da compilare"),
        ({"new": "troppo"}, "new", "almeno 12 caratteri"),
        ({"new": "Password12345"}, "new", "tra le più comuni"),
        ({"new": "carla.carla1"}, "new", "nome dell&#39;account"),
        ({"new": PASSWORD}, "new", "password attuale: scegline"),
        ({"again": FRESH + "!"}, "again", "non sono uguali"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_changes_nothing_and_is_never_shown_again(
    one: Desk, typed: dict[str, str], field: str, sentence: str
) -> None:
    login = "carla.carla"
    if await one.site.accounts.find(login) is None:
        await one.account(login)
    carla = one.browser()
    await carla.sign_in(login)
    answer = await changes(carla, **typed)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert sentence in answer.text
    for secret in (PASSWORD, FRESH):
        assert secret not in answer.text
    assert await carla.known()
    assert (await one.browser().sign_in(login)).status_code == 303


async def test_guesses_of_the_old_password_wait_as_those_of_a_sign_in(one: Desk) -> None:
    dora = await one.signed_in("dora")
    seen = [(await changes(dora, old=f"indovinata numero {each}")).status_code for each in range(FREE + 1)]
    assert seen == [403] * FREE + [429]
    assert (await changes(dora)).status_code == 429, "also with the right password, until the wait is over"
    one.clock.forward(minutes=1)
    assert (await changes(dora)).status_code == 303
    one.clock.forward(minutes=-1)


async def test_whoever_is_not_signed_in_signs_in_first_and_another_site_changes_nothing(one: Desk) -> None:
    stranger = one.browser()
    for answer in (await stranger.get("/account"), await changes(stranger)):
        assert (answer.status_code, answer.headers["location"]) == (303, "/accedi?next=/account")
    elsa = await one.signed_in("elsa")
    elsa.client.headers["Sec-Fetch-Site"] = "cross-site"
    assert (await changes(elsa)).status_code == 403
    elsa.client.headers["Sec-Fetch-Site"] = "same-origin"
    assert (await one.browser().sign_in("elsa")).status_code == 303


async def test_of_two_changes_at_one_time_one_counts(one: Desk) -> None:
    await one.account("fede")
    account = await one.site.accounts.find("fede")
    assert account is not None
    first = await one.site.accounts.change_password(account, "one hash")
    assert first is not None
    assert await one.site.accounts.change_password(account, "another hash") is None
    found = await one.site.accounts.find("fede")
    assert found is not None
    assert (found.password, found.generation) == ("one hash", first.generation)


async def test_the_password_of_another_provider_is_changed_there(engines: Engines, tmp_path: Path) -> None:
    given: dict[str, Any] = {"issuer": "https://id.example.org", "site_client": "x", "site_secret": "y"}
    async with desk(engines, tmp_path, **given) as there:
        grant = Grant.read(OPERATOR)
        session = await there.site.sessions.begin(Person("a1", "Anna", (grant,)), grant)
        anna = there.browser()
        anna.client.cookies.set("ama-site", session.secret)
        page = (await anna.get("/account")).text
        assert 'type="password"' not in page
        assert "si cambia nel servizio con cui si accede" in page
        assert (await changes(anna)).headers["location"] == "/account"
