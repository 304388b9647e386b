"""One life of the producer that fences its predecessor: from its start to the first error.

Invariants: every record is sent in a transaction. None is left open, or readers of committed records would stop at it. A commit is
remembered before anything else is done.
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


class TransactionalSender:
    """An async context manager; entering it fences every earlier producer of the same id. `pending`: sent, but not committed."""

    def __init__(self, producer: Producer, acknowledged: Acknowledged, metrics: Metrics) -> None:
        self._producer, self._acknowledged, self._metrics = producer, acknowledged, metrics
        self._open = False
        self.pending: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def add(self, rows: Iterable[Document]) -> None:
        """Send rows of the outbox in the given order, in the open transaction or a new one. ProducerFenced when the open one was ended."""
        for row in rows:
            if not self._open:
                await self._producer.begin_transaction()
                self._open = True
            headers = [(name, text) for name, text in row["headers"]]
            headers += self._acknowledged.headers(row["topic"])
            try:
                sent = await self._producer.send(
                    row["topic"], value=row["value"], key=row["key"].encode(), headers=headers
                )
            except IllegalOperation as error:
                raise ProducerFenced from error  # an earlier record was fenced, and aiokafka has left the transaction
            self.pending.append(sent)

    async def commit(self) -> Sequence[Any]:
        """Commit what was added. Returns the place of each record (aiokafka's RecordMetadata).

        BusLost when a record stands where another had stood. TimeoutError after `PATIENCE`: aiokafka never gives up adding a topic that
        does not exist any more to a transaction.
        """
        async with asyncio.timeout(PATIENCE):
            placed = await asyncio.gather(*self.pending)
            await self._producer.commit_transaction()
        # At once: when a line below fails, there is no transaction left to abort.
        self._open, self.pending = False, []
        self._metrics.relayed(len(placed))
        await self._acknowledged.committed(placed)
        return placed

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._open:
                async with asyncio.timeout(5):
                    await self._producer.abort_transaction()
        except (KafkaError, TimeoutError, ValueError) as error:
            # The error that ended the block is the one to raise. Kafka aborts the transaction by itself in the end.
            log.warning("open transaction is left to time out", extra={"error": type(error).__name__})
        finally:
            await self._producer.stop()
