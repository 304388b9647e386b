"""Web sessions: kept in MongoDB, so that no restart ends them; ended everywhere at once; opened by the cookie alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.engines import Engines
from services.front.grants import Grant
from services.front.people import COLLECTION
from services.front.sealed import name_of, new_secret
from services.store.mongo import Store
from tests.front.served_site import HASH, Desk, copy_of, desk  # language: kept (a fixture)


@pytest_asyncio.fixture
async def one(engines: Engines, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(engines, tmp_path) as there:
        yield there


async def test_a_restart_signs_nobody_out_and_every_copy_knows_everybody(one: Desk) -> None:
    anna = await one.signed_in()
    async with copy_of(one) as after:
        there = one.browser(after)
        there.client.cookies.set("ama-site", anna.secret)
        assert "Anna Bianchi" in (await there.get("/")).text
        assert (await there.post("/esci")).status_code == 200
    assert not await anna.known(), "signed out in one copy is signed out in all"


async def test_signing_out_ends_it_in_every_place_that_holds_the_cookie(one: Desk) -> None:
    anna = await one.signed_in()
    thief = one.browser()
    thief.client.cookies.set("ama-site", anna.secret)
    assert await thief.known()
    await anna.post("/esci")
    assert not await thief.known()


async def test_it_ends_when_nobody_uses_it_and_when_it_is_old(one: Desk) -> None:
    anna = await one.signed_in()
    for _ in range(2):
        one.clock.forward(minutes=29)
        assert await anna.known(), "used meanwhile"
    one.clock.forward(minutes=31)
    assert not await anna.known()
    eva = await one.signed_in("eva")
    for _ in range(20):
        one.clock.forward(minutes=25)
        lasted = await eva.known()
    assert not lasted, "eight hours have passed"


async def test_a_page_that_is_merely_open_keeps_no_web_session_alive(one: Desk) -> None:
    anna = await one.signed_in()
    one.clock.forward(minutes=20)
    await anna.get("/console/nothing", accept="text/event-stream")
    one.clock.forward(minutes=20)
    assert not await anna.known()


async def test_a_secret_that_somebody_planted_before_is_not_the_one_afterwards(one: Desk) -> None:
    await one.account()
    anna, planted = one.browser(), new_secret()
    anna.client.cookies.set("ama-site", planted)
    await anna.sign_in("anna")
    secrets = [each.value for each in anna.client.cookies.jar if each.name == "ama-site"]
    assert [each for each in secrets if each != planted], "a new one"
    attacker = one.browser()
    attacker.client.cookies.set("ama-site", planted)
    assert not await attacker.known()


async def test_a_new_sign_in_ends_the_web_session_that_this_browser_had(one: Desk) -> None:
    anna = await one.signed_in()
    before = anna.secret
    await one.account("eva")
    thief = one.browser()
    thief.client.cookies.set("ama-site", before)
    assert await thief.known()
    # Signed in already, /accedi goes on; so the sign-in was begun in another window, before.
    other = one.browser()
    sent = await other.post(await other.form(), name="eva", password="una frase lunga e solo mia")
    other.client.cookies.set("ama-site", before)
    await other.client.get(sent.headers["location"])
    assert not await thief.known()


async def test_whoever_has_the_database_alone_opens_nothing_and_reads_no_name(one: Desk, engines: Engines) -> None:
    anna = await one.signed_in()
    store = Store(engines.mongo, one.site.store.name)
    try:
        stolen = {name: [each async for each in store[name].find()] for name in await store.db.list_collection_names()}
    finally:
        await store.close()
    assert len(stolen[COLLECTION]) == 1
    [document] = stolen[COLLECTION]
    assert document["_id"] == name_of(anna.secret)
    everything = json.dumps({name: rows for name, rows in stolen.items() if name != "accounts"}, default=str)
    for word in (anna.secret, "Anna Bianchi", "monza-brianza", "operator"):
        assert word not in everything, word
    for guess in (document["_id"], document["sealed"], document["_id"][:43]):
        thief = one.browser()
        thief.client.cookies.set("ama-site", guess)
        assert not await thief.known()


async def test_a_document_that_was_changed_or_moved_opens_for_nobody(one: Desk) -> None:
    anna, eva = await one.signed_in(), await one.signed_in("eva", "administrator:monza-brianza")
    documents = one.site.store[COLLECTION]
    theirs = await documents.find_one({"_id": name_of(eva.secret)})
    await documents.update_one({"_id": name_of(anna.secret)}, {"$set": {"sealed": theirs["sealed"]}})
    assert not await anna.known()
    assert await eva.known()


async def test_a_disabled_account_another_password_and_a_revoked_grant_end_at_once(one: Desk) -> None:
    anna, eva, carla = await one.signed_in(), await one.signed_in("eva"), await one.signed_in("carla")
    await one.site.accounts.disable("anna")
    assert not await anna.known()
    await one.site.accounts.disable("anna", False)
    assert not await anna.known(), "what has ended does not come back"
    await one.site.accounts.set_password("eva", HASH)
    assert not await eva.known()
    await one.site.accounts.revoke("carla", Grant.read("operator:monza-brianza"))
    page = (await carla.get("/ruolo")).text
    assert "operator:monza-brianza" not in page
    assert "chi gestisce il sistema" in page


async def test_a_strange_cookie_is_nobody(one: Desk) -> None:
    for strange in ("", "x", "a" * 43, "a" * 4_000, "%00", "é", "../../x"):
        somebody = one.browser()
        answer = await somebody.client.get("/ruolo", headers={b"Cookie": f"ama-site={strange}".encode()})
        assert (answer.status_code, answer.headers["location"]) == (303, "/accedi"), strange
