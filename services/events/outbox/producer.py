"""One life of the producer that fences its predecessor: from its start to the first thing that goes wrong.

Invariants: what is sent is sent in a transaction; none is left open, or readers of committed records would stand still behind it; what
was committed is remembered before anything else is done.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Self

from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from services.events.bus.client import Producer
from services.events.outbox.acknowledged import Acknowledged
from services.store.mongo import Document
from services.telemetry import Metrics

log = logging.getLogger(__name__)
PATIENCE = 60.0  # seconds for a commit; Kafka itself ends a transaction after thirty


class Sending:
    """An async context manager; entering it fences whoever sent before under the producer's id."""

    def __init__(self, producer: Producer, acknowledged: Acknowledged, metrics: Metrics) -> None:
        self._producer, self._acknowledged, self._metrics = producer, acknowledged, metrics
        self._open = False
        self.pending: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def add(self, letters: Iterable[Document]) -> None:
        """Send in the given order, in the open transaction, or in a new one. ProducerFenced when the open one is open no more."""
        for letter in letters:
            if not self._open:
                await self._producer.begin_transaction()
                self._open = True
            headers = [(name, text) for name, text in letter["headers"]]
            headers += self._acknowledged.headers(letter["topic"])
            try:
                sent = await self._producer.send(
                    letter["topic"], value=letter["value"], key=letter["key"].encode(), headers=headers
                )
            except IllegalOperation as error:
                raise ProducerFenced from error  # an earlier record met it, and aiokafka is in no transaction any more
            self.pending.append(sent)

    async def commit(self) -> Sequence[Any]:
        """Commit what was added; where each record stands (aiokafka's RecordMetadata). BusLost when that is where another had stood,
        TimeoutError when it takes too long: aiokafka tries for ever to add a topic that is there no more to a transaction."""
        async with asyncio.timeout(PATIENCE):
            placed = await asyncio.gather(*self.pending)
            await self._producer.commit_transaction()
        self._open, self.pending = False, []
        self._metrics.relayed(len(placed))
        await self._acknowledged.took(placed)
        return placed

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._open:
                async with asyncio.timeout(5):
                    await self._producer.abort_transaction()
        except (KafkaError, TimeoutError, ValueError) as error:
            log.warning("open transaction is left to time out", extra={"error": type(error).__name__})
        finally:
            await self._producer.stop()
