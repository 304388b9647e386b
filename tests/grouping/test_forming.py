"""Groups formed through the API: every rule is checked again, and of two commands that saw the same seat one gets it."""

import asyncio
from datetime import date
from typing import Any

import pytest

from services.embedded.home import Home
from tests.grouping.door import PROGRAMME, a_facilitator, a_place, admitted
from tests.helpers.callers import Caller


@pytest.fixture
def operator(home: Home) -> Caller:
    return Caller(home, "operator", PROGRAMME)


def group(members: list[str], place: str, facilitator: str) -> dict[str, Any]:
    first = date(2027, 1, 11)
    return {
        "members": members,
        "slot": "mon-evening",
        "place": place,
        "facilitator": facilitator,
        "first": first.isoformat(),
    }


async def test_of_two_commands_that_race_for_the_last_room_one_gets_it(home: Home, operator: Caller) -> None:
    some, others = await admitted(home, 10), await admitted(home, 10)
    await a_place(operator, "one-room")
    await a_facilitator(operator, "race-f1")
    await a_facilitator(operator, "race-f2")
    answers = await asyncio.gather(
        operator("POST", "/grouping/groups", group(some, "one-room", "race-f1")),
        operator("POST", "/grouping/groups", group(others, "one-room", "race-f2")),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert next(answer for answer in answers if answer.status_code == 409).json()["code"] == "no-room"


async def test_of_two_commands_that_race_for_the_same_people_one_gets_them(home: Home, operator: Caller) -> None:
    people = await admitted(home, 10)
    await a_place(operator, "two-rooms", rooms=2)
    await a_facilitator(operator, "both-f1")
    await a_facilitator(operator, "both-f2")
    answers = await asyncio.gather(
        *(operator("POST", "/grouping/groups", group(people, "two-rooms", f)) for f in ("both-f1", "both-f2"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert next(answer for answer in answers if answer.status_code == 409).json()["code"] == "seated-already"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"slot": "wed-evening", "first": "2027-01-13"}, 409, "facilitator-not-free"),
        ({"first": "2027-01-12"}, 422, "wrong-weekday"),
        ({"place": "nowhere"}, 404, "no-such-place"),
        ({"facilitator": "nobody"}, 404, "no-such-facilitator"),
        ({"slot": "sun-night"}, 422, "no-such-slot"),
    ],
)
async def test_a_group_that_cannot_meet_is_refused(
    home: Home, operator: Caller, change: dict[str, str], status: int, code: str
) -> None:
    await a_place(operator, "strict", rooms=9)
    await a_facilitator(operator, "strict-f", groups=9)
    people = [f"stranger-{n}" for n in range(10)]
    answer = await operator("POST", "/grouping/groups", {**group(people, "strict", "strict-f"), **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_too_few_and_too_many_are_refused(home: Home, operator: Caller) -> None:
    for number in (9, 16):
        answer = await operator(
            "POST", "/grouping/groups", group([f"x{n}" for n in range(number)], "strict", "strict-f")
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "wrong-size")


async def test_a_proposal_can_be_confirmed_group_by_group_and_then_nobody_is_left(home: Home, operator: Caller) -> None:
    people = set(await admitted(home, 24, slots=["thu-morning"], municipality="seregno"))
    body = {"title": "Sala", "address": "Piazza 1", "municipality": "seregno", "rooms": 2}
    await operator("PUT", "/grouping/places/seregno-hall", body)
    for name in ("prop-f1", "prop-f2"):
        await operator("PUT", f"/grouping/facilitators/{name}", {"municipality": "seregno", "slots": ["thu-morning"]})
    proposal = (await operator("POST", "/grouping/proposals", {"on": "2027-01-04"})).json()
    ours = [each for each in proposal["groups"] if people & set(each["members"])]
    assert sum(len(each["members"]) for each in ours) == 24
    assert all(10 <= len(each["members"]) <= 15 for each in ours)
    for each in ours:
        answer = await operator("POST", "/grouping/groups", each)
        assert answer.status_code == 201, answer.text
    again = (await operator("POST", "/grouping/proposals", {"on": "2027-01-04"})).json()
    assert not people & {each["id"] for each in again["unplaced"]} | people & {
        m for g in again["groups"] for m in g["members"]
    }


async def test_a_companys_list_comes_out_as_groups_of_that_company_and_a_late_comer_is_offered_the_free_seat(
    home: Home, operator: Caller
) -> None:
    where = {"slots": ["fri-morning"], "municipality": "vimercate"}
    colleagues, others = (
        set(await admitted(home, 14, employer="officine-test", **where)),
        await admitted(home, 14, **where),
    )
    body = {"title": "Sala", "address": "Piazza 2", "municipality": "vimercate", "rooms": 2}
    await operator("PUT", "/grouping/places/vimercate-hall", body)
    for name in ("company-f1", "company-f2"):
        await operator("PUT", f"/grouping/facilitators/{name}", {"municipality": "vimercate", "slots": ["fri-morning"]})
    asked = {"on": "2027-01-04", "companies": ["officine-test"]}
    proposal = (await operator("POST", "/grouping/proposals", asked)).json()
    ours = {each["kind"]: each for each in proposal["groups"] if each["slot"] == "fri-morning"}
    assert set(ours["homogeneous"]["members"]) == colleagues
    assert set(ours["heterogeneous"]["members"]) == set(others)
    formed = {kind: (await operator("POST", "/grouping/groups", each)).json()["group"] for kind, each in ours.items()}
    (late,) = await admitted(home, 1, **where)
    again = (await operator("POST", "/grouping/proposals", asked)).json()
    assert {"worker": late, "group": formed["heterogeneous"]} in again["joining"]
    assert not {each["id"] for each in again["unplaced"]} & {late, *colleagues, *others}


async def test_a_place_and_a_facilitator_registered_at_once_never_share_an_id(operator: Caller) -> None:
    place = {"title": "Casa", "address": "Via Roma 1", "municipality": "monza", "rooms": 1}
    leader = {"municipality": "monza", "slots": ["mon-evening"], "groups": 1}
    for n in range(12):
        answers = await asyncio.gather(
            operator("PUT", f"/grouping/places/same-{n}", place),
            operator("PUT", f"/grouping/facilitators/same-{n}", leader),
        )
        assert sorted(answer.status_code for answer in answers) == [204, 409], [answer.text for answer in answers]
