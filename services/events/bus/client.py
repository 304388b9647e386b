"""Kafka clients: topics as the catalogue defines them, producers that fence, subscriptions that never acknowledge by themselves.

Invariants: the acknowledgement policy is set here, once: MANUAL. Nothing relies on it, since MongoDB keeps the offsets with the effects.
A topic whose number of partitions differs from the catalogue's stops the start.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IllegalStateError, KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.helpers import create_ssl_context
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.annotations import KafkaMessage as Incoming
from faststream.security import BaseSecurity, SASLScram256, SASLScram512

from services.contracts import Topic
from services.events.bus.log_dirs import Disk, broker_disks
from services.events.bus.workarounds import poll_without_sleep
from services.settings import Misconfigured, Settings

log = logging.getLogger(__name__)
THEIRS = logging.getLogger("faststream.bus")  # FastStream's own lines; at each start it warns that it creates no topics
Records = Sequence[ConsumerRecord]
REPLICAS = 3  # of each topic, where there are as many brokers
METADATA_MS = 10_000  # after which a reader finds a topic that was created again
STARTING, STOPPING = 60.0, 5.0  # seconds


class Producer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka is untyped
    """A transactional producer that stops in bounded time also when no broker answers; aiokafka's own waits for one."""

    async def start(self) -> None:
        """Fence every earlier producer of this id. TimeoutError when no broker has answered by then."""
        try:
            async with asyncio.timeout(STARTING):
                await super().start()
        except BaseException:
            # aiokafka leaves connections open when a start fails.
            await self.stop()
            raise

    async def abort_transaction(self) -> None:
        """Abort the open transaction. IllegalStateError when there is none: the broker has aborted it, or will when it times out."""
        try:
            await super().abort_transaction()
        except AssertionError as error:
            # aiokafka asserts that a transaction is open, and may have left it by itself.
            raise IllegalStateError(str(error)) from error

    async def stop(self) -> None:
        """Send what is buffered, for at most `STOPPING` seconds, and close every connection."""
        try:
            async with asyncio.timeout(STOPPING):
                await super().stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("producer stopped with records unsent", extra={"error": type(error).__name__})
        finally:
            # The time may have run out before aiokafka closed its connections.
            await close_in_time(self.client.close)


async def close_in_time(*ends: Callable[[], Awaitable[None]]) -> None:
    """Close connections, each within `STOPPING` seconds: a close that waits for a frozen peer takes as long as TCP does."""
    for end in ends:
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(STOPPING):
                await end()


