"""A bus that is emptied of our topics, so that services which begin with a test read what that test says.

Invariant: nothing else is deleted; when it ends, the broker knows of none of them.
"""

from aiokafka.admin import AIOKafkaAdminClient

from services.engines import Engines
from tests.helpers.traffic import administrator


async def topic_of_ours(engines: Engines) -> str | None:
    """One that is there, if any is: `AMA_KAFKA` may name somebody's bus for other reasons."""
    async with administrator(engines) as admin:
        return min(await ours(admin), default=None)


async def emptied(engines: Engines) -> None:
    """Delete all of them."""
    async with administrator(engines) as admin:
        while there := await ours(admin):
            await admin.delete_topics(there)


async def ours(admin: AIOKafkaAdminClient) -> list[str]:
    """Those that are there."""
    return [each for each in await admin.list_topics() if each.startswith("ama.")]
