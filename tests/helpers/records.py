"""Records of the home's bus, read with a client that knows nothing of the services."""

from collections.abc import Callable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.contracts.topics import CONTACTS, KEYS, TOPICS
from services.embedded.home import Home
from services.runtime.service import Service
from tests.helpers.waiting import eventually, late

READING = {"isolation_level": "read_committed", "enable_auto_commit": False}
Record = dict[str, Any]


def client(home: Home) -> dict[str, Any]:
    """Arguments with which any client connects to this bus."""
    given = home.settings
    secured = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": given.sasl_mechanism,
        "sasl_plain_username": given.sasl_username,
        "sasl_plain_password": given.sasl_password,
    }
    return {"bootstrap_servers": given.kafka} | (secured if given.sasl_username else {})


async def records(home: Home, *topics: str) -> list[ConsumerRecord]:
    """Read every record of these topics, or of all, with a plain client. Waits until those that are there now are committed."""
    consumer, admin = AIOKafkaConsumer(**client(home), **READING), AIOKafkaAdminClient(**client(home))
    early = AIOKafkaConsumer(**client(home), isolation_level="read_uncommitted", enable_auto_commit=False)
    await consumer.start()
    await early.start()
    await admin.start()
    try:
        wanted = topics or [name for name in await admin.list_topics() if not name.startswith("__")]
        described = await admin.describe_topics(list(wanted))
        parts = [TopicPartition(each["topic"], p["partition"]) for each in described for p in each["partitions"]]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        written, found = await early.end_offsets(parts), []

        async def committed() -> dict[TopicPartition, int]:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(parts)
            return ends if all(ends[part] >= written[part] for part in parts) else {}

        # The relay commits once a second, and our own consumers do not wait for that.
        ends = await eventually(committed, 40) if parts else {}
        while [part for part in parts if await consumer.position(part) < ends[part]]:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found
    finally:
        await admin.close()
        await early.stop()
        await consumer.stop()


async def feed(home: Home, partner: str) -> list[Record]:
    """Read the partner's ledger as the partner does."""
    return [orjson.loads(each.value) for each in await records(home, f"ama.feed.{partner}")]


def kind(entry: Record) -> str:
    return str(entry["type"]).removeprefix("it.amalavoro.feed.").removesuffix(".v1")


async def until(home: Home, partner: str, check: Callable[[list[Record]], Any]) -> list[Record]:
    """Wait until the ledger passes `check`, and return it."""

    async def there() -> list[Record]:
        entries = await feed(home, partner)
        return entries if check(entries) else []

    found: list[Record] = await eventually(there, 40)
    return found


async def settled(home: Home) -> None:
    """Wait until every event is on the bus and every consumer has taken it."""
    services = home.all_services.services.values()

    async def level() -> bool:
        said = {row["_id"] for each in services for row in await events_said(each)}
        there = {orjson.loads(each.value)["id"] for each in await records(home) if is_event(each)}
        behind = await late(services)
        unsaid.update(missing=len(said - there), late=behind)
        return not (said - there or behind)

    unsaid: dict[str, Any] = {}
    try:
        await eventually(level, 40)
    except AssertionError as error:
        raise AssertionError(f"not level: {unsaid}") from error


async def events_said(service: Service) -> list[Record]:
    """Outbox rows of events, without records of compacted topics and dead letters."""
    events = {"$nin": [KEYS.name, CONTACTS.name, *(name for name in TOPICS if name.endswith(".dead"))]}
    found: list[Record] = await service.store["outbox"].find({"topic": events}).to_list(None)
    return found


def is_event(record: ConsumerRecord) -> bool:
    """Tell if a record is a structured event, by its header."""
    return bool(record.value) and ("content-type", b"application/cloudevents+json") in record.headers
