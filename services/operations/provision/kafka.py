"""Provisioning of Kafka: every topic of the catalogue with its partitions, a SCRAM user for each service, and its rights.

Invariant: afterwards a user has the rights of `rights_of` and no others, also when an earlier catalogue gave more.
"""

import asyncio
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from services.contracts.topics import TOPICS
from services.engines import Engines
from services.events.bus.client import Bus
from services.operations.provision.kafka_users import add_user, set_rights
from services.operations.provision.rights import rights_of, user_of
from services.settings import Misconfigured, Settings

PATIENCE = 120.0  # seconds for a broker that is just starting


async def make_topics(administrator: Settings) -> None:
    """Make the missing topics as soon as a broker answers. Misconfigured when none does, and for a wrong number of partitions."""
    bus, loop = Bus(administrator), asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        try:
            return await bus.prepare(TOPICS.values())
        except KafkaError as error:
            if loop.time() > deadline:
                raise Misconfigured(
                    f"No broker answers at {administrator.kafka} after {PATIENCE:.0f} s: {type(error).__name__}."
                ) from error
            await asyncio.sleep(0.5)


async def make_users(engines: Engines, passwords: Mapping[str, str], database: str) -> None:
    """Make a user for each service. `passwords` is by service; `engines` names the cluster and its administrator."""
    # Together, since each waits until its own change is in force.
    await asyncio.gather(*(_make(engines, service, password, database) for service, password in passwords.items()))


async def _make(engines: Engines, service: str, password: str, database: str) -> None:
    user = user_of(service, database)
    await add_user(engines, user, password)
    await set_rights(engines, user, rights_of(service, database))
