"""A group of three whose roll is called, and browsers of the people who look at it."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from services.identity.auth import Role
from tests.helpers.waiting import eventually
from tests.sessions.conftest import World

ITALIAN = {"Accept-Language": "it"}


@dataclass
class Group:
    """A group of three, led by `f`, of which two meetings have begun."""

    world: World
    id: str
    members: list[str]
    sessions: list[str]

    def roll(self, number: int = 1) -> str:
        """The address of a roll, for the facilitator."""
        return f"/gruppo/incontri/{self.sessions[number - 1]}"


@pytest_asyncio.fixture
async def group(world: World) -> Group:
    members = sorted([await world.admitted() for _ in range(3)])
    formed = await world.seat(*members, facilitator="f")

    async def known() -> list[dict[str, Any]]:
        rosters = await world.stored("roster", id=formed)
        rows = [row async for row in world.sessions.read_models.rows("meetings", {"group": formed})]
        whole = rosters and len(rosters[0]["members"]) == 3 and len(rows) == 18
        led = await world.sessions.read_models.row("led", f"{world.programme}/{formed}")
        place = await world.sessions.read_models.row("places", f"{world.programme}/casa")
        leads = [row async for row in world.sessions.read_models.rows("leaders", {"group": formed})]
        return rows if whole and place and led and leads else []

    rows = await eventually(known)
    return Group(world, formed, members, [row["session"] for row in sorted(rows, key=lambda row: row["number"])])


def facilitator(group: Group, subject: str = "f") -> httpx.AsyncClient:
    client = group.world.client(Role.FACILITATOR, subject)
    client.headers.update(ITALIAN)
    return client


def operator(group: Group) -> httpx.AsyncClient:
    client = group.world.client(Role.OPERATOR)
    client.headers.update(ITALIAN)
    return client
