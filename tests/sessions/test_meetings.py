"""From a group that was formed to a roll that was called and corrected, on real engines."""

from typing import Any

import pytest_asyncio

from services.identity.auth import Role
from tests.helpers.waiting import eventually
from tests.sessions.conftest import World

RESTRICTED = "ama.sessions.restricted"


class Group:
    """A group of three, led by `f`."""

    def __init__(self, world: World, id: str, members: list[str]) -> None:
        self.world, self.id, self.members = world, id, members

    async def meetings(self) -> list[dict[str, Any]]:
        return await self.world.stored("session", group=self.id)


@pytest_asyncio.fixture
async def group(world: World) -> Group:
    members = sorted([await world.admitted() for _ in range(3)])
    formed = Group(world, await world.seat(*members, facilitator="f"), members)

    async def known() -> bool:
        found = await world.stored("roster", id=formed.id)
        async with world.client(Role.OPERATOR) as client:
            calendar = (await client.get(f"/groups/{formed.id}/sessions")).json()
        return bool(found) and len(found[0]["members"]) == 3 and len(calendar) == 18

    await eventually(known)
    return formed


async def test_a_group_has_all_meetings_of_the_programme_and_its_facilitator_sees_them(group: Group) -> None:
    async with group.world.client(Role.FACILITATOR, "f") as client:
        calendar = (await client.get(f"/groups/{group.id}/sessions")).json()
        assert [each["number"] for each in calendar] == list(range(1, 19))
        assert {each["held"] for each in calendar} == {False}
        assert all(each["starts"][19:] in {"+01:00", "+02:00"} for each in calendar)
        roll = await client.get(f"/sessions/{calendar[0]['session']}")
        assert (roll.json()["members"], roll.json()["present"]) == (group.members, None)
        assert roll.headers["etag"] == '"1"'
    assert len(await group.world.published("session.scheduled")) == 18


async def test_a_facilitator_of_another_group_finds_nothing(group: Group) -> None:
    session = (await group.meetings())[0]["id"]
    async with group.world.client(Role.FACILITATOR, "another") as client:
        answers = [
            await client.get(f"/groups/{group.id}/sessions"),
            await client.get(f"/sessions/{session}"),
            await client.put(f"/sessions/{session}/roll-call", json={"present": []}),
        ]
        nothing = await client.get("/sessions/no-such-thing")
    assert [each.status_code for each in answers] == [404] * 3
    assert answers[1].json()["code"] == nothing.json()["code"] == "no-such-session"


async def test_a_roll_is_called_repeated_and_corrected(group: Group) -> None:
    world, (one, other, third) = group.world, group.members
    session = (await group.meetings())[0]["id"]
    path = f"/sessions/{session}/roll-call"
    async with world.client(Role.FACILITATOR, "f") as client:
        for present in ([one, other], [other, one], [one, third]):
            assert (await client.put(path, json={"present": present})).status_code == 204
        seen = (await client.get(f"/sessions/{session}")).json()
        assert (seen["held"], seen["present"]) == (True, sorted([one, third]))

    assert len(await world.published("session.held")) == 2
    recorded = {each: len(await world.published("attendance.recorded", RESTRICTED, key=each)) for each in group.members}
    assert recorded == {one: 1, other: 2, third: 2}


async def test_a_roll_call_is_refused_for_a_stranger_and_before_the_meeting(group: Group) -> None:
    first, *_, last = await group.meetings()
    async with group.world.client(Role.OPERATOR) as client:
        body = {"present": [group.members[0], "stranger"]}
        refused = await client.put(f"/sessions/{first['id']}/roll-call", json=body)
        assert (refused.status_code, refused.json()["workers"]) == (422, ["stranger"])
        early = await client.put(f"/sessions/{last['id']}/roll-call", json={"present": []})
        assert (early.status_code, early.json()["code"]) == (409, "not-yet-held")
        stale = await client.put(
            f"/sessions/{first['id']}/roll-call", json={"present": []}, headers={"If-Match": '"7"'}
        )
        assert stale.status_code == 412


async def test_who_left_is_a_member_of_earlier_meetings_only(group: Group) -> None:
    gone, first, third = group.members[0], *[(await group.meetings())[each]["id"] for each in (0, 2)]
    await group.world.withdraw(gone)
    async with group.world.client(Role.OPERATOR) as client:

        async def left() -> bool:
            return gone not in (await client.get(f"/sessions/{third}")).json()["members"]

        await eventually(left)
        assert (await client.get(f"/sessions/{first}")).json()["members"] == group.members


async def test_who_looked_at_a_roll_can_be_asked_for(group: Group) -> None:
    session = (await group.meetings())[0]["id"]
    async with group.world.client(Role.FACILITATOR, "f") as client:
        await client.get(f"/sessions/{session}")
    async with group.world.client(Role.WORKER, group.members[0]) as client:
        (look,) = (await client.get(f"/workers/{group.members[0]}/accesses")).json()
        assert (look["who"], look["role"], look["what"]) == ("f", "facilitator", f"session {session}")
        assert (await client.get(f"/workers/{group.members[1]}/accesses")).status_code == 403


async def test_of_an_erased_member_sessions_keeps_the_count_alone(group: Group) -> None:
    world, erased = group.world, group.members[0]
    session = (await group.meetings())[0]["id"]
    async with world.client(Role.OPERATOR) as client:
        called = await client.put(f"/sessions/{session}/roll-call", json={"present": [erased]})
        assert called.status_code == 204, called.text
        await world.erase(erased)

        async def forgotten() -> bool:
            return not await world.stored("participant", id=erased)

        await eventually(forgotten)
        for noun in ("roster", "session", "survey"):
            assert erased not in str(await world.stored(noun))
        seen = (await client.get(f"/sessions/{session}")).json()
        assert (seen["members"], seen["present"]) == (group.members[1:], [])
        await client.put(f"/sessions/{session}/roll-call", json={"present": group.members[1:]})
    last = (await world.published("session.held"))[-1]
    assert b'"present":3,"absent":0' in last["value"]
