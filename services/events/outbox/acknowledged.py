"""What Kafka acknowledged of each topic, so that a bus that lost some of it is noticed, and refilled.

Invariants: an end is remembered after the commit that reached it, and only ever raised, until a loss is found; from then on the topic
is owed whole, under a new generation, until all of it is on the bus again, whoever dies meanwhile. A generation is the moment
(milliseconds since 1970) at which the loss was found, so it only grows; 0 is a bus that never lost anything.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient

from services.events.bus.client import Bus, put_down
from services.events.bus.topic_ids import topic_ids
from services.store.mongo import Document, Store, UpdateOne

log = logging.getLogger(__name__)
HEADER = "generation"  # of a record on a topic that was refilled
PATIENCE = 8.0  # seconds for one look; a client may wait far longer for a topic that went missing


class BusLost(Exception):
    """Kafka no longer has what it had acknowledged."""


@dataclass(slots=True)
class Known:
    """One topic: its id on the bus, the offset behind the last record acknowledged in each partition, and what is owed."""

    id: str | None = None
    ends: dict[int, int] = field(default_factory=dict)
    generation: int = 0
    owed: bool = False

    @classmethod
    def of(cls, stored: Document) -> Self:
        """As it was saved."""
        ends = {int(number): end for number, end in stored.get("ends", {}).items()}
        return cls(stored.get("id"), ends, stored.get("generation", 0), stored.get("owed") is not None)


class Acknowledged:
    """An async context manager, since it holds a connection for looking at the bus."""

    def __init__(self, store: Store, bus: Bus, topics: Iterable[str]) -> None:
        self._store, self._bus, self._own = store, bus, set(topics)
        self._reader: AIOKafkaConsumer = bus.reader()
        self._client = AIOKafkaClient(**bus.client())
        self.topics: dict[str, Known] = {}

    async def __aenter__(self) -> Self:
        await self._client.bootstrap()
        await self._reader.start()
        await self._load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await put_down(self._reader.stop, self._client.close)

    async def _load(self) -> None:
        self.topics = {each["_id"]: Known.of(each) async for each in self._store["topics"].find()}

    @property
    def owed(self) -> list[str]:
        """The topics that must be sent whole."""
        return sorted(name for name, known in self.topics.items() if known.owed)

    def headers(self, topic: str) -> list[tuple[str, bytes]]:
        """What a record on this topic says of its generation."""
        known = self.topics.get(topic)
        return [(HEADER, str(known.generation).encode())] if known and known.generation else []

    async def took(self, placed: Sequence[Any]) -> None:
        """These records (aiokafka's RecordMetadata) are committed. BusLost when one stands where another had stood: the topic is owed."""
        unknown = {(each.topic, each.partition) for each in placed if each.offset < 0}  # a repeat that Kafka recognised
        raised: dict[str, dict[int, int]] = {}
        for each in placed:
            if (each.topic, each.partition) not in unknown:
                known = self.topics.setdefault(each.topic, Known())
                if each.offset < known.ends.get(each.partition, 0):
                    await self._lose({each.topic: known.id})
                    raise BusLost(f"{each.topic}/{each.partition} goes on at {each.offset}")
                ends = raised.setdefault(each.topic, {})
                ends[each.partition] = max(each.offset + 1, ends.get(each.partition, 0))
        for topic, ends in raised.items():
            self.topics[topic].ends |= ends
        await self._store.write(
            "topics", [UpdateOne({"_id": topic}, _raising(ends), upsert=True) for topic, ends in raised.items()]
        )

    async def look(self) -> None:
        """Compare with the bus, and see what was asked for meanwhile; what is `owed` from now on is written down. TimeoutError when
        the bus does not say in time."""
        await self._load()
        names = sorted(self._own | set(self.topics))
        async with asyncio.timeout(PATIENCE):
            ids = await topic_ids(self._client, names)
            lost = {name: ids.get(name) for name in names if await self._is_lost(name, ids)}
        new = [name for name in names if name in ids and name not in lost and self._known(name).id is None]
        await self._lose(lost)
        await self._store.write(
            "topics", [UpdateOne({"_id": name}, {"$set": {"id": ids[name]}}, upsert=True) for name in new]
        )
        await self._load()

    async def _lose(self, lost: Mapping[str, str | None]) -> None:
        for name in lost:
            log.error("bus has lost what it had acknowledged: refilling", extra={"topic": name})
        owed = owing()
        changes = {
            name: owed | {"$set": {**owed["$set"], "id": _id}, "$unset": {"ends": ""}} for name, _id in lost.items()
        }
        await self._store.write(
            "topics", [UpdateOne({"_id": name}, each, upsert=True) for name, each in changes.items()]
        )

    def _known(self, name: str) -> Known:
        return self.topics.get(name, Known())

    async def _is_lost(self, name: str, ids: dict[str, str]) -> bool:
        known = self._known(name)
        if known.id is not None and ids.get(name) != known.id:
            return True
        held = [TopicPartition(name, number) for number in known.ends]
        there = await self._reader.end_offsets(held) if held else {}
        return any(end < known.ends[each.partition] for each, end in there.items())

    async def progress(self, topic: str, sent: int, there: int) -> None:
        """Tell how far the refilling is."""
        await self._store["topics"].update_one({"_id": topic}, {"$set": {"owed": {"sent": sent, "there": there}}})

    async def refilled(self, topic: str) -> None:
        """All of it is on the bus again."""
        await self._store["topics"].update_one({"_id": topic}, {"$unset": {"owed": ""}})
        self.topics[topic].owed = False


async def owe(store: Store, topics: Collection[str]) -> None:
    """From now on these topics are owed whole, under a new generation."""
    await store.write("topics", [UpdateOne({"_id": name}, owing(), upsert=True) for name in topics])


def owing() -> dict[str, Any]:
    """The change that makes a topic owed."""
    return {"$max": {"generation": int(time.time() * 1000)}, "$set": {"owed": {"sent": 0, "there": 0}}}


def _raising(ends: Mapping[int, int]) -> Document:
    return {"$max": {f"ends.{number}": end for number, end in ends.items()}}


def generation_of(record: Any) -> int:
    """The generation that a record (anything with `headers`) says it belongs to; 0 when it says none."""
    said = next((value for name, value in record.headers if name == HEADER), b"")
    return int(said) if said.isdigit() else 0
