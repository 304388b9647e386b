"""The records that Kafka acknowledged, by topic: a bus that lost some of them is noticed and refilled.

Invariants:

- An end is stored after the commit that reached it, and is only raised until a loss is found.
- From a loss on, the topic is to be resent whole under a new generation, until all of it is on the bus, whichever relay dies meanwhile.
- A generation is the moment (milliseconds since 1970) at which the loss was found, so that it only grows. 0: nothing was ever lost.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient

from services.events.bus.client import Bus, close_in_time
from services.events.bus.topic_ids import topic_ids
from services.store.mongo import Document, Store, UpdateOne

log = logging.getLogger(__name__)
HEADER = "generation"  # of a record on a topic that was refilled
PATIENCE = 8.0  # seconds for a comparison; a client may wait far longer for a topic that went missing


class BusLost(Exception):
    """Kafka no longer has records that it had acknowledged."""


class Progress(TypedDict):
    """Resending of one topic: records `sent`, of the records that are `there` in the outbox."""

    sent: int
    there: int


@dataclass(slots=True)
class Known:
    """Document of the collection `topics`: the topic's id on the bus, and the offset after the last acknowledged record by partition.
    The field `resend` holds the Progress of a topic that is to be resent; without it nothing is."""

    id: str | None = None
    ends: dict[int, int] = field(default_factory=dict)
    generation: int = 0
    to_resend: bool = False

    @classmethod
    def of(cls, stored: Document) -> Self:
        """From the stored document."""
        ends = {int(number): end for number, end in stored.get("ends", {}).items()}
        return cls(stored.get("id"), ends, stored.get("generation", 0), stored.get("resend") is not None)


class Acknowledged:
    """The known topics. An async context manager, since it holds a connection to compare them with the bus."""

    def __init__(self, store: Store, bus: Bus, topics: Iterable[str]) -> None:
        self._store, self._bus, self._own = store, bus, set(topics)
        self._reader: AIOKafkaConsumer = bus.reader()
        # For a request that aiokafka's consumer does not have (`topic_ids`).
        self._client = AIOKafkaClient(**bus.client())
        self.topics: dict[str, Known] = {}

    async def __aenter__(self) -> Self:
        await self._client.bootstrap()
        await self._reader.start()
        await self._load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_in_time(self._reader.stop, self._client.close)

    async def _load(self) -> None:
        self.topics = {each["_id"]: Known.of(each) async for each in self._store["topics"].find()}

    @property
    def to_resend(self) -> list[str]:
        """The topics that must be sent whole."""
        return sorted(name for name, known in self.topics.items() if known.to_resend)

    def headers(self, topic: str) -> list[tuple[str, bytes]]:
        """The headers that tell the generation of a record on this topic."""
        known = self.topics.get(topic)
        return [(HEADER, str(known.generation).encode())] if known and known.generation else []

    async def committed(self, placed: Sequence[Any]) -> None:
        """Store the ends that these committed records (aiokafka's RecordMetadata) reached.

        BusLost when one stands where another had stood: the topic is then to be resent.
        """
        unknown = {(each.topic, each.partition) for each in placed if each.offset < 0}  # a repeat that Kafka recognised
        raised: dict[str, dict[int, int]] = {}
        for each in placed:
            if (each.topic, each.partition) not in unknown:
                known = self.topics.setdefault(each.topic, Known())
                # Kafka gives an offset again only after it lost the end of the topic, or the topic was created anew.
                if each.offset < known.ends.get(each.partition, 0):
                    await self._lose({each.topic: known.id})
                    raise BusLost(f"{each.topic}/{each.partition} continues at {each.offset}")
                ends = raised.setdefault(each.topic, {})
                ends[each.partition] = max(each.offset + 1, ends.get(each.partition, 0))
        for topic, ends in raised.items():
            self.topics[topic].ends |= ends
        await self._store.write(
            "topics", [UpdateOne({"_id": topic}, _raising(ends), upsert=True) for topic, ends in raised.items()]
        )

    async def compare(self) -> None:
        """Compare with the bus, and load what an operator asked for. Topics to resend are stored. TimeoutError when Kafka is slow."""
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
        # The ends go, since they say nothing about the topic that is refilled.
        resend = _resending()
        changes = {
            name: resend | {"$set": {**resend["$set"], "id": _id}, "$unset": {"ends": ""}} for name, _id in lost.items()
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
        """Store how far the resending is."""
        resend = Progress(sent=sent, there=there)
        await self._store["topics"].update_one({"_id": topic}, {"$set": {"resend": resend}})

    async def refilled(self, topic: str) -> None:
        """Note that the whole topic is on the bus again."""
        await self._store["topics"].update_one({"_id": topic}, {"$unset": {"resend": ""}})
        self.topics[topic].to_resend = False


async def ask_to_resend(store: Store, topics: Collection[str]) -> None:
    """Have the relay send these topics whole, under a new generation."""
    await store.write("topics", [UpdateOne({"_id": name}, _resending(), upsert=True) for name in topics])


async def resending(store: Store, topics: Collection[str]) -> dict[str, Progress]:
    """Those of the topics that are being resent, or will be."""
    found = store["topics"].find({"_id": {"$in": list(topics)}, "resend": {"$exists": True}}, {"resend": 1})
    return {each["_id"]: each["resend"] async for each in found}


async def take_over(store: Store, topic: str, id: str | None, ends: Mapping[int, int], generation: int) -> None:
    """Count the records that are on the bus now as acknowledged, after a restore: only what is lost from now on is resent."""
    change = _raising(ends)
    change["$max"] |= {"generation": generation}
    await store.write("topics", [UpdateOne({"_id": topic}, change | {"$set": {"id": id}}, upsert=True)])


def _resending() -> dict[str, Any]:
    return {"$max": {"generation": int(time.time() * 1000)}, "$set": {"resend": Progress(sent=0, there=0)}}


def _raising(ends: Mapping[int, int]) -> Document:
    # A relay that was replaced may store an older end late.
    return {"$max": {f"ends.{number}": end for number, end in ends.items()}}


def generation_of(record: Any) -> int:
    """The generation in the headers of a record (anything with `headers`); 0 without one."""
    # Anybody's header may be there. One that is no number must not stop the consumer.
    given = next((value for name, value in record.headers if name == HEADER), b"")
    return int(given) if given.isdigit() else 0
