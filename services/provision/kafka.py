"""Kafka, made ready: every topic of the catalogue with its partitions, a SCRAM user for each service, and its rights.

Invariant: what a user may do afterwards is what `rights` says, also when an earlier catalogue had said more.
"""

import asyncio
from collections.abc import Mapping

from services.bus import Bus
from services.contracts.topics import TOPICS
from services.engines import Engines
from services.engines.acl import add_user, entitle
from services.provision.rights import rights_of, user_of
from services.settings import Settings


async def make_topics(administrator: Settings) -> None:
    """Those that are missing. Misconfigured when one has another number of partitions."""
    await Bus(administrator).prepare(TOPICS.values())


async def make_users(engines: Engines, passwords: Mapping[str, str], database: str) -> None:
    """A user for each service (`passwords`, by service) on the cluster that `engines` names with an administrator."""
    await asyncio.gather(*(_make(engines, service, password, database) for service, password in passwords.items()))


async def _make(engines: Engines, service: str, password: str, database: str) -> None:
    user = user_of(service, database)
    await add_user(engines, user, password)
    await entitle(engines, user, rights_of(service, database))
