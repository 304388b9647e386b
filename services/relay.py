"""Stored is published: the outbox's change stream, in commit order, into Kafka, through a producer that fences its predecessor.

Invariants: the resume token is saved only after Kafka's commit, so that nothing is skipped (what is sent again has the same id and
sequence); any failure discards the producer and starts from the saved token; only the holder of the lease sends, and a holder that
was frozen and wakes is fenced by Kafka itself.
"""

import asyncio
import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.bus import Bus
from services.settings import Settings
from services.store import Document, PyMongoError, Session, Store, backoff, passes, see_all_before
from services.telemetry import Metrics

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=6)
IDLE_SAVE = 5.0  # seconds between saved tokens while nothing is said: the databases share an oplog that moves on
LOOK_BACK = timedelta(minutes=10)


class Deposed(Exception):
    """Another relay holds the lease."""


class Relay:
    """One per service; any number may run, one of them sends. `run` ends only when cancelled."""

    def __init__(self, service: str, store: Store, bus: Bus, settings: Settings, metrics: Metrics) -> None:
        self._service, self._store, self._bus, self._settings, self._metrics = service, store, bus, settings, metrics
        self._me = uuid.uuid4().hex
        self._renewed = 0.0
        self._transacting = False

    async def run(self) -> None:
        """Wait for the lease, relay while it is held, and begin again after whatever goes wrong."""
        failures = 0
        while True:
            try:
                if await self._lease() is None:
                    await asyncio.sleep(1.0)
                    continue
                await self._relay()
            except (KafkaError, PyMongoError, Deposed, ConnectionError, TimeoutError) as error:
                failures += 1
                log.warning("relay begins again", extra={"service": self._service, "error": repr(error)[:300]})
                await asyncio.sleep(0.1 + backoff(min(failures, 9), cap=5.0))

    async def _lease(self) -> Document | None:
        """Take or renew the lease on the server's clock. Returns the relay's state, or None while another holds it."""
        mine = {"$eq": ["$holder", self._me]}
        free = {"$or": [mine, {"$lt": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}, {"$not": ["$holder"]}]}
        await self._store["relay"].update_one(
            {"_id": "relay"}, {"$setOnInsert": {"token": None, "epoch": 0}}, upsert=True
        )
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(LEASE.total_seconds() * 1000)}}
        epoch = {"$cond": [mine, "$epoch", {"$add": ["$epoch", 1]}]}
        change = [{"$set": {"holder": self._me, "until": until, "epoch": epoch}}]
        state: Document | None = await self._store["relay"].find_one_and_update(
            {"_id": "relay", "$expr": free}, change, return_document=True
        )
        self._renewed = asyncio.get_running_loop().time()
        return state

    async def release(self) -> None:
        """Give the lease up, so that another relay need not wait for it to end."""
        await self._store["relay"].update_one({"_id": "relay", "holder": self._me}, {"$set": {"holder": None}})

    async def _relay(self) -> None:
        producer = self._bus.producer(f"{self._store.name}.relay")
        await producer.start()  # fences whoever sent before under this id
        try:
            state = await self._lease()
            if state is None:
                raise Deposed
            async with await self._store.session() as session:
                cursor, token = await self._open(session, state, producer)
                await self._follow(session, cursor, token, producer)
        finally:
            await self._put_down(producer)

    async def _put_down(self, producer: AIOKafkaProducer) -> None:
        """Abort what is open, or readers of committed records would stand still behind it until it times out."""
        try:
            if self._transacting:
                async with asyncio.timeout(5):
                    await producer.abort_transaction()
        except (KafkaError, TimeoutError, ValueError) as error:
            log.warning(
                "open transaction is left to time out", extra={"service": self._service, "error": type(error).__name__}
            )
        finally:
            self._transacting = False
            await producer.stop()

    async def _open(self, session: Session, state: Document, producer: AIOKafkaProducer) -> tuple[int, Document]:
        """Open the stream where the token says; without one, or with one the server forgot, open it now and scan what was before."""
        if state["token"] is not None:
            try:
                return await self._watch(session, {"resumeAfter": state["token"]})
            except PyMongoError as error:
                if passes(error):
                    raise
                log.warning("resume token is of no use to the server: scanning", extra={"service": self._service})
        cursor, token = await self._watch(session, {})
        see_all_before(session)  # the stream begins after what is applied, of which a scan sees what a majority has
        since = state.get("at")
        where = {"_id": {"$gte": first_id_of(since - LOOK_BACK)}} if since else {}
        found = (
            self._store["outbox"].find(where, session=session).sort([("seq", 1), ("_id", 1)])
        )  # each subject in its order
        batch: list[Document] = []
        async for letter in found:
            batch.append(letter)
            if len(batch) == self._settings.relay_commit_events:
                await self._send_all(batch, producer)
                batch = []
        await self._send_all(batch, producer)
        await self._save(token)
        return cursor, token

    async def _watch(self, session: Session, start: Document) -> tuple[int, Document]:
        stages = [{"$changeStream": start}, {"$match": {"operationType": "insert"}}, {"$project": {"fullDocument": 1}}]
        command = {
            "aggregate": "outbox",
            "pipeline": stages,
            "cursor": {"batchSize": 0},
            "readConcern": {"level": "majority"},
        }
        answer = (await self._store.db.command(command, session=session))["cursor"]
        return answer["id"], answer["postBatchResumeToken"]

    async def _follow(self, session: Session, cursor: int, token: Document, producer: AIOKafkaProducer) -> None:
        """Send as letters come; commit when enough time has passed or enough are sent."""
        loop = asyncio.get_running_loop()
        period = self._settings.relay_commit_ms / 1000
        pending: list[asyncio.Future[Any]] = []
        began, saved = 0.0, loop.time()
        while True:
            patience = max(0.001, began + period - loop.time()) if pending else period
            more = {
                "getMore": cursor,
                "collection": "outbox",
                "maxTimeMS": max(1, int(patience * 1000)),
                "batchSize": 1000,
            }
            answer = (await self._store.db.command(more, session=session))["cursor"]
            letters, token = answer["nextBatch"], answer["postBatchResumeToken"]
            if letters and not pending:
                await self._begin(producer)
                began = loop.time()
            pending += [await self._send(change["fullDocument"], producer) for change in letters]
            full = len(pending) >= self._settings.relay_commit_events
            if pending and (full or loop.time() - began >= period):
                await self._commit(pending, producer)
                pending = []
                await self._save(token)
                saved = loop.time()
            elif not pending and loop.time() - saved > IDLE_SAVE:
                await self._save(token)
                saved = loop.time()
            if loop.time() - self._renewed > LEASE.total_seconds() / 4 and await self._lease() is None:
                raise Deposed

    async def _send(self, letter: Document, producer: AIOKafkaProducer) -> "asyncio.Future[Any]":
        headers = [(name, text) for name, text in letter["headers"]]
        future: asyncio.Future[Any] = await producer.send(
            letter["topic"], value=letter["value"], key=letter["key"].encode(), headers=headers
        )
        return future

    async def _begin(self, producer: AIOKafkaProducer) -> None:
        await producer.begin_transaction()
        self._transacting = True

    async def _commit(self, pending: list["asyncio.Future[Any]"], producer: AIOKafkaProducer) -> None:
        await asyncio.gather(*pending)
        await producer.commit_transaction()
        self._transacting = False
        self._metrics.relayed(len(pending))

    async def _send_all(self, letters: list[Document], producer: AIOKafkaProducer) -> None:
        if letters:
            await self._begin(producer)
            await self._commit([await self._send(letter, producer) for letter in letters], producer)

    async def _save(self, token: Document) -> None:
        """Only while the lease is ours: a relay that was deposed must not set the token back."""
        change = [{"$set": {"token": {"$literal": token}, "at": "$$NOW"}}]
        result = await self._store["relay"].update_one({"_id": "relay", "holder": self._me}, change)
        if result.matched_count == 0:
            raise Deposed


def first_id_of(moment: datetime) -> str:
    """The smallest UUIDv7 made at that moment: ids begin with the milliseconds since 1970."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"
