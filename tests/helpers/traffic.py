"""Write to real engines, and read back what they hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from services.engines import Engines, Sasl
from services.engines.kafka import login_of

PATIENCE = 20.0


def login(sasl: Sasl | None) -> dict[str, str]:
    """Return aiokafka's arguments for this user, or for none."""
    return login_of(sasl) if sasl else {}


def write(engines: Engines, topic: str, text: str) -> None:
    """Write one record in a Kafka transaction and one document in a MongoDB transaction."""
    asyncio.run(produce(engines, engines.sasl, topic, text))
    with (
        MongoClient[dict[str, Any]](engines.mongo) as client,
        client.start_session() as session,
        session.start_transaction(),
    ):
        client.ama[topic].insert_one({"text": text}, session=session)


def read(engines: Engines, topic: str) -> tuple[list[str], list[str]]:
    """Read the texts of all records and of all documents."""
    with MongoClient[dict[str, Any]](engines.mongo) as client:
        documents = [document["text"] for document in client.ama[topic].find().sort("_id")]
    return asyncio.run(consume(engines, engines.sasl, topic)), documents


@asynccontextmanager
async def administrator(engines: Engines) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may list, make and delete topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka, **login(engines.sasl))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_topic(engines: Engines, topic: str) -> None:
    """Make a topic of one partition."""
    async with administrator(engines) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1)])


async def produce(
    engines: Engines, sasl: Sasl | None, topic: str, text: str, transaction: str | None = "writer"
) -> None:
    """Write one record as this user, in a transaction if one is named."""
    producer = AIOKafkaProducer(bootstrap_servers=engines.kafka, transactional_id=transaction, **login(sasl))
    async with asyncio.timeout(PATIENCE):
        await producer.start()
        try:
            if transaction:
                async with producer.transaction():
                    await producer.send_and_wait(topic, text.encode(), b"key")
            else:
                await producer.send_and_wait(topic, text.encode(), b"key")
        finally:
            await producer.stop()


async def consume(engines: Engines, sasl: Sasl | None, topic: str, group: str | None = None) -> list[str]:
    """Read all committed records of the topic's one partition as this user."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=engines.kafka,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        **login(sasl),
    )
    partition = TopicPartition(topic, 0)
    texts: list[str] = []
    async with asyncio.timeout(PATIENCE):
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while await consumer.position(partition) < end:
                batches = await consumer.getmany(partition, timeout_ms=200)
                texts += [record.value.decode() for record in batches.get(partition, [])]
            if group:
                await consumer.commit()
        finally:
            await consumer.stop()
    return texts


async def subscribe(engines: Engines, sasl: Sasl | None, topic: str, group: str) -> str:
    """Read the first record that a member of the group gets, as this user."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=engines.kafka,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **login(sasl),
    )
    async with asyncio.timeout(PATIENCE):
        try:
            await consumer.start()
            return str((await consumer.getone()).value)
        finally:
            await consumer.stop()
