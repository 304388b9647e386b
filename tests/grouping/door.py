"""People, places and facilitators, entered through the API."""

import asyncio
from typing import Any

from services.embedded.home import Home
from tests.helpers.callers import Caller
from tests.helpers.waiting import eventually

PROGRAMME = "monza-brianza"
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}


async def admitted(home: Home, number: int, **profile: Any) -> list[str]:
    """People who were referred, consented and were admitted, and wait in the pool. Returns their ids."""
    referrer, operator = Caller(home, "referrer", PROGRAMME, partner="cgil"), Caller(home, "operator", PROGRAMME)
    described = {"municipality": "monza", "slots": ["mon-evening", "tue-evening"], **profile}

    async def one(n: int) -> str:
        body = {"person": {"given_name": "Ada", "family_name": f"Prova{n}"}, "profile": described}
        worker = str((await referrer("POST", "/enrolment/referrals", body)).json()["worker"])
        await operator("POST", f"/enrolment/workers/{worker}/consents", {"consents": CONSENTS, "notice": "2026-09"})
        answer = await operator("POST", f"/enrolment/workers/{worker}/admission")
        assert answer.status_code == 204, answer.text
        return worker

    workers = list(await asyncio.gather(*(one(n) for n in range(number))))
    store = home.all_services.services["grouping"].store

    async def waiting() -> bool:
        found = await store.by_id("seeker", [f"{PROGRAMME}/{worker}" for worker in workers])
        return [each["state"]["waits"] for each in found.values()] == [True] * number

    await eventually(waiting)
    return workers


async def a_place(operator: Caller, name: str, rooms: int = 1, **told: Any) -> None:
    place = {"title": "Casa", "address": "Via Roma 1", "municipality": "monza", "rooms": rooms, **told}
    assert (await operator("PUT", f"/grouping/places/{name}", place)).status_code == 204


async def a_facilitator(operator: Caller, name: str, groups: int = 1, **told: Any) -> None:
    body = {"municipality": "monza", "slots": ["mon-evening", "tue-evening"], "groups": groups, **told}
    assert (await operator("PUT", f"/grouping/facilitators/{name}", body)).status_code == 204


async def formed(
    home: Home, name: str, number: int, told: dict[str, Any] | None = None, **profile: Any
) -> tuple[str, list[str]]:
    """A group of that many people on Monday evenings from 11 January 2027 on, at a place and with a facilitator of this name."""
    operator = Caller(home, "operator", PROGRAMME)
    people = await admitted(home, number, **profile)
    await a_place(operator, name, **(told or {}))
    await a_facilitator(operator, f"{name}-f")
    body = {"members": people, "slot": "mon-evening", "place": name, "facilitator": f"{name}-f", "first": "2027-01-11"}
    answer = await operator("POST", "/grouping/groups", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["group"], people
