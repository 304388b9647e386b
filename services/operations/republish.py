"""Republish of all events of a service, for a bus that was lost or replaced.

Invariant: the running relay sends, so that a topic has one writer alone. A request is stored until it is completed.
"""

import asyncio
from collections.abc import Callable, Sequence

from services.contracts.topics import TOPICS
from services.events.outbox.acknowledged import owe
from services.events.outbox.relay import LEASE
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.mongo import Document

Report = Callable[[str, int, int], None]  # topic, records sent, records to send
POLL = 0.2  # seconds between looks at how far it is
ENOUGH = 3 * LEASE.total_seconds()  # without a relay; by then another one has the lease of a dead one


class NobodySends(Exception):
    """No relay of this service runs. The request stays stored, and the next relay fulfils it."""


def topics_of(service: str, wanted: Sequence[str]) -> list[str]:
    """List the topics that the service writes, or the wanted ones. Misconfigured when it does not write one of these."""
    own = [topic.name for topic in TOPICS.values() if topic.writer == service]
    for each in wanted:
        if each not in own:
            raise Misconfigured(f"{service} does not write {each}; it writes {', '.join(own)}.")
    return list(wanted) or own


async def republish(service: Service, topics: Sequence[str], report: Report) -> None:
    """Ask the relay to send these topics again, and wait until it has. Raises NobodySends."""
    await owe(service.store, topics)
    patience = ENOUGH
    expected = dict.fromkeys(topics, 1)
    while owed := await _owed(service, topics):
        for topic, done in owed.items():
            expected[topic] = done["there"]
            report(topic, done["sent"], done["there"])
        patience = ENOUGH if await _sends(service) else patience - POLL
        if patience < 0:
            raise NobodySends(f"No relay of {service.name} runs. It will be done as soon as one does.")
        await asyncio.sleep(POLL)
    for topic in topics:
        report(topic, expected[topic], expected[topic])


async def _owed(service: Service, topics: Sequence[str]) -> dict[str, Document]:
    found = service.store["topics"].find({"_id": {"$in": list(topics)}, "owed": {"$exists": True}})
    return {each["_id"]: each["owed"] async for each in found}


async def _sends(service: Service) -> bool:
    """Whether a relay holds the lease, by the server's clock."""
    holds = {"_id": "relay", "holder": {"$ne": None}, "$expr": {"$gt": ["$until", "$$NOW"]}}
    return await service.store["relay"].find_one(holds) is not None
