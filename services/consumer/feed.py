"""A partner's feed as any Kafka client finds it: one topic, one partition, committed records, read as the partner's own user.

Invariant: nothing here relies on what Kafka remembers of a reader; where to read on is the reader's own affair.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.helpers import create_ssl_context

from services.contracts import Event, decode

MECHANISM = "SCRAM-SHA-512"


class FeedStopped(Exception):
    """One sentence for whoever runs the consumer: it cannot go on by itself."""


class NotThere(FeedStopped):
    """The topic is not to be seen; it may be later."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where it is, and who reads it. `tls`: the broker's certificate is one that this machine trusts."""

    kafka: str
    topic: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = MECHANISM
    tls: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Feed":
        """The feed that `AMA_FEED_*` names, as `ama partners user` prints them. FeedStopped naming what is missing."""
        told = {
            name: environment.get(f"AMA_FEED_{name.upper()}") or None for name in ("kafka", "topic", "user", "password")
        }
        for name in ("kafka", "topic"):
            if told[name] is None:
                raise FeedStopped(
                    f"AMA_FEED_{name.upper()} is not set: load the settings that `ama partners user` printed."
                )
        mechanism = environment.get("AMA_FEED_MECHANISM") or MECHANISM
        return cls(**told, mechanism=mechanism, tls=environment.get("AMA_FEED_TLS") == "yes")  # type: ignore[arg-type]  # two are checked

    @property
    def partition(self) -> TopicPartition:
        """The only one."""
        return TopicPartition(self.topic, 0)

    def group(self, name: str) -> str | None:
        """The consumer group under which the operators of Kafka see how far this consumer is."""
        return f"{self.user}.{name}" if self.user else None

    @asynccontextmanager
    async def reading(self, offset: int = 0, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        """A reader that stands at this offset, or at the first if there is none such any more. NotThere when it sees no topic."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            group_id=group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=250,
            **self._login(),
        )
        try:
            await reader.start()
            if self.topic not in await reader.topics():
                raise NotThere(f"{self.topic} is not there yet, or {self.user or 'nobody'} may not read it.")
            reader.assign([self.partition])
            reader.seek(self.partition, offset)
            yield reader
        finally:
            await reader.stop()

    async def last(self) -> Event[Any] | None:
        """The last entry there is. What ends a partition is mostly a marker, so ever more of the end is read until there is one."""
        async with self.reading() as reader:
            end, back = (await reader.end_offsets([self.partition]))[self.partition], 8
            while end:
                start = max(0, end - back)
                reader.seek(self.partition, start)
                found: list[ConsumerRecord] = []
                while await reader.position(self.partition) < end:
                    found += (await reader.getmany(timeout_ms=500)).get(self.partition, [])
                if found:
                    return decode(found[-1].value)
                if start == 0:
                    return None
                back *= 8
            return None

    def _login(self) -> dict[str, Any]:
        if not self.user:
            return {"security_protocol": "SSL", "ssl_context": create_ssl_context()} if self.tls else {}
        tls = {"security_protocol": "SASL_SSL", "ssl_context": create_ssl_context()} if self.tls else {}
        return {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            **tls,
        }
