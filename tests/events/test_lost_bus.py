"""A bus that lost acknowledged records, was created again, or is another one: it is refilled, and no effect is doubled or missing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

import enrolment.app
from services.contracts import Event
from services.contracts.enrolment import ConsentChanged, WorkerReferred
from services.engines import Engines
from services.events.delivery.declare import Reactions
from services.events.outbox import producer
from services.operations.republish import NobodySends, republish, topics_of
from services.runtime.service import Service, running
from services.settings import Misconfigured, Settings
from services.store.mongo import UpdateOne
from services.store.work import Work
from services.vault.keyring import service_holder
from tests.events.conftest import consent, on_the_topic, refer
from tests.helpers.restorable_bus import RestorableBus
from tests.helpers.waiting import eventually

SOON = 90.0
Change = Callable[[RestorableBus, Service], Awaitable[None]]


@pytest_asyncio.fixture
async def bus(tmp_path: Path, engines: Engines) -> AsyncIterator[RestorableBus]:  # the jars are there then
    """Engines whose bus a test may damage."""
    fragile = RestorableBus(tmp_path)
    yield fragile
    await fragile.end()


def counting() -> Reactions:
    """Reactions with effects that show when they happened twice."""
    reactions = Reactions()

    async def count(event: Event[Any], work: Work) -> None:
        entry = {"$push": {"sequences": event.sequence}}
        await work._unit.write("counted", [UpdateOne({"_id": event.subject}, entry, upsert=True)])

    for kind in (WorkerReferred, ConsentChanged):
        reactions.on(kind)(count)
    return reactions


class Pair:
    """Enrolment, which publishes, and a service that counts the events that it takes."""

    def __init__(self, settings: Settings) -> None:
        heard = settings.model_copy(update={"database": f"{settings.database}c"})
        self.speaker = enrolment.app.build(settings)
        self.hearer = Service("grouping", heard, holder=service_holder("grouping", heard.keys), reactions=counting())

    async def up(self, stack: AsyncExitStack) -> None:
        await self.hearer.store.make("counted")
        await stack.enter_async_context(running(self.speaker, ["relay"]))
        await stack.enter_async_context(running(self.hearer, ["consume"]))

    async def say(self, number: int) -> list[str]:
        """Refer so many people, who consent. Returns their ids."""
        people = [await refer(self.speaker) for _ in range(number)]
        for each in people:
            await consent(self.speaker, each)
        return people

    async def heard(self, people: list[str]) -> None:
        """Wait until everything about them took effect, once and in order."""

        async def all_heard() -> bool:
            found = {each["_id"]: each["sequences"] async for each in self.hearer.store["counted"].find()}
            return all(found.get(each) == [1, 2] for each in people)

        await eventually(all_heard, SOON)

    async def whole(self, people: list[str]) -> None:
        """Wait until the bus has everything about them, in order."""

        def complete(events: list[Event[Any]]) -> bool:
            first = {event.id: event for event in reversed(events) if event.subject in people}
            told = [(event.subject, event.sequence) for event in events if first.get(event.id) is event]
            return all([n for subject, n in told if subject == each] == [1, 2] for each in people)

        await on_the_topic(self.speaker, "ama.enrolment", complete, SOON)


async def loses_its_tail(bus: RestorableBus, _: Service) -> None:
    await bus.set_back()


async def is_made_anew(_: RestorableBus, speaker: Service) -> None:
    admin = AIOKafkaAdminClient(**speaker.bus.client())
    await admin.start()
    await admin.delete_topics(["ama.enrolment"])

    async def is_there_again() -> bool:
        return "ama.enrolment" in await admin.list_topics()

    await asyncio.sleep(1)  # it goes before it comes
    await eventually(is_there_again, SOON)
    await admin.close()


async def is_another(bus: RestorableBus, _: Service) -> None:
    await bus.empty()


@pytest.mark.parametrize(
    "happens",
    [is_made_anew, *(pytest.param(each, marks=pytest.mark.long) for each in (loses_its_tail, is_another))],
)
async def test_what_the_bus_lost_while_everything_ran_is_put_back_and_takes_effect_once(
    bus: RestorableBus, settings: Settings, happens: Change
) -> None:
    pair = Pair(settings.model_copy(update={"kafka": await bus.start()}))
    async with AsyncExitStack() as stack:
        await pair.up(stack)
        early = await pair.say(6)
        await pair.heard(early)
        await bus.remember()
        late = await pair.say(6)
        await pair.heard(late)
        await happens(bus, pair.speaker)
        await pair.whole(early + late)
        after = await pair.say(3)
        await pair.heard(early + late + after)
        await pair.whole(early + late + after)


@pytest.mark.long
async def test_a_topic_that_goes_while_something_is_said_holds_its_relay_up_for_no_longer_than_a_commit_may_take(
    bus: RestorableBus, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "PATIENCE", 3.0)
    pair = Pair(settings.model_copy(update={"kafka": await bus.start()}))
    async with AsyncExitStack() as stack:
        await pair.up(stack)
        early = await pair.say(3)
        await pair.heard(early)
        admin = AIOKafkaAdminClient(**pair.speaker.bus.client())
        await admin.start()
        await admin.delete_topics(["ama.enrolment"])
        await admin.close()
        said = await pair.say(3)
        await pair.whole(early + said)
        await pair.heard(early + said)


@pytest.mark.long
async def test_what_the_bus_lost_before_anybody_heard_it_is_heard_after_a_start(
    bus: RestorableBus, settings: Settings
) -> None:
    pair = Pair(settings.model_copy(update={"kafka": await bus.start()}))
    async with AsyncExitStack() as stack:
        await pair.up(stack)
        early = await pair.say(6)
        await pair.heard(early)
    await bus.remember()
    async with running(enrolment.app.build(pair.speaker.settings), ["relay"]) as speaker:
        late = [await refer(speaker) for _ in range(6)]
        for each in late:
            await consent(speaker, each)
        pair.speaker = speaker
        await pair.whole(late)
    await bus.set_back()
    again = Pair(pair.speaker.settings)
    async with AsyncExitStack() as stack:
        await again.up(stack)
        await again.heard(early + late)


async def test_republishing_says_everything_again_and_nothing_takes_effect_twice(
    bus: RestorableBus, settings: Settings
) -> None:
    pair = Pair(settings.model_copy(update={"kafka": await bus.start()}))
    seen: list[tuple[str, int, int]] = []
    async with AsyncExitStack() as stack:
        await pair.up(stack)
        people = await pair.say(5)
        await pair.heard(people)
        topics = topics_of("enrolment", ["ama.enrolment"])
        await republish(pair.speaker, topics, lambda *told: seen.append(told))
        said = 10 + len(
            pair.speaker.rules["monza-brianza"].services
        )  # and the services with which its catalogue begins
        assert seen[-1] == ("ama.enrolment", said, said)
        twice: dict[str, int] = {}

        def repeated(events: list[Event[Any]]) -> bool:
            twice.clear()
            for event in events:
                twice[event.id] = twice.get(event.id, 0) + 1
            return len(twice) == said and min(twice.values()) >= 2

        await on_the_topic(pair.speaker, "ama.enrolment", repeated)
        later = await pair.say(2)
        await pair.heard(people + later)
    with pytest.raises(Misconfigured, match=r"enrolment does not write ama\.grouping"):
        topics_of("enrolment", ["ama.grouping"])


async def test_republishing_without_a_relay_says_so_and_is_done_when_there_is_one(
    bus: RestorableBus, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.operations.republish.ENOUGH", 1.0)
    pair = Pair(settings.model_copy(update={"kafka": await bus.start()}))
    async with running(pair.speaker, ["relay"]):
        people = await pair.say(3)
        await pair.whole(people)
    await bus.empty()
    silent = enrolment.app.build(pair.speaker.settings)
    with pytest.raises(NobodySends, match="No relay of enrolment runs"):
        await republish(silent, ["ama.enrolment"], lambda *_: None)
    await silent.stop()
    again = Pair(pair.speaker.settings)
    async with running(again.speaker, ["relay"]):
        await again.whole(people)
    await again.hearer.stop()


async def test_a_number_of_partitions_that_was_changed_by_hand_stops_the_start(
    bus: RestorableBus, settings: Settings
) -> None:
    given = settings.model_copy(update={"kafka": await bus.start()})
    async with running(enrolment.app.build(given), ["relay"]) as speaker:
        admin = AIOKafkaAdminClient(**speaker.bus.client())
        await admin.start()
        await admin.create_partitions({"ama.enrolment": NewPartitions(total_count=7)})

        async def seven() -> bool:
            return len((await admin.describe_topics(["ama.enrolment"]))[0]["partitions"]) == 7

        await eventually(seven)
        await admin.close()
    again = enrolment.app.build(given)
    with pytest.raises(Misconfigured, match=r"ama\.enrolment has 7 partitions instead of 6"):
        await again.start(["relay"])
    await again.stop()
