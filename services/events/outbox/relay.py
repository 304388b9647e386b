"""The relay: sends the outbox to Kafka in commit order, from its change stream, through a producer that fences its predecessor.

Invariants:

- The resume token is saved only after Kafka's commit, so that nothing is skipped. What is sent twice has the same id and sequence.
- Any failure discards the producer and starts from the saved token.
- Only the holder of the lease sends. Kafka itself fences a holder that was frozen and wakes up.
- A topic that lost acknowledged records is sent whole before anything new.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiokafka.errors import KafkaError, ProducerFenced

from services.contracts.topics import TOPICS, written_by
from services.events.bus.client import Bus
from services.events.outbox.acknowledged import Acknowledged, BusLost
from services.events.outbox.position import Position, RelayDocument
from services.events.outbox.producer import TransactionalSender
from services.events.outbox.restarts import RestartPolicy
from services.settings import Settings
from services.store.errors import is_transient
from services.store.lease import LeaseLost
from services.store.mongo import Document, DriverSession, PyMongoError, Store, see_all_before
from services.telemetry import Metrics

log = logging.getLogger(__name__)
IDLE_SAVE = (
    5.0  # seconds between saved tokens while nothing is sent: databases share an oplog, in which a token grows old
)
LOOK_BACK = timedelta(minutes=10)  # a scan begins so long before the last save
LOOK = 5.0  # seconds between comparisons with the bus
NUDGE = 1.0  # seconds in which readers notice that their offset is gone, before one more record reaches those at the new end


class Relay:
    """A relay of one service. Any number may run, and one of them sends. `run` ends only when cancelled."""

    def __init__(self, service: str, store: Store, bus: Bus, settings: Settings, metrics: Metrics) -> None:
        self._service, self._store, self._bus, self._settings, self._metrics = service, store, bus, settings, metrics
        self.position = Position(store)

    async def run(self) -> None:
        """Wait for the lease, relay while it is held, and start again after any error of an engine.

        aiokafka raises AssertionError when a cluster that is just starting names no broker.
        """
        restarts = RestartPolicy(self.release)
        while True:
            restarts.started()
            try:
                if await self.position.take() is None:
                    await asyncio.sleep(1.0)
                    continue
                await self._relay()
            except (
                KafkaError,
                PyMongoError,
                LeaseLost,
                BusLost,
                ConnectionError,
                TimeoutError,
                AssertionError,
            ) as error:
                self._metrics.began_again(_reason(error))
                log.warning("relay begins again", extra={"service": self._service, "error": repr(error)[:300]})
                await restarts.failed()

    async def release(self) -> None:
        """Give the lease up, so that another relay need not wait until it expires."""
        await self.position.lease.release()

    async def _relay(self) -> None:
        await self._bus.prepare(written_by(self._service))  # those that went missing meanwhile
        own = [topic.name for topic in TOPICS.values() if topic.writer == self._service]
        await self.position.retake()  # a relay that lost the lease must not fence its holder
        async with Acknowledged(self._store, self._bus, own) as acknowledged:
            producer = self._bus.producer(f"{self._store.name}.relay")
            async with (
                TransactionalSender(producer, acknowledged, self._metrics) as sender,
                self._store.driver_session() as session,
            ):
                # After the producer has fenced its predecessor, which may have moved the position until then.
                position = await self.position.retake()
                await acknowledged.compare()
                # Before a refill, so that the stream holds what is recorded while the topic is sent.
                cursor, token = await self._open(session, position, sender)
                for topic in acknowledged.to_resend:
                    await self._refill(topic, session, sender, acknowledged)
                await self._follow(session, cursor, token, sender, acknowledged)

    async def _open(
        self, session: DriverSession, position: RelayDocument, sender: TransactionalSender
    ) -> tuple[int, Document]:
        """Open the change stream at the saved token. Without a token that the server still knows, open it now and scan the outbox."""
        if (saved := position.get("token")) is not None:
            try:
                return await self._watch(session, {"resumeAfter": saved})
            except PyMongoError as error:
                # A server that is away says nothing about the token.
                if is_transient(error):
                    raise
                log.warning("resume token is of no use to the server: scanning", extra={"service": self._service})
        cursor, token = await self._watch(session, {})
        see_all_before(session)  # the stream begins after what is applied; a scan must wait until a majority has it
        since = position.get("at")
        # A row has its id before its transaction commits, so it may be older than the last save.
        where = {"_id": {"$gte": first_id_of(since - LOOK_BACK)}} if since else {}
        async for batch in self._outbox(where, session):
            await self._send(batch, sender)
        await self.position.save(token)
        return cursor, token

    async def _outbox(self, where: Document, session: DriverSession) -> AsyncIterator[list[Document]]:
        """The matching rows, each subject in its order, in batches of one Kafka transaction."""
        batch: list[Document] = []
        async for row in self._store["outbox"].find(where, session=session).sort([("sequence", 1), ("_id", 1)]):
            batch.append(row)
            if len(batch) == self._settings.relay_commit_events:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _refill(
        self, topic: str, session: DriverSession, sender: TransactionalSender, acknowledged: Acknowledged
    ) -> None:
        """Send all of a topic again, and then the last record of each partition once more: a reader whose offset is the end of the
        refilled partition would see no new record, and never learn that it must read the partition again."""
        there, sent = await self._store["outbox"].count_documents({"topic": topic}), 0
        last: dict[int, Document] = {}
        async for batch in self._outbox({"topic": topic}, session):
            placed = await self._send(batch, sender)
            last |= {each.partition: row for each, row in zip(placed, batch, strict=True)}
            sent += len(batch)
            await acknowledged.progress(topic, sent, there)
        await asyncio.sleep(NUDGE)
        if last:
            await self._send(list(last.values()), sender)
        await acknowledged.refilled(topic)
        log.warning("topic was refilled", extra={"service": self._service, "topic": topic, "records": sent})

    async def _watch(self, session: DriverSession, start: Document) -> tuple[int, Document]:
        # Only inserts: an erasure deletes rows, and nothing is to be sent for that.
        stages = [{"$changeStream": start}, {"$match": {"operationType": "insert"}}, {"$project": {"fullDocument": 1}}]
        command = {
            "aggregate": "outbox",
            "pipeline": stages,
            # The first answer holds no rows, so that its token stands before all of them.
            "cursor": {"batchSize": 0},
            "readConcern": {"level": "majority"},
        }
        answer = (await self._store.db.command(command, session=session))["cursor"]
        return answer["id"], answer["postBatchResumeToken"]

    async def _follow(
        self,
        session: DriverSession,
        cursor: int,
        token: Document,
        sender: TransactionalSender,
        acknowledged: Acknowledged,
    ) -> None:
        """Send rows as they come; commit after `relay_commit_ms` or `relay_commit_events`. BusLost when a topic is to be resent."""
        loop = asyncio.get_running_loop()
        period = self._settings.relay_commit_ms / 1000
        began, saved, looked = 0.0, loop.time(), loop.time()
        while True:
            patience = max(0.001, began + period - loop.time()) if sender.pending else period
            rows, token = await self._more(session, cursor, patience)
            if rows and not sender.pending:
                began = loop.time()
            await sender.add(rows)
            full = len(sender.pending) >= self._settings.relay_commit_events
            if sender.pending and (full or loop.time() - began >= period):
                await sender.commit()
                await self.position.save(token)
                saved = loop.time()
            elif not sender.pending and loop.time() - saved > IDLE_SAVE:
                await self.position.save(token)
                saved = loop.time()
            if not sender.pending and loop.time() - looked > LOOK:
                await acknowledged.compare()
                looked = loop.time()
                if acknowledged.to_resend:
                    # The next life of the relay refills before it sends anything new.
                    raise BusLost(", ".join(acknowledged.to_resend))
            await self.position.lease.keep()

    async def _more(self, session: DriverSession, cursor: int, patience: float) -> tuple[list[Document], Document]:
        """The next rows of the change stream, waiting at most `patience` seconds, and the token to resume after them."""
        # At least 1 ms, since MongoDB takes a `maxTimeMS` of 0 as no limit.
        more = {"getMore": cursor, "collection": "outbox", "maxTimeMS": max(1, int(patience * 1000)), "batchSize": 1000}
        answer = (await self._store.db.command(more, session=session))["cursor"]
        return [change["fullDocument"] for change in answer["nextBatch"]], answer["postBatchResumeToken"]

    async def _send(self, rows: list[Document], sender: TransactionalSender) -> Sequence[Any]:
        """Send rows in one Kafka transaction. Returns the place of each record (aiokafka's RecordMetadata)."""
        await self.position.lease.keep()
        await sender.add(rows)
        return await sender.commit()


def _reason(error: BaseException) -> str:
    known = {ProducerFenced: "fenced", LeaseLost: "deposed", BusLost: "bus lost"}
    return next((reason for kind, reason in known.items() if isinstance(error, kind)), "engine")


def first_id_of(moment: datetime) -> str:
    """The smallest UUIDv7 of that moment: an id begins with the milliseconds since 1970."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"
