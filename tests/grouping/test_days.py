"""Days of groups, through the API: meetings lie in the programme, seats before the last meeting, and what is over holds nothing."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from grouping.conclusions import conclude_those_over
from services.embedded.home import Home
from services.programmes.model import Holidays
from services.runtime.service import Service
from services.store.clock import now_utc
from tests.grouping.door import PROGRAMME, a_facilitator, a_place, admitted
from tests.helpers.callers import Caller
from tests.helpers.people import a_monday
from tests.helpers.waiting import eventually

MEETINGS, CADENCE = 3, 7


@pytest.fixture
def operator(home: Home) -> Caller:
    return Caller(home, "operator", PROGRAMME)


@pytest_asyncio.fixture
async def short(home: Home) -> AsyncIterator[Service]:
    """Grouping, while its programme has three weekly meetings, so that a group of this autumn can be over."""
    service = home.all_services.services["grouping"]
    before = service.rules[PROGRAMME]
    changed = before.model_copy(update={"meetings": MEETINGS, "cadence_days": CADENCE, "holidays": Holidays()})
    service.programmes.served.follow({PROGRAMME: changed})
    yield service
    service.programmes.served.follow({PROGRAMME: before})


def group(members: list[str], name: str, first: date, slot: str = "mon-evening", place: str = "") -> dict[str, Any]:
    there = {"slot": slot, "place": place or name, "facilitator": f"{name}-f", "first": first.isoformat()}
    return {"members": members, **there}


async def room(operator: Caller, name: str) -> None:
    await a_place(operator, name)
    await a_facilitator(operator, f"{name}-f")


@pytest.mark.parametrize(
    ("first", "code", "named"),
    [
        ("2029-01-08", "programme-over", "2028-02-29"),
        ("2028-02-28", "programme-over", "2028-02-29"),
        ("2027-07-12", "programme-over", "2028-04-03"),  # the first meetings are in time, the last one is not
        ("2026-08-31", "out-of-order", "2026-09-01"),
    ],
)
async def test_a_group_with_a_meeting_outside_the_programme_is_refused(
    home: Home, operator: Caller, first: str, code: str, named: str
) -> None:
    await room(operator, "outside")
    people = [f"stranger-{n}" for n in range(10)]
    answer = await operator("POST", "/grouping/groups", group(people, "outside", date.fromisoformat(first)))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert named in answer.json()["detail"]


async def test_a_seat_begins_on_the_day_of_the_last_meeting_and_not_after_it(home: Home, operator: Caller) -> None:
    people = await admitted(home, 12)
    await room(operator, "late")
    formed = (await operator("POST", "/grouping/groups", group(people[:10], "late", date(2027, 1, 11)))).json()["group"]
    last, path = date(2027, 9, 6), f"/grouping/groups/{formed}/members"
    after = await operator("POST", path, {"worker": people[10], "since": str(last + timedelta(days=1))})
    assert (after.status_code, after.json()["code"], after.json()["not_after"]) == (409, "out-of-order", str(last))
    assert (await operator("POST", path, {"worker": people[11], "since": str(last)})).status_code == 201
    (row,) = [each for each in (await operator("GET", "/grouping/groups")).json() if each["group"] == formed]
    assert row["last"] == str(last)


async def test_a_group_that_is_over_holds_neither_its_facilitator_nor_its_room_nor_a_place_in_a_proposal(
    home: Home, operator: Caller, short: Service
) -> None:
    people, others = await admitted(home, 10, slots=["mon-evening"]), await admitted(home, 10, slots=["mon-evening"])
    await room(operator, "over")
    old = (await operator("POST", "/grouping/groups", group(people, "over", a_monday(-6)))).json()["group"]
    during = await operator("POST", "/grouping/groups", group(others, "over", a_monday(-4)))
    assert during.json()["code"] in {"no-room", "facilitator-not-free"}
    proposal = (await operator("POST", "/grouping/proposals", {"on": str(a_monday(1))})).json()
    named = {m for each in proposal["groups"] for m in each["members"]} | {each["id"] for each in proposal["unplaced"]}
    assert not named & {*people}, "whoever sat in it to the end wants no other seat"
    assert old not in {each["group"] for each in proposal["joining"]}
    now = await operator("POST", "/grouping/groups", group(others, "over", a_monday(1)))
    assert now.status_code == 201, now.text


async def test_a_group_whose_last_meeting_is_past_is_concluded_once_from_the_day_after_it(
    home: Home, operator: Caller, short: Service
) -> None:
    people, (late,) = await admitted(home, 10), await admitted(home, 1)
    await room(operator, "past")
    first = a_monday(-6)
    formed = (await operator("POST", "/grouping/groups", group(people, "past", first))).json()["group"]
    last = first + timedelta(days=CADENCE * (MEETINGS - 1))
    for _ in range(2):
        await conclude_those_over(short, short.rules[PROGRAMME], now_utc())

    async def shown() -> Any:
        rows = (await operator("GET", "/grouping/groups")).json()
        return next((each for each in rows if each["group"] == formed and each["concluded"]), None)

    row = await eventually(shown)
    assert (row["last"], row["concluded"], row["members"]) == (str(last), str(last), 10)
    joined = await operator("POST", f"/grouping/groups/{formed}/members", {"worker": late, "since": str(first)})
    assert (joined.status_code, joined.json()["code"]) == (409, "concluded")
    counted = (await operator("GET", "/analytics/indicators")).json()
    assert counted["groups_concluded"] >= 1


async def test_an_operator_ends_a_group_early_with_a_reason_of_the_list(home: Home, operator: Caller) -> None:
    people = await admitted(home, 10, slots=["mon-evening"])
    await room(operator, "early")
    formed = (await operator("POST", "/grouping/groups", group(people, "early", a_monday(-2)))).json()["group"]
    path = f"/grouping/groups/{formed}/conclusion"
    for body, status, code in (
        ({"reason": "bored"}, 422, "invalid"),
        ({"reason": "completed"}, 409, "out-of-order"),
        ({"reason": "too-few", "at": "2026-09-02T10:00:00Z"}, 409, "out-of-order"),
        ({"reason": "too-few", "at": "2199-01-01T00:00:00Z"}, 422, "in-the-future"),
    ):
        answer = await operator("POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await operator("POST", path, {"reason": "too-few"})).status_code == 204
    assert (await operator("POST", path, {"reason": "too-few"})).json()["code"] == "concluded"
    # Its people, its facilitator and its room are free for a group that begins after that day.
    again = await operator("POST", "/grouping/groups", group(people, "early", a_monday(1)))
    assert again.status_code == 201, again.text

    async def seated() -> bool:
        rows = {each["group"]: each["members"] for each in (await operator("GET", "/grouping/groups")).json()}
        return (rows.get(formed), rows.get(again.json()["group"])) == (0, 10)

    assert await eventually(seated)
