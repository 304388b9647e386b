"""Private attributes of aiokafka and a replaced method of FastStream: a new version must be looked at before it is used."""

import asyncio
import inspect
import re
import time
import uuid
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream.kafka.subscriber.usecase import BatchSubscriber, LogicSubscriber

from services.contracts import Topic
from services.events.bus import workarounds
from services.events.bus.client import Bus, Records
from services.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_libraries_are_of_the_version_that_the_workarounds_were_written_for() -> None:
    for library, seen in workarounds.SEEN_IN.items():
        assert version(library).startswith(f"{seen}."), f"read services/events/bus/workarounds.py again for {library}"


async def test_the_tasks_of_a_consumer_are_where_they_were_and_the_error_of_one_is_found(settings: Settings) -> None:
    consumer = Bus(settings).reader(group_id="workarounds")
    await consumer.start()
    try:
        consumer.subscribe(["ama.enrolment"])
        tasks = {each: attrgetter(each)(consumer) for each in workarounds.TASKS}
        assert all(each is None or isinstance(each, asyncio.Task) for each in tasks.values()), tasks
        running = [name for name, each in tasks.items() if each is not None and not each.done()]
        assert {"_fetcher._fetch_task", "_client._sync_task"} <= set(running)
        assert workarounds.failure_of(consumer) is None

        async def dies() -> None:
            raise KafkaError("as aiokafka's own task")

        real, consumer._fetcher._fetch_task = consumer._fetcher._fetch_task, asyncio.create_task(dies())
        await asyncio.sleep(0)
        assert isinstance(workarounds.failure_of(consumer), KafkaError)
        consumer._fetcher._fetch_task = real
    finally:
        await consumer.stop()


@pytest.mark.parametrize("package", ["events", "consumer"])
def test_private_attributes_of_libraries_are_used_in_the_workarounds_alone(package: str) -> None:
    reaching = re.compile(r"SLF001|attrgetter|getattr\([^)]*[\"']_")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "services" / package).rglob("*.py")
        if reaching.search(path.read_text())
    ]
    assert [Path(each).name for each in found] == ["workarounds.py"], found


def test_faststream_still_sleeps_after_an_empty_poll_and_asks_by_the_method_that_is_replaced() -> None:
    own = inspect.getsource(BatchSubscriber.get_msg)
    assert "consumer.getmany(" in own
    assert "anyio.sleep(" in own, "FastStream has stopped sleeping: poll_without_sleep may go"
    loop = inspect.getsource(LogicSubscriber._run_consume_loop)
    assert "await self.get_msg(consumer)" in loop, "what is replaced is no longer asked"
    assert list(inspect.signature(BatchSubscriber.get_msg).parameters) == ["self", "consumer"]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self) -> None:
        self.assigned = asyncio.Event()

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Ignored: partitions are not given up here."""

    async def on_partitions_assigned(self, assigned: object) -> None:
        self.assigned.set()


async def test_an_idle_subscription_polls_about_once_a_second_and_takes_a_record_as_soon_as_it_is_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, bus, polls = Topic(f"polled.{uuid.uuid4().hex[:8]}", "enrolment", partitions=1), Bus(settings), 0
    await bus.prepare([topic])
    taken: asyncio.Queue[Records] = asyncio.Queue()
    getmany = AIOKafkaConsumer.getmany

    async def counted(consumer: AIOKafkaConsumer, *where: object, **how: object) -> object:
        nonlocal polls
        polls += 1
        return await getmany(consumer, *where, **how)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", counted)
    listener, broker = _Listener(), bus.broker()
    subscriber = bus.subscribe(broker, [topic.name], topic.name, taken.put, listener)
    await broker.start()
    producer = AIOKafkaProducer(**bus.client())
    await producer.start()
    try:
        await asyncio.wait_for(listener.assigned.wait(), 60)
        await producer.send_and_wait(topic.name, b"first")
        await asyncio.wait_for(taken.get(), 30)
        polls = 0
        await asyncio.sleep(3.5)
        assert polls <= 5
        waits = []
        for n in range(9):
            await asyncio.sleep(0.11 * n)  # at different moments of a poll
            began = time.monotonic()
            await producer.send_and_wait(topic.name, b"more")
            await asyncio.wait_for(taken.get(), 30)
            waits.append(time.monotonic() - began)
        # FastStream with a poll of this length would sleep for a second after most of them.
        assert sorted(waits)[4] < 0.2, waits
    finally:
        await producer.stop()
        await subscriber.stop()
        await broker.stop()
