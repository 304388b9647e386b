"""A bus that is emptied of our topics, so that services which begin with a test read what that test says.

Invariant: nothing else is deleted; when it ends, the broker knows of none of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from services.engines import Engines
from services.engines.kafka import login_of


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


@asynccontextmanager
async def administrator(engines: Engines) -> AsyncIterator[AIOKafkaAdminClient]:
    """Who may list and delete topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka, **(login_of(engines.sasl) if engines.sasl else {}))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
