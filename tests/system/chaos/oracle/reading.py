"""Reads for the oracle: MongoDB with pymongo, Kafka with aiokafka, events with json, secrets with joserfc. No code of the services.

The shapes of events and documents are written here a second time, so that a mistake in the services' own constants shows.
"""

import json
import struct
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from joserfc import jwe
from joserfc.jwk import OctKey, OKPKey
from pymongo import MongoClient

SERVICES = ("enrolment", "grouping", "sessions", "notifications", "analytics")
TABLES = ("ama.enrolment.keys", "ama.enrolment.contacts")
EVENTS = (
    "ama.enrolment", "ama.enrolment.restricted", "ama.grouping", "ama.grouping.restricted", "ama.sessions", "ama.sessions.restricted",
    "ama.notifications", "ama.analytics", "ama.programmes",
)  # fmt: skip
DEAD = tuple(f"{topic}.dead" for topic in (*EVENTS, *TABLES))
FEEDS: dict[str, frozenset[str]] = {
    "comune-monza": frozenset({"worker.referred", "worker.admitted", "worker.declined"}),
    "afol": frozenset({"worker.referred", "worker.admitted", "worker.declined", "worker.seated", "worker.withdrew"}),
    "cgil": frozenset({"worker.referred", "worker.admitted", "worker.declined", "worker.seated"}),
    "cisl": frozenset({"worker.referred", "worker.admitted", "worker.declined", "worker.seated"}),
    "uil": frozenset({"worker.referred", "worker.admitted", "worker.declined", "worker.seated"}),
}
PARTITIONS = 6
Place = tuple[str, str, int]  # topic, key, sequence: common to an outbox row and its record


class Record(NamedTuple):
    """A record of the bus, undecoded."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> Place:
        """Topic, key and sequence. Events have the sequence in their body, records of tables in a header."""
        if self.topic in TABLES:
            return self.topic, self.key, int(dict(self.headers)["sequence"])
        return self.topic, self.key, int(json.loads(self.value or b"")["sequence"])


class Event(NamedTuple):
    """An event. `type` is its short name; `data` is open, or a JWE."""

    id: str
    topic: str
    type: str
    subject: str
    time: datetime
    recorded: datetime
    sequence: int
    data: Any


def event_of(topic: str, value: bytes) -> Event:
    """Parse an event from its record's value."""
    body = json.loads(value)
    moment, recorded = (datetime.fromisoformat(body[name]) for name in ("time", "recordedtime"))
    short = ".".join(body["type"].split(".")[3:-1])
    return Event(body["id"], topic, short, body["subject"], moment, recorded, int(body["sequence"]), body["data"])


async def records(kafka: str, topics: dict[str, int], *, committed: bool) -> list[Record]:
    """Read every record of these topics (with so many partitions each), by partition and offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        isolation_level="read_committed" if committed else "read_uncommitted",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends, found = await consumer.end_offsets(parts), list[Record]()
        while [part for part in parts if await consumer.position(part) < ends[part]]:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += [
                    Record(r.topic, r.partition, r.offset, r.key.decode(), r.value, tuple(r.headers)) for r in batch
                ]
        return sorted(found, key=lambda each: each[:3])
    finally:
        await consumer.stop()


def writers(folder: Path) -> Iterator[tuple[int, int]]:
    """Producer id and epoch of each batch of a partition, read from Kafka's files. Control batches are left out: Kafka writes them.
    (Record batch format 2: offset, length, leader epoch, magic, checksum, attributes, last offset, two times, producer id, epoch.)"""
    head = struct.Struct(">qiibIhiqqqh")
    for path in sorted(folder.glob("*.log")):
        log, at = path.read_bytes(), 0
        while at + head.size <= len(log):
            _, length, _, magic, _, attributes, _, _, _, producer, epoch = head.unpack_from(log, at)
            if length <= 0 or magic != 2:
                break
            if not attributes & 0x20:
                yield producer, epoch
            at += 12 + length


@dataclass
class Documents:
    """The five databases, read with majority read concern."""

    mongo: str
    _client: "MongoClient[dict[str, Any]]" = field(init=False)

    def __post_init__(self) -> None:
        self._client = MongoClient(
            self.mongo, tz_aware=True, readConcernLevel="majority", serverSelectionTimeoutMS=60_000
        )

    def all(self, service: str, collection: str, where: Any = None, fields: Any = None) -> list[dict[str, Any]]:
        """Every matching document, sorted by id."""
        return list(self._client[f"ama_{service}"][collection].find(where or {}, fields).sort("_id", 1))

    def close(self) -> None:
        """Close every connection to MongoDB."""
        self._client.close()


@dataclass
class Secrets:
    """Opens payloads under persons' keys, with the private key of analytics."""

    folder: Path
    published: dict[str, bytes]  # by person: the record of the keys' topic
    _registry: jwe.JWERegistry = field(
        default_factory=lambda: jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"])
    )
    _opened: dict[str, OctKey] = field(default_factory=dict)

    @cached_property
    def _mine(self) -> OKPKey:
        document = json.loads((self.folder / "analytics.jwk").read_text())
        return OKPKey.import_key({name: document[name] for name in ("kty", "crv", "x", "d")})

    def open(self, token: str, person: str) -> Any:
        """Decrypt the payload of a restricted event."""
        if person not in self._opened:
            document = json.loads(self.published[person])
            document["recipients"] = [each for each in document["recipients"] if each["header"]["kid"] == "analytics"]
            wrapped = jwe.decrypt_json(document, self._mine, registry=self._registry)
            self._opened[person] = OctKey.import_key(wrapped.plaintext or b"")
        opened = jwe.decrypt_compact(token, self._opened[person], algorithms=["dir", "A256GCM"])
        return json.loads(opened.plaintext or b"")

    @staticmethod
    def person(token: str) -> str:
        """Id of the person whose key opens the payload."""
        return str(json.loads(urlsafe_b64decode(token.partition(".")[0] + "=="))["kid"])
