"""Kafka, made ready: every topic of the catalogue with its partitions, a SCRAM user for each service, and its rights.

Invariant: what a user may do afterwards is what `rights` says, also when an earlier catalogue had said more.
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
    """Those that are missing, as soon as a broker answers. Misconfigured when one has another number of partitions, or when none does."""
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
    """A user for each service (`passwords`, by service) on the cluster that `engines` names with an administrator."""
    await asyncio.gather(*(_make(engines, service, password, database) for service, password in passwords.items()))


async def _make(engines: Engines, service: str, password: str, database: str) -> None:
    user = user_of(service, database)
    await add_user(engines, user, password)
    await set_rights(engines, user, rights_of(service, database))
