"""Private attributes of aiokafka: a new version must be looked at before it is used."""

import asyncio
import re
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from services.events.bus import workarounds
from services.events.bus.client import Bus
from services.settings import Settings

ROOT = Path(__file__).parents[2]


def test_aiokafka_is_of_the_version_that_the_workarounds_were_written_for() -> None:
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
