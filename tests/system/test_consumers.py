"""The topics that the consumers of the five services read."""

import pytest

from services.contracts.topics import SERVICES
from services.runtime.serving import build
from services.settings import Settings
from tests.system.chaos.oracle.world import CONSUMERS


@pytest.mark.parametrize("name", SERVICES)
async def test_a_consumer_reads_only_the_topics_of_what_it_handles(settings: Settings, name: str) -> None:
    """The oracle of the chaos tests has its own list. A consumer of nothing is none."""
    service = build(name, settings)
    found = {consumer: sorted(topics) for consumer, topics in (await service.consumers()).items()}
    assert found == {consumer: sorted(topics) for consumer, topics in CONSUMERS[name].items()}
    await service.stop()
