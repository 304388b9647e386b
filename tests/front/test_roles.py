"""Several grants: people choose one, it is kept for the next time, and no other can be taken."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.engines import Engines
from services.front.grants import Grant
from tests.front.behind import claims_of
from tests.front.served_site import OPERATOR, REFERRER, Browser, Desk, copy_of, desk  # language: kept (a fixture)

SYSTEM = "system-operator:monza-brianza"


@pytest_asyncio.fixture
async def one(engines: Engines, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(engines, tmp_path) as there:
        yield there


async def role_of(browser: Browser) -> str:
    """The role that services see."""
    header = (await browser.get("/forward-auth", **{"X-Forwarded-Method": "GET"})).headers.get("authorization")
    return str(claims_of(header)["role"]) if header else ""


async def test_whoever_has_several_roles_chooses_and_goes_on_where_they_wanted(one: Desk) -> None:
    await one.account("anna", OPERATOR, REFERRER, SYSTEM)
    anna = one.browser()
    answer = await anna.sign_in("anna", then="/persone?nome=rossi")
    assert answer.headers["location"] == "/ruolo?next=%2Fpersone%3Fnome%3Drossi"
    assert await role_of(anna) == "", "nothing passes before the choice"
    page = (await anna.get(answer.headers["location"])).text
    for words in ("Monza", "CGIL", 'value="/persone?nome=rossi"'):
        assert words in page, words
    assert (await anna.get("/accedi?next=/gruppi")).headers["location"] == "/ruolo?next=%2Fgruppi"
    chosen = await anna.post("/ruolo", ruolo=OPERATOR, next="/persone?nome=rossi")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/persone?nome=rossi")
    assert await role_of(anna) == "operator"
    assert (await anna.post("/ruolo", ruolo=SYSTEM)).headers["location"] == "/console"
    assert await role_of(anna) == "system-operator"


async def test_the_last_choice_is_kept_in_every_copy_and_can_be_changed(one: Desk) -> None:
    await one.account("anna", OPERATOR, SYSTEM)
    anna = one.browser()
    await anna.sign_in("anna")
    await anna.post("/ruolo", ruolo=SYSTEM)
    async with copy_of(one):
        again = one.browser()
        assert (await again.sign_in("anna")).headers["location"] == "/console"
        assert await role_of(again) == "system-operator"
    await one.site.accounts.revoke("anna", Grant.read(SYSTEM))
    assert (await one.browser().sign_in("anna")).headers["location"] == "/oggi", "only one is left"


async def test_nobody_takes_a_role_that_they_do_not_have_or_goes_to_another_site(one: Desk) -> None:
    anna = await one.signed_in("anna", OPERATOR, REFERRER)
    for taken in (SYSTEM, "operator:jobs2", "worker:monza-brianza:x", "", "operator"):
        answer = await anna.post("/ruolo", ruolo=taken)
        assert (answer.status_code, await role_of(anna)) == (422, ""), taken
    for away in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert (await anna.post("/ruolo", ruolo=OPERATOR, next=away)).headers["location"] == "/oggi"


async def test_a_role_that_is_taken_away_is_not_the_chosen_one_any_more(one: Desk) -> None:
    anna = await one.signed_in("anna", OPERATOR, REFERRER)
    await anna.post("/ruolo", ruolo=OPERATOR)
    await one.site.accounts.revoke("anna", Grant.read(OPERATOR))
    assert await role_of(anna) == ""
    assert (await anna.get("/accedi?next=/oggi")).headers["location"] == "/ruolo?next=%2Foggi"


async def test_a_facilitator_and_a_referrer_are_who_the_account_says(one: Desk) -> None:
    seen = []
    for login, grant in (("eva", "facilitator:monza-brianza:F-1"), ("ugo", REFERRER)):
        browser = await one.signed_in(login, grant)
        told = claims_of((await browser.get("/forward-auth", **{"X-Forwarded-Method": "GET"})).headers["authorization"])
        seen.append((told["sub"], told["role"], told.get("partner")))
    assert seen == [("F-1", "facilitator", None), ("ugo", "referrer", "cgil")]
