"""The state of a service: events that wait, their age, dead letters, the relay, and engines that do not answer.

Invariants: reading it changes nothing. It is true of a service in many copies as of one, since it comes from the database and the bus. An
engine that is away is named, and its part is empty.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aiokafka import TopicPartition
from pydantic import BaseModel

from services.contracts.topics import TOPICS
from services.events.delivery.state import ParkedStatus
from services.events.inbox.documents import DeadStatus, offset_id
from services.events.outbox.acknowledged import resending
from services.events.outbox.position import saved_at, sending_relay
from services.runtime.gauges import counted, outbox_age
from services.runtime.levels import Level
from services.runtime.ops.ends import Ends
from services.store.mongo import Document, PyMongoError, Store, within

LOOK = 4.0  # seconds for all questions to the database, and the one to the bus in between
AWAY = "does not answer"


class Consumer(BaseModel):
    """One consumer. `lag`: records that it has not consumed, None while Kafka is away. `parked`: events that wait, some of them behind a
    gap. `dead`: open dead letters. `stopped`: subjects that are held back by one."""

    name: str
    lag: int | None
    parked: int
    holes: int  # language: kept (a field of the API)
    dead: int
    stopped: int


class Sender(BaseModel):
    """The relay. `leads`: one holds the lease at this moment; `who` (host and process) has held it `since` then. `saved`: the time of
    its last save, which it makes every few seconds. `owed`: topics that it sends again."""

    leads: bool
    who: str | None
    since: datetime | None
    saved: datetime | None
    owed: list[str]


class ServiceState(BaseModel):
    """The state of one service. `missing`: engines that do not answer, with the reason. `outbox_age`: age in seconds of the oldest event
    that is not on the bus."""

    service: str
    missing: dict[str, str]
    outbox_age: float | None = None
    relay: Sender | None = None
    consumers: list[Consumer] = []


class Operated(Protocol):
    """The parts of a service that are needed here."""

    name: str
    store: Store
    ends: Ends

    @property
    def ready(self) -> Callable[[], Awaitable[dict[str, str]]]:
        """Returns what is not ready, each with its reason."""

    async def consumers(self) -> dict[str, list[str]]:
        """Return the topics that each of its consumers reads."""


async def state_of(service: Operated) -> ServiceState:
    """Read the state of a service. It takes LOOK seconds at most, also without engines."""
    try:
        async with asyncio.timeout(LOOK + 1):
            with within(LOOK):
                consumers, relay = await _consumers(service), await _sender(service)
                age = await outbox_age(service.store)
    except (PyMongoError, TimeoutError):
        # MongoDB may answer again by now; this answer lacks its part all the same, and has to name it.
        return ServiceState(service=service.name, missing=await service.ready() or {"MongoDB": AWAY})
    missing = {"Kafka": AWAY} if any(each.lag is None for each in consumers) else {}
    return ServiceState(
        service=service.name, missing=missing, outbox_age=round(age, 3), relay=relay, consumers=consumers
    )


async def _sender(service: Operated) -> Sender:
    """By the server's clock, as the lease itself."""
    relay = await sending_relay(service.store)
    own = [topic.name for topic in TOPICS.values() if topic.writer == service.name]
    return Sender(
        leads=relay is not None,
        who=relay.get("who") if relay else None,
        since=relay.get("since") if relay else None,
        saved=await saved_at(service.store),
        owed=sorted(await resending(service.store, own)),
    )


async def _consumers(service: Operated) -> list[Consumer]:
    store, reads = service.store, dict(await service.consumers())
    offsets = {each["_id"]: each async for each in store["offsets"].find({})}
    for each in offsets.values():  # one that is being built beside those that are read
        topics = reads.setdefault(each["consumer"], [])
        if each["topic"] not in topics:
            topics.append(each["topic"])
    levels = await store.by_id("levels", list(offsets))
    ends = await service.ends.of({topic for topics in reads.values() for topic in topics})
    parked, gaps = await counted(store, "parked"), await counted(store, "parked", status=ParkedStatus.GAP)
    dead = await counted(store, "dead", status=DeadStatus.OPEN)
    stopped = await _stopped(store)
    return [
        Consumer(
            name=name,
            lag=None if ends is None else _lag(name, topics, ends, offsets, levels),
            parked=parked.get(name, 0),
            holes=gaps.get(name, 0),  # language: kept (a public name)
            dead=dead.get(name, 0),
            stopped=stopped.get(name, 0),
        )
        for name, topics in sorted(reads.items())
    ]


async def _stopped(store: Store) -> dict[str, int]:
    """Count the subjects of each consumer that are held back, by their dead letters: there are few of those, and many marks."""
    subjects = {"$group": {"_id": {"consumer": "$consumer", "subject_key": "$subject_key"}}}
    count = {"$group": {"_id": "$_id.consumer", "n": {"$sum": 1}}}
    found = store["dead"].aggregate(
        [{"$match": {"status": DeadStatus.OPEN, "subject_key": {"$exists": True}}}, subjects, count]
    )
    return {each["_id"]: each["n"] async for each in found}


def _lag(
    name: str,
    topics: Sequence[str],
    ends: Mapping[TopicPartition, int],
    offsets: Mapping[str, Document],
    levels: Mapping[str, Document],
) -> int:
    """Count the records between the consumer's offsets and the end, without those that are known to be markers of transactions."""
    behind = 0
    for place, end in ends.items():
        if place.topic in topics:
            id = offset_id(name, (place.topic, place.partition))
            offset, level = offsets.get(id, {}).get("next", 0), levels.get(id)
            # A bus that lost its tail ends before the stored offset.
            behind += max(0, end - (Level.of(level).position(offset) if level else offset))
    return behind
