"""A relay that is fenced in the middle of a transaction, while more and more events are stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.runtime.service import Service
from tests.events.conftest import on_the_topic, refer

ROUNDS = 8


@asynccontextmanager
async def much_is_said(service: Service) -> AsyncIterator[list[str]]:
    """Refer people one after the other for as long as the block runs."""
    referred: list[str] = []

    async def say() -> None:
        while True:
            referred.append(await refer(service))

    saying = asyncio.ensure_future(say())
    try:
        yield referred
    finally:
        saying.cancel()
        await asyncio.wait([saying])


async def test_a_relay_that_is_fenced_while_it_sends_begins_again_and_all_is_on_the_bus(enrolled: Service) -> None:
    async with much_is_said(enrolled) as referred:
        for _ in range(ROUNDS):
            await asyncio.sleep(0.4)
            intruder = enrolled.bus.producer(f"{enrolled.store.name}.relay")
            await intruder.start()
            await intruder.stop()
            await asyncio.sleep(0.6)
    assert not enrolled.tasks.over
    people = set(referred)
    await on_the_topic(enrolled, "ama.enrolment", lambda events: people <= {each.subject for each in events})
