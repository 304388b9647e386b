"""A late comer gets a seat in a group that exists, by the same rules as everybody, and all services learn of it."""

import asyncio
from typing import Any

import pytest

from services.embedded.home import Home
from tests.grouping.door import PROGRAMME, admitted, formed
from tests.helpers.callers import Caller
from tests.helpers.waiting import eventually


@pytest.fixture
def operator(home: Home) -> Caller:
    return Caller(home, "operator", PROGRAMME)


async def join(operator: Caller, group: str, worker: str, since: str | None = None, **headers: str) -> tuple[int, Any]:
    answer = await operator("POST", f"/grouping/groups/{group}/members", {"worker": worker, "since": since}, **headers)
    return answer.status_code, answer.json()


async def test_who_joins_late_is_on_the_roster_of_later_meetings_alone_and_once_however_often_it_is_sent(
    home: Home, operator: Caller
) -> None:
    group, people = await formed(home, "late-hall", 10)
    (late,) = await admitted(home, 1)
    looked = (await operator("GET", f"/grouping/workers/{late}/seats?on=2027-02-01")).json()
    assert [(each["members"], each["km"], each["refused"]) for each in looked if each["group"] == group] == [
        (11, 0, None)
    ]
    for _ in range(2):
        status, told = await join(operator, group, late, "2027-02-01", idempotency_key=f"late-{late}")
        assert (status, told) == (201, {"group": group, "worker": late, "since": "2027-02-01"})
    assert (await join(operator, group, late))[1]["code"] == "seated-already"
    assert (await operator("GET", f"/grouping/workers/{late}/seats?on=2027-02-01")).json()["code"] == "seated-already"
    meetings = (await operator("GET", f"/sessions/groups/{group}/sessions")).json()

    async def called() -> bool:
        rolls = [(await operator("GET", f"/sessions/sessions/{each['session']}")).json() for each in meetings[:3]]
        return [set(roll["members"]) - set(people) for roll in rolls] == [set(), set(), {late}]

    await eventually(called)
    partner = Caller(home, "referrer", PROGRAMME, partner="cgil")

    async def seated() -> bool:
        rows = (await partner("GET", f"/enrolment/workers?after={late[:-1]}&limit=1000")).json()
        return any((row["worker"], row["seated"]) == (late, "2027-02-01") for row in rows)

    await eventually(seated)


async def test_a_seat_that_breaks_a_rule_is_refused_by_its_name_and_of_two_who_race_for_the_last_one_gets_it(
    home: Home, operator: Caller
) -> None:
    group, _ = await formed(home, "rule-hall", 14, slots=["mon-evening"], gender="m")
    refused: dict[str, dict[str, Any]] = {
        "slot-impossible": {"slots": ["tue-evening"]},
        "out-of-reach": {"municipality": "lentate-sul-seveso", "travel_km": 1},
        "not-before": {"not_before": "2027-06-01"},
        "no-access": {"needs_access": True},
        "alone": {"gender": "f"},
    }
    for code, profile in refused.items():
        (person,) = await admitted(home, 1, **profile)
        status, told = await join(operator, group, person, "2027-02-01")
        assert (status, told["code"], told["status"]) == (409, code, 409)
        looked = (await operator("GET", f"/grouping/workers/{person}/seats?on=2027-02-01")).json()
        assert {each["group"]: each["refused"] for each in looked}[group] == code
    assert (await join(operator, group, "nobody"))[1]["code"] == "no-such-seeker"
    assert (await join(operator, "no-group", "nobody"))[1]["code"] == "no-such-group"
    (person,) = await admitted(home, 1)
    assert (await join(operator, group, person, "2199-01-01"))[1]["code"] == "programme-over"
    elsewhere = Caller(home, "operator", "jobs2")
    assert (await join(elsewhere, group, person))[1]["code"] == "no-such-group"
    two = [person, *await admitted(home, 1)]
    answers = await asyncio.gather(*(join(operator, group, each) for each in two))
    assert sorted(status for status, _ in answers) == [201, 409]
    assert next(told for status, told in answers if status == 409)["code"] == "group-full"
