"""Private attributes of PyMongo and Motor that the kit uses: a new version must be looked at before it is used."""

from importlib.metadata import version
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from services.consumer import workarounds
from services.settings import Settings


def test_the_drivers_are_of_the_versions_that_the_workarounds_were_written_for() -> None:
    for library, seen in workarounds.SEEN_IN.items():
        assert version(library).startswith(f"{seen}."), f"read services/consumer/workarounds.py again for {library}"


@pytest.mark.parametrize("driver", [AsyncIOMotorClient, AsyncMongoClient, MongoClient])
async def test_dropped_connections_are_made_again(settings: Settings, driver: Any) -> None:
    client = driver(settings.mongo)
    try:
        await workarounds.now(client.admin.command("ping"))
        behind = vars(client).get("delegate", client)
        pools = [server.pool for server in behind._topology._servers.values()]
        assert pools
        before = [pool.gen.get_overall() for pool in pools]
        await workarounds.drop_connections(client)
        assert [pool.gen.get_overall() for pool in pools] == [number + 1 for number in before]
        assert (await workarounds.now(client.admin.command("ping")))["ok"] == 1
    finally:
        closed = client.close()
        if closed is not None:
            await closed
