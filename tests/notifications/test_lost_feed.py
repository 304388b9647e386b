"""A partner's feed whose topic lost what it had acknowledged: it goes on without a gap and without a repeat."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import enrolment.app
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.own_programme import World
from tests.helpers.restorable_bus import RestorableBus
from tests.helpers.waiting import eventually


async def test_a_feed_that_lost_its_tail_goes_on_without_a_gap_and_without_a_repeat(
    own: Settings, teller: Callable[..., Service], tmp_path: Path
) -> None:
    bus = RestorableBus(tmp_path / "bus")
    kafka = await bus.start()
    try:
        async with AsyncExitStack() as stack:
            speaker = enrolment.app.build(own.model_copy(update={"kafka": kafka}))
            await stack.enter_async_context(running(speaker, ["relay"]))
            await stack.enter_async_context(running(teller(kafka=kafka)))
            world = World(speaker, speaker, own)
            await refer(world, 3)
            assert len(await world.feed(3)) == 3
            await bus.remember()
            await refer(world, 3)

            async def six() -> bool:
                return len(await world.feed(3)) == 6

            await eventually(six, 60)
            await bus.set_back()
            await refer(world, 2)

            async def eight() -> bool:
                return len(await world.feed(3)) >= 8

            await eventually(eight, 90)
            entries = await world.feed(8)
            assert [entry.sequence for entry in entries] == list(range(1, 9))
            assert len({entry.subject for entry in entries}) == 8
    finally:
        await bus.end()


async def refer(world: World, number: int) -> None:
    """Refer so many people who consent to partner feedback."""
    for _ in range(number):
        await world.consent(await world.refer())
