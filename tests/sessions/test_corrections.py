"""Corrections behind what was counted, on real engines: sheet, calendar and indicators say the same in the end."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

import analytics.app
from analytics.indicators import Facts, indicators
from grouping.membership import commands as group
from services.contracts.enrolment import Purpose
from services.contracts.grouping import Ending
from services.identity.auth import Role
from services.kernel import Refused
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.consents import consenting_in
from tests.helpers.waiting import eventually
from tests.sessions.conftest import World, three_weeks_ago

LONG_AGO = datetime.combine(three_weeks_ago() - timedelta(weeks=30), time(9), UTC)
RESTRICTED = "ama.sessions.restricted"


@pytest_asyncio.fixture
async def counted(world: World, settings: Settings) -> AsyncIterator[Service]:
    """Analytics, which counts what the others publish in this programme."""
    given = {"programmes": world.sessions.settings.programmes, "only": world.programme}
    async with running(analytics.app.build(settings.model_copy(update=given)), ["consume"]) as service:
        yield service


async def figures(service: Service, programme: str) -> tuple[int, int]:
    """Members and present, over all roll-calls, as the indicators say."""
    models = service.read_models
    rows: dict[str, Any] = {
        name: [each async for each in models.rows(name, {"programme": programme})] for name in models.projections
    }
    consenting = await consenting_in(service.store, programme, Purpose.RESEARCH)
    found = indicators(Facts(consenting=consenting, **rows), service.rules[programme]).attendance
    return found.members, found.present


async def calendar(client: httpx.AsyncClient, of: str) -> list[dict[str, Any]]:
    return [each for each in (await client.get(f"/groups/{of}/sessions")).json() if each["held"]]


async def agree(client: httpx.AsyncClient, world: World, counted: Service, of: str) -> tuple[int, int]:
    """Send back every sheet as it is shown; then wait until calendar and indicators say what the sheets say. Gives members and present."""
    members = present = 0
    for each in await world.stored("session", group=of, held=True):
        sheet = (await client.get(f"/sessions/{each['id']}")).json()
        assert {*sheet["present"]} <= {*sheet["members"]}
        answer = await client.put(f"/sessions/{each['id']}/roll-call", json={"present": sheet["present"]})
        assert answer.status_code == 204, answer.text
        members, present = members + len(sheet["members"]), present + len(sheet["present"])

    async def same() -> bool:
        held = await calendar(client, of)
        summed = sum(each["present"] + each["absent"] for each in held), sum(each["present"] for each in held)
        return summed == await figures(counted, world.programme) == (members, present)

    await eventually(same, 120)
    return members, present


async def scheduled(world: World, of: str, members: int) -> list[str]:
    """The ids of the group's meetings, once they and so many members are there."""

    async def there() -> bool:
        roster = await world.stored("roster", id=of)
        return bool(roster) and len(roster[0]["members"]) == members

    await eventually(there)
    return [each["id"] for each in await world.stored("session", group=of)]


async def test_whoever_left_before_a_roll_that_was_called_is_in_no_figure_of_it(world: World, counted: Service) -> None:
    workers = [await world.admitted(Purpose.RESEARCH, at=LONG_AGO) for _ in range(3)]
    formed = await world.seat(*workers, facilitator="f")
    first, second, *_ = await scheduled(world, formed, 3)
    async with world.client(Role.OPERATOR) as client:
        for each in (first, second):
            assert (await client.put(f"/sessions/{each}/roll-call", json={"present": workers})).status_code == 204
        await world.withdraw(workers[0], datetime.combine(three_weeks_ago() + timedelta(days=2), time(10), UTC))

        async def corrected() -> bool:
            return [each["present"] for each in await calendar(client, formed)] == [3, 2]

        await eventually(corrected)
        assert (await client.get(f"/sessions/{second}")).json()["members"] == sorted(workers[1:])
        assert await agree(client, world, counted, formed) == (5, 5)
        last = orjson.loads((await world.published("session.held"))[-1]["value"])
        starts = (await world.stored("session", id=second))[0]["starts"]
        assert datetime.fromisoformat(last["time"]) >= datetime.fromisoformat(starts), "not before the meeting"


