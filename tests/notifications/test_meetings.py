"""A message names a meeting that sessions has scheduled, whatever the programme's file says, and in whatever order events arrive."""

import asyncio
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import notifications.app
import sessions.app
from notifications.domain import Status
from services.contracts.enrolment import Purpose
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.mail_server import taking
from tests.helpers.own_programme import World, with_another_file
from tests.helpers.waiting import eventually

Teller = Callable[..., Service]


async def admitted(world: World, *names: str) -> list[str]:
    """People of these names who want a seat, and consent to be written to about it."""
    people = [await world.refer(given_name=name, email=f"{name.lower()}@example.org") for name in names]
    for each in people:
        await world.consent(each, True, Purpose.PARTICIPATION, Purpose.CONTACT)
        await world.admit(each)
    return people


async def calendar_of(service: Service, world: World, where: Callable[[Any], bool]) -> Any:
    """The state of the only calendar of the programme, as soon as it is as wanted."""

    async def there() -> Any:
        found = await service.store["calendar"].find_one({"programme": world.programme})
        return found["state"] if found and where(found["state"]) else None

    return await eventually(there, 40)


async def messages(service: Service, world: World, number: int) -> dict[str, Any]:
    """So many messages of the programme, by worker."""

    async def there() -> Any:
        found = await service.store["message"].find({"programme": world.programme}).to_list(None)
        return found if len(found) >= number else None

    return {each["state"]["worker"]: each["state"] for each in await eventually(there, 40)}


async def test_a_message_waits_until_the_meeting_is_scheduled(world: World, teller: Teller, own: Settings) -> None:
    async with running(teller(smtp=None), ["consume"]) as service:
        one, other = await admitted(world, "Ada", "Bice")
        first = await world.seat(one, other)
        waiting = await calendar_of(service, world, lambda state: len(state["waiting"]) == 2)
        assert sorted(waiting["waiting"]) == sorted([one, other])
        await world.erase(other)
        await calendar_of(service, world, lambda state: state["waiting"] == [one])
        assert await service.store["message"].count_documents({"programme": world.programme}) == 0
        async with running(sessions.app.build(own), ["relay", "consume"]):
            queued = await messages(service, world, 1)
            await calendar_of(service, world, lambda state: len(state["meetings"]) == 18)
        await asyncio.sleep(1)
        assert await messages(service, world, 1) == queued
    assert {worker: each["day"] for worker, each in queued.items()} == {one: first.isoformat()}


async def test_a_date_that_is_told_is_the_one_that_is_scheduled_and_not_the_one_of_the_file(
    world: World, own: Settings, tmp_path_factory: Any
) -> None:
    folder: Path = tmp_path_factory.mktemp("files")
    ours = with_another_file(own, folder, _faster_and_without_the_slot)
    with taking() as taker:
        async with (
            running(sessions.app.build(own), ["relay", "consume"]),
            running(notifications.app.build(ours.model_copy(update={"smtp": taker.address})), ["consume"]) as service,
        ):
            one, other, late = await admitted(world, "Ada", "Bice", "Carla")
            first = await world.seat(one, other)
            group = (await messages(service, world, 2))[one]["reference"]
            await world.join(late, group, first + timedelta(days=1))
            told = await messages(service, world, 3)

            async def arrived() -> bool:
                return len(taker.taken) == 3

            await eventually(arrived, 40)
            assert not service.tasks.over
    second = first + timedelta(days=14)
    assert told[late]["day"] == second.isoformat()
    bodies = {each["To"].addresses[0].addr_spec: each.get_content() for each in taker.taken}
    assert f"giovedì {first.day} " in bodies["ada@example.org"]
    assert f"giovedì {second.day} " in bodies["carla@example.org"]


def _faster_and_without_the_slot(text: str) -> str:
    """The file after the meetings were scheduled: every week instead of every fortnight, and without the slot of the group."""
    assert 'id = "thu-evening"' in text
    without = re.sub(r"(?ms)^\[\[slots\]\]\nid = \"thu-evening\".*?(?=^\[\[)", "", text)
    return without.replace("cadence_days = 14", "cadence_days = 7")


async def test_a_message_about_a_meeting_that_began_since_is_given_up(
    world: World, teller: Teller, own: Settings
) -> None:
    async with running(sessions.app.build(own), ["relay", "consume"]):
        with taking() as taker:
            async with running(teller(smtp=None), ["consume"]) as service:
                one, other = await admitted(world, "Ada", "Bice")
                await world.seat(one, other)
                queued = await messages(service, world, 2)
                past = f"{date(2026, 1, 8)}T18:30:00+01:00"
                await service.store["calendar"].update_many(
                    {"programme": world.programme}, {"$set": {"state.meetings.0.starts": past}}
                )
                await service.store["recipient"].update_one(
                    {"_id": f"{world.programme}/{one}"}, {"$set": {"state.seats.0.since": "2026-01-08"}}
                )
            async with running(teller(smtp=taker.address), ["consume"]) as service:

                async def given_up() -> Any:
                    found = await service.store["message"].find_one({"state.worker": one})
                    return found["state"] if found["state"]["status"] == Status.FAILED else None

                failed = await eventually(given_up, 40)
    assert queued[one]["status"] == Status.QUEUED
    assert failed["reason"] == "past"
