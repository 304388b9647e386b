"""Routes of messages and feeds: their fields, and the roles that may call them."""

from collections.abc import Callable

import pytest

from notifications.domain import Status
from services.contracts.enrolment import Purpose
from services.identity.auth import Role
from services.runtime.service import Service, running
from tests.helpers.callers import client_as
from tests.helpers.own_programme import World
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]
pytestmark = pytest.mark.usefixtures("scheduling")  # a message waits for its meeting


async def test_an_operator_sees_messages_without_address_or_text(world: World, teller: Teller) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, other = await world.refer(), await world.refer()
        for each in (one, other):
            await world.consent(each, True, Purpose.PARTICIPATION, Purpose.CONTACT)
            await world.admit(each)
        first = await world.seat(one, other)
        async with client_as(service.app, Role.OPERATOR, world.programme) as client:

            async def both() -> list[dict[str, object]]:
                found = (await client.get("/messages")).json()
                return list(found) if len(found) == 2 else []

            messages = await eventually(both, 40)
            assert {each["worker"] for each in messages} == {one, other}
            assert messages[0].keys() == {"id", "worker", "about", "reference", "day", "status", "tries", "reason"}
            assert (messages[0]["status"], messages[0]["day"], messages[0]["tries"]) == (
                Status.QUEUED,
                first.isoformat(),
                0,
            )
            (mine,) = (
                await client.get("/messages", params={"worker": one, "about": "seat", "status": "queued"})
            ).json()
            assert mine["worker"] == one
            assert (await client.get("/messages", params={"status": "sent"})).json() == []
            assert len((await client.get("/messages", params={"after": messages[0]["id"]})).json()) == 1
        async with client_as(service.app, Role.OPERATOR, "jobs2") as client:
            assert (await client.get("/messages")).json() == []
        async with client_as(service.app, Role.REFERRER, world.programme) as client:
            assert (await client.get("/messages")).status_code == 403


async def test_an_administrator_sees_how_far_each_ledger_is_delivered(world: World, teller: Teller) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        async with client_as(service.app, Role.ADMINISTRATOR, world.programme) as client:
            empty = {"partner": world.partner, "last": 0, "delivered": 0, "stopped": None}
            assert (await client.get("/feeds")).json() == [empty]
            await world.consent(await world.refer(), True, Purpose.PARTICIPATION, Purpose.PARTNER_FEEDBACK)

            async def delivered() -> bool:
                return bool((await client.get("/feeds")).json() == [empty | {"last": 1, "delivered": 1}])

            await eventually(delivered, 40)
        async with client_as(service.app, Role.COORDINATOR, world.programme) as client:
            assert (await client.get("/feeds")).status_code == 403
