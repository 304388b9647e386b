"""The state and the dead letters of a service, through the API of a copy that consumes nothing itself."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.runtime.service import Service, running
from services.store.clock import now_utc
from tests.helpers.callers import Caller
from tests.helpers.own_engines import (
    PROGRAMME,
    Apart,
    event,
    failing,
    from_now_on,
    listening,
    noting,
    subjects,
    tell,
    until_dead,
    until_noted,
)
from tests.helpers.people import THEN
from tests.helpers.serving import Served, client_of
from tests.helpers.waiting import eventually


@asynccontextmanager
async def beside(
    service: Service, apart: Apart, folder: Path, there: Served | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A copy of the service that answers alone, asked by the operator of the system, Anna. `there` issues its tokens."""
    there = there or Served(folder)
    settings = service.settings.model_copy(update={"issuer": there.url})
    async with (
        there.up(),
        running(apart.service(noting([]), settings=settings), ["api"]) as copy,
        client_of(copy.app) as client,
    ):
        client.headers["Authorization"] = f"Bearer {there.issuer.token('system-operator', 'jobs2', 'anna')}"
        yield client


async def reactions_of(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return the state of the consumer of reactions."""
    state = (await client.get("/ops/state")).raise_for_status().json()
    (found,) = [each for each in state["consumers"] if each["name"] == "reactions"]
    return dict(found)


async def test_any_copy_tells_how_far_the_one_that_consumes_is(apart: Apart, tmp_path: Path) -> None:
    service = apart.service(noting([]))
    seen = subjects(5)
    await from_now_on(service, "reactions")
    async with beside(service, apart, tmp_path) as client:
        assert (await reactions_of(client))["lag"] == 0
        await tell(service.bus, *(event(each, 1) for each in seen))
        assert (await reactions_of(client))["lag"] == 5
        async with listening(service):
            await until_noted(service, {each: [1] for each in seen})
        assert (await reactions_of(client))["lag"] == 0


async def test_a_dead_letter_is_listed_shown_redriven_and_dismissed(apart: Apart, tmp_path: Path) -> None:
    (bad, worse), poison = subjects(2), set[str]()
    poison |= {f"{bad}-1", f"{worse}-1"}
    service = apart.service(noting([], failing(poison)))
    async with listening(service), beside(service, apart, tmp_path) as client:
        await tell(service.bus, event(bad, 1), event(bad, 2), event(worse, 1), event(worse, 2), ("none", b"no event"))
        await until_dead(service, f"{bad}-1", f"{worse}-1")
        told = await eventually(lambda: complete(client))
        assert (told["dead"], told["stopped"], told["parked"]) == (3, 2, 4)
        ids = {each["subject"]: each["id"] for each in (await client.get("/ops/dead")).json()}
        opened = (await client.get(f"/ops/dead/{ids[bad]}")).json()
        assert (opened["taken"], opened["parked"], opened["stopped"]) == (0, 1, True)
        assert f"{bad}-1" in opened["record"]
        poison.clear()
        assert (await client.post(f"/ops/dead/{ids[bad]}/redrive")).json() == {"held": False}
        assert (await client.post(f"/ops/dead/{ids[worse]}/dismiss", json={"reason": " a test "})).status_code == 200
        await until_noted(service, {bad: [1, 2], worse: [2]})
        closed = (await client.get(f"/ops/dead/{ids[worse]}")).json()["history"][-1]
        assert (closed["what"], closed["by"], closed["why"]) == ("dismissed", "anna", "a test")
        refused = [
            await client.post(f"/ops/dead/{ids[bad]}/redrive"),
            await client.post(f"/ops/dead/{ids[None]}/redrive"),
            await client.post(f"/ops/dead/{ids[None]}/dismiss", json={"reason": "  "}),
            await client.get("/ops/dead/reactions/nothing"),
        ]
        assert [each.json()["code"] for each in refused] == ["not-open", "no-event", "invalid", "no-such-dead-letter"]
        assert [each["id"] for each in (await client.get("/ops/dead")).json()] == [ids[None]]


async def test_an_administrator_has_the_dead_letters_of_their_programme_alone(apart: Apart, tmp_path: Path) -> None:
    (bad,), poison = subjects(1), set[str]()
    poison |= {f"{bad}-1"}
    service, there = apart.service(noting([], failing(poison))), Served(tmp_path)
    async with listening(service), beside(service, apart, tmp_path, there) as client:
        await tell(service.bus, event(bad, 1), ("none", b"no event"))
        await until_dead(service, f"{bad}-1")

        async def both() -> list[dict[str, Any]]:
            listed: list[dict[str, Any]] = (await client.get("/ops/dead")).json()
            return listed if len(listed) == 2 else []

        ids = {each["subject"]: each["id"] for each in await eventually(both)}
        for programme, seen in ((PROGRAMME, [ids[bad]]), ("jobs2", [])):
            client.headers["Authorization"] = f"Bearer {there.issuer.token('administrator', programme, 'eva')}"
            assert [each["id"] for each in (await client.get("/ops/dead")).json()] == seen
            for id in ids.values():
                answer = await client.get(f"/ops/dead/{id}")
                assert answer.status_code == (200 if id in seen else 404)
            assert (await client.post(f"/ops/dead/{ids[None]}/dismiss", json={"reason": "x"})).status_code == 404
            assert (await client.get("/ops/state")).status_code == 403
        assert (await client.post(f"/ops/dead/{ids[bad]}/redrive")).status_code == 404


async def complete(client: httpx.AsyncClient) -> dict[str, Any] | None:
    """Once all that was told is dead or parked."""
    told = await reactions_of(client)
    return told if told["dead"] == 3 and told["parked"] == 4 else None


async def test_a_service_that_has_taken_all_there_is_lags_by_nothing_though_transactions_leave_markers(
    home: Home,
) -> None:
    system = Caller(home, "system-operator", "jobs2")
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": THEN}
    assert (await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)).status_code == 201

    async def level() -> bool:
        told = [(await system("GET", f"/{each}/ops/state")).json() for each in SERVICES]
        leads = all(each["relay"]["leads"] and each["relay"]["since"] and not each["missing"] for each in told)
        return leads and not any(consumer["lag"] for each in told for consumer in each["consumers"])

    assert await eventually(level)


async def test_who_leads_and_since_when_is_told_until_nobody_does(apart: Apart, tmp_path: Path) -> None:
    service = apart.service(noting([]))
    async with beside(service, apart, tmp_path) as client:

        async def relay() -> dict[str, Any]:
            return dict((await client.get("/ops/state")).json()["relay"])

        async def leads() -> bool:
            return bool((await relay())["leads"])

        gone = {
            "holder": "a",
            "who": "a",
            "since": now_utc(),
            "until": now_utc() - timedelta(seconds=1),
            "token": None,
            "epoch": 1,
        }
        await service.store["relay"].insert_one({"_id": "relay", **gone})
        assert not await leads(), "its lease has run out"
        async with running(service, ["relay"]):
            await eventually(leads)
            first = await relay()
            assert first["who"].endswith(f"/{os.getpid()}")
            renewed = await service.store["relay"].find_one({"_id": "relay"})

            async def again() -> bool:
                now = await service.store["relay"].find_one({"_id": "relay"})
                return bool(now["until"] > renewed["until"])

            await eventually(again)
            assert (await relay())["since"] == first["since"], "a lease that is renewed is the same"
        nobody = await relay()
        assert (nobody["leads"], nobody["who"], nobody["since"]) == (False, None, None)


async def test_an_engine_that_is_away_is_named_and_what_it_knows_is_left_out(apart: Apart, tmp_path: Path) -> None:
    service = apart.service(noting([]))
    async with beside(service, apart, tmp_path) as client:
        assert (await client.get("/ops/state")).json()["missing"] == {}
        await apart.kill_mongo()
        try:
            told = (await client.get("/ops/state")).json()
        finally:
            await apart.start_mongo()
        assert (told["missing"], told["consumers"]) == ({"MongoDB": "does not answer"}, [])

        async def back() -> bool:
            return bool((await client.get("/ops/state")).json().get("missing") == {})

        await eventually(back)
