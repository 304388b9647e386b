"""A partner's feed on Kafka: one topic with one partition, read as the partner's own user, committed records only.

Invariant: nothing here relies on offsets in Kafka; the reader says from which offset to read.
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
    """The consumer cannot go on by itself. Its text is one sentence for the person who runs it."""


class NotThere(FeedStopped):
    """The topic does not exist yet, or this user may not read it."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Address of a feed, and the user who reads it. `tls`: this machine trusts the broker's certificate."""

    kafka: str
    topic: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = MECHANISM
    tls: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Feed":
        """The feed that `AMA_FEED_*` names, as `ama partners user` prints them. FeedStopped naming what is missing."""
        given = {
            name: environment.get(f"AMA_FEED_{name.upper()}") or None for name in ("kafka", "topic", "user", "password")
        }
        for name in ("kafka", "topic"):
            if given[name] is None:
                raise FeedStopped(
                    f"AMA_FEED_{name.upper()} is not set: load the settings that `ama partners user` printed."
                )
        mechanism = environment.get("AMA_FEED_MECHANISM") or MECHANISM
        return cls(**given, mechanism=mechanism, tls=environment.get("AMA_FEED_TLS") == "yes")  # type: ignore[arg-type]  # two are checked

    @property
    def partition(self) -> TopicPartition:
        """The only partition of the topic."""
        return TopicPartition(self.topic, 0)

    def group(self, name: str) -> str | None:
        """The consumer group under which the operators of Kafka see the lag of this consumer; None without a user."""
        # The dot, because one partner's id may be the beginning of another's.
        return f"{self.user}.{name}" if self.user else None

    @asynccontextmanager
    async def reading(self, offset: int = 0, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        """A reader at this offset, or at the first one when this offset is gone. NotThere when it sees no topic."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            group_id=group,
            # A transaction that the publisher aborted leaves its records in the topic.
            isolation_level="read_committed",
            # The offset in the partner's own store counts.
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=250,
            **self._login(),
        )
        try:
            await reader.start()
            if self.topic not in await reader.topics():
                raise NotThere(f"{self.topic} is not there yet, or {self.user or 'nobody'} may not read it.")
            # Assigned by hand: a consumer group adds rebalances, and after a crash a wait for the dead member.
            reader.assign([self.partition])
            reader.seek(self.partition, offset)
            yield reader
        finally:
            await reader.stop()

    async def last(self) -> Event[Any] | None:
        """The last entry; None without one. A partition mostly ends with transaction markers, so more and more of its end is read."""
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
