"""Deletes this project's topics from the bus, so that a service which starts with a test reads the records of that test alone.

Invariant: other topics stay; when `emptied` ends, the broker lists none of ours.
"""

from aiokafka.admin import AIOKafkaAdminClient

from services.engines import Engines
from tests.helpers.traffic import administrator


async def topic_of_ours(engines: Engines) -> str | None:
    """Name of one of our topics, if there is any: `AMA_KAFKA` may name a bus that is in use."""
    async with administrator(engines) as admin:
        return min(await ours(admin), default=None)


async def emptied(engines: Engines) -> None:
    """Delete all of our topics."""
    async with administrator(engines) as admin:
        while there := await ours(admin):
            await admin.delete_topics(there)


async def ours(admin: AIOKafkaAdminClient) -> list[str]:
    """Names of our topics on the bus."""
    return [each for each in await admin.list_topics() if each.startswith("ama.")]