async def test_whoever_joined_before_a_roll_that_was_called_is_on_the_sheet_and_counts_once_it_is_sent(
    world: World, counted: Service
) -> None:
    workers = [await world.admitted(Purpose.RESEARCH, at=LONG_AGO) for _ in range(3)]
    formed = await world.seat(*workers[:2], facilitator="f")
    first, *_ = await scheduled(world, formed, 2)
    async with world.client(Role.OPERATOR) as client:
        await client.put(f"/sessions/{first}/roll-call", json={"present": workers[:2]})
        await world.join(workers[2], formed, three_weeks_ago())
        await scheduled(world, formed, 3)
        sheet = (await client.get(f"/sessions/{first}")).json()
        assert (sheet["members"], sheet["present"]) == (sorted(workers), sorted(workers[:2]))

        async def counted_so_far() -> list[tuple[int, int]]:
            return [(each["present"], each["absent"]) for each in await calendar(client, formed)]

        assert await eventually(counted_so_far) == [(2, 0)]
        assert await agree(client, world, counted, formed) == (3, 2)


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_joining_leaving_and_calling_ends_in_figures_that_agree(
    world: World, counted: Service, seed: int
) -> None:
    chance = random.Random(seed)
    workers = [await world.admitted(Purpose.RESEARCH, at=LONG_AGO) for _ in range(8)]
    began = three_weeks_ago() - timedelta(weeks=8)
    formed = await world.seat(*workers[:3], facilitator="f", first=began)
    meetings = await scheduled(world, formed, 3)
    joins, left, sitting = workers[3:], 0, workers[:3]
    acts = ["join"] * len(joins) + ["leave"] * 4 + ["roll"] * 12
    chance.shuffle(acts)
    async with world.client(Role.OPERATOR) as client:
        for act in acts:
            day = began + timedelta(days=chance.randrange(75))
            if act == "join":
                await world.join(joins[0], formed, day)
                sitting.append(joins.pop(0))
            elif act == "leave" and len(sitting) > 1:
                await world.withdraw(sitting.pop(chance.randrange(len(sitting))), datetime.combine(day, time(9), UTC))
                left += 1
            else:
                at = f"/sessions/{chance.choice(meetings[:5])}"
                shown = (await client.get(at)).json()["members"]
                sent = {"present": [each for each in shown if chance.random() < 0.7]}
                # Somebody may have left since it was shown.
                assert (await client.put(f"{at}/roll-call", json=sent)).status_code in {204, 422}

        async def all_arrived() -> bool:
            (roster,) = await world.stored("roster", id=formed)
            ended = sum(each["until"] is not None for each in roster["members"])
            return (len(roster["members"]), ended) == (8 - len(joins), left)

        await eventually(all_arrived)
        await agree(client, world, counted, formed)


async def change(world: World, **rules: Any) -> None:
    """The programme's file changes, and grouping and sessions know it."""
    for service in (world.grouping, world.sessions):
        changed = service.rules[world.programme].model_copy(update=rules)
        service.programmes.served.follow({world.programme: changed})


async def test_a_cadence_that_changes_moves_no_meeting_of_a_group_that_was_formed(world: World) -> None:
    workers = [await world.admitted(at=LONG_AGO) for _ in range(3)]
    first = three_weeks_ago()
    formed = await world.seat(*workers[:2], facilitator="f", first=first)
    await scheduled(world, formed, 2)
    await change(world, cadence_days=7, meetings=3)
    planned = [first + timedelta(weeks=2 * each) for each in range(18)]
    days = [date.fromisoformat(each["starts"][:10]) for each in await world.stored("session", group=formed)]
    assert days == planned
    # By the new file its last meeting would be past.
    await world.join(workers[2], formed, planned[-1])
    late = await world.admitted(at=LONG_AGO)
    with pytest.raises(Refused, match=rf"the last meeting of the group \({planned[-1]}\)") as refused:
        await world.join(late, formed, planned[-1] + timedelta(days=1))
    assert refused.value.code == "out-of-order"


async def test_the_meetings_are_those_that_the_forming_fixed_also_when_the_file_changes_before_they_are_scheduled(
    world: World,
) -> None:
    workers = [await world.admitted(at=LONG_AGO) for _ in range(2)]
    await world.waiting(*workers)
    changed = world.sessions.rules[world.programme].model_copy(update={"cadence_days": 7, "meetings": 3})
    world.sessions.programmes.served.follow({world.programme: changed})
    formed = await world.seat(*workers, facilitator="f")
    await scheduled(world, formed, 2)
    days = [each["starts"][:10] for each in await world.stored("session", group=formed)]
    assert days == [str(three_weeks_ago() + timedelta(weeks=2 * each)) for each in range(18)]


async def test_of_a_group_that_ended_early_no_later_roll_is_called_and_its_members_wait_again(world: World) -> None:
    workers = [await world.admitted(at=LONG_AGO) for _ in range(2)]
    formed = await world.seat(*workers, facilitator="f")
    first, second, *_ = await scheduled(world, formed, 2)
    ended = datetime.combine(three_weeks_ago() + timedelta(days=3), time(9), UTC)
    early = group.Conclude(group=formed, reason=Ending.TOO_FEW, at=ended)
    with pytest.raises(Refused) as refused:  # it was formed only now
        await world.grouping.do(group.conclude, early, world.programme)
    assert refused.value.code == "out-of-order"
    await world.grouping.do(group.conclude, early.model_copy(update={"at": None}), world.programme)

    async def known() -> bool:
        return bool((await world.stored("roster", id=formed))[0]["concluded"])

    await eventually(known)
    async with world.client(Role.OPERATOR) as client:

        async def off() -> bool:
            listed = (await client.get(f"/groups/{formed}/sessions")).json()
            return [each["session"] for each in listed] == [first, second]

        await eventually(off)
        for each in (first, second):
            sheet = (await client.get(f"/sessions/{each}")).json()["members"]
            answer = await client.put(f"/sessions/{each}/roll-call", json={"present": sheet})
            assert answer.status_code == 204, answer.text
    again = await world.seat(*workers, facilitator="g", first=three_weeks_ago() + timedelta(weeks=4))
    assert again != formed