class Bus:
    """Makes every Kafka client of this process, from the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> dict[str, Any]:
        """The connection arguments of every aiokafka client."""
        given = self._settings
        arguments: dict[str, Any] = {"bootstrap_servers": given.kafka}
        if given.kafka_tls:
            arguments |= {"security_protocol": "SSL", "ssl_context": create_ssl_context()}
        if given.sasl_username:
            arguments |= {
                "security_protocol": "SASL_SSL" if given.kafka_tls else "SASL_PLAINTEXT",
                "sasl_mechanism": given.sasl_mechanism,
                "sasl_plain_username": given.sasl_username,
                "sasl_plain_password": given.sasl_password,
            }
        return arguments

    def producer(self, transactional_id: str) -> Producer:
        """A producer whose `start` fences every earlier one of this id. After any error: stop it, make another."""
        # Until a broker ends the transaction of a dead producer, readers of committed records wait.
        return Producer(
            **self.client(),
            transactional_id=transactional_id,
            acks="all",
            transaction_timeout_ms=30_000,
            max_batch_size=128 * 1024,
        )

    def reader(self, **options: Any) -> AIOKafkaConsumer:
        """A consumer outside of any group, for end offsets and single records."""
        return AIOKafkaConsumer(**self.client(), enable_auto_commit=False, **options)

    def broker(self, middlewares: Sequence[Any] = ()) -> KafkaBroker:
        """FastStream's broker, for subscriptions."""
        # A topic that a broker creates by itself has the broker's number of partitions, not the catalogue's.
        return KafkaBroker(
            self._settings.kafka,
            security=self._security(),
            middlewares=middlewares,
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_MS,
            logger=THEIRS,
        )

    def _security(self) -> BaseSecurity | None:
        given = self._settings
        context = create_ssl_context() if given.kafka_tls else None
        if not given.sasl_username:
            return BaseSecurity(ssl_context=context, use_ssl=True) if context else None
        kind = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256}.get(given.sasl_mechanism)
        if kind is None:
            raise Misconfigured(
                f"AMA_SASL_MECHANISM: {given.sasl_mechanism} is not one of SCRAM-SHA-512, SCRAM-SHA-256."
            )
        return kind(username=given.sasl_username, password=given.sasl_password or "", ssl_context=context)

    def subscribe(
        self,
        broker: KafkaBroker,
        topics: Iterable[str],
        group: str,
        take: Callable[[Records], Awaitable[None]],
        listener: ConsumerRebalanceListener,
        *,
        read_committed: bool = False,
    ) -> Any:
        """Give each batch of records to `take`, one after the other. `take` must not raise: FastStream would go on with the next."""

        # FastStream would decode before the handler runs: a header that cannot be decoded would lose the whole batch.
        async def parse(records: Records) -> KafkaMessage:
            return KafkaMessage(body=b"", raw_message=records, consumer=subscriber.consumer)  # type: ignore[arg-type]  # a tuple

        async def decode(message: KafkaMessage) -> bytes:  # noqa: ARG001  # the consumer decodes, and never raises
            return b""

        subscriber = broker.subscriber(
            *topics,
            group_id=group,
            batch=True,
            max_records=self._settings.batch,
            # A stored offset beyond the end of a topic that was created again leads to the first record.
            auto_offset_reset="earliest",
            # The outbox holds only committed facts, and marks drop repeats: our topics are read uncommitted.
            isolation_level="read_committed" if read_committed else "read_uncommitted",
            # FastStream's default acknowledges before the handler has run: a batch that fails would be lost.
            ack_policy=AckPolicy.MANUAL,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=250,
            parser=parse,
            decoder=decode,
            listener=listener,
        )

        @subscriber
        async def handle(message: Incoming) -> None:
            await take(message.raw_message)

        poll_without_sleep(subscriber)
        return subscriber

    async def ping(self) -> None:
        """Connect to a broker. Raises KafkaError when none answers."""
        client = AIOKafkaClient(**self.client())
        try:
            await client.bootstrap()
        finally:
            await client.close()

    async def disks(self) -> dict[str, Disk]:
        """The disk of each broker's data, by broker id. Raises KafkaError when a broker does not answer, or refuses this user."""
        client = AIOKafkaClient(**self.client())
        try:
            await client.bootstrap()
            return await broker_disks(client)
        finally:
            await client.close()

    async def prepare(self, topics: Iterable[Topic]) -> None:
        """Create the topics that are missing and check the others. Misconfigured when a number of partitions differs."""
        wanted = {topic.name: topic for topic in topics}
        admin = AIOKafkaAdminClient(**self.client())
        await admin.start()
        try:
            there = set(await admin.list_topics())
            missing = [topic for name, topic in wanted.items() if name not in there]
            if missing:
                # Kafka refuses more replicas than it has brokers.
                replication = min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
                new = [NewTopic(t.name, t.partitions, replication, topic_configs=t.config) for t in missing]
                _refuse((await admin.create_topics(new)).topic_errors)
            for described in await admin.describe_topics([name for name in wanted if name in there]):
                name, partitions = described["topic"], len(described["partitions"])
                if partitions != wanted[name].partitions:
                    raise Misconfigured(
                        f"Topic {name} has {partitions} partitions instead of {wanted[name].partitions}: keys have moved and order is "
                        "lost. Restore the topic, or start on a new bus and republish."
                    )
        finally:
            await admin.close()


def _refuse(errors: Iterable[Sequence[Any]]) -> None:
    for name, code, *_ in errors:
        problem = for_code(code)
        # Another copy may create the topic at the same moment.
        if code and problem is not TopicAlreadyExistsError:
            raise Misconfigured(f"Topic {name} cannot be created: {problem.__name__}.")
