"""Stored is published: the outbox's change stream, in commit order, into Kafka, through a producer that fences its predecessor.

Invariants: the resume token is saved only after Kafka's commit, so that nothing is skipped (what is sent again has the same id and
sequence); any failure discards the producer and starts from the saved token; only the holder of the lease sends, and a holder that
was frozen and wakes is fenced by Kafka itself; a topic that lost what was acknowledged is sent whole before anything new.
"""

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiokafka.errors import KafkaError, ProducerFenced

from services.contracts.topics import TOPICS, written_by
from services.events.bus.client import Bus
from services.events.outbox.acknowledged import Acknowledged, BusLost
from services.events.outbox.producer import Sending
from services.events.outbox.restarts import RestartPolicy
from services.settings import Settings
from services.store.errors import is_transient
from services.store.mongo import Document, DriverSession, PyMongoError, Store, see_all_before
from services.telemetry import Metrics

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=6)
IDLE_SAVE = 5.0  # seconds between saved tokens while nothing is said: the databases share an oplog that moves on
LOOK_BACK = timedelta(minutes=10)
LOOK = 5.0  # seconds between looks at what the bus still has
NUDGE = 1.0  # seconds for readers to notice that their place is gone, before one record more tells those whose place is the new end


class Deposed(Exception):
    """Another relay holds the lease."""


class Relay:
    """One per service; any number may run, one of them sends. `run` ends only when cancelled."""

    def __init__(self, service: str, store: Store, bus: Bus, settings: Settings, metrics: Metrics) -> None:
        self._service, self._store, self._bus, self._settings, self._metrics = service, store, bus, settings, metrics
        self._me, self._who = uuid.uuid4().hex, f"{socket.gethostname()}/{os.getpid()}"
        self._renewed = 0.0

    async def run(self) -> None:
        """Wait for the lease, relay while it is held, and begin again after whatever goes wrong.

        An AssertionError is aiokafka's when a cluster that is just starting tells it of no broker."""
        beginnings = RestartPolicy(self.release)
        while True:
            beginnings.begins()
            try:
                if await self._lease() is None:
                    await asyncio.sleep(1.0)
                    continue
                await self._relay()
            except (KafkaError, PyMongoError, Deposed, BusLost, ConnectionError, TimeoutError, AssertionError) as error:
                self._metrics.began_again(_reason(error))
                log.warning("relay begins again", extra={"service": self._service, "error": repr(error)[:300]})
                await beginnings.failed()

    async def _lease(self) -> Document | None:
        """Take or renew the lease on the server's clock. Returns the relay's state, or None while another holds it."""
        mine = {"$eq": ["$holder", self._me]}
        free = {"$or": [mine, {"$lt": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}, {"$not": ["$holder"]}]}
        await self._store["relay"].update_one(
            {"_id": "relay"}, {"$setOnInsert": {"token": None, "epoch": 0}}, upsert=True
        )
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(LEASE.total_seconds() * 1000)}}
        epoch = {"$cond": [mine, "$epoch", {"$add": ["$epoch", 1]}]}
        since = {"$cond": [mine, {"$ifNull": ["$since", "$$NOW"]}, "$$NOW"]}
        change = [{"$set": {"holder": self._me, "who": self._who, "since": since, "until": until, "epoch": epoch}}]
        state: Document | None = await self._store["relay"].find_one_and_update(
            {"_id": "relay", "$expr": free}, change, return_document=True
        )
        self._renewed = asyncio.get_running_loop().time()
        return state

    async def release(self) -> None:
        """Give the lease up, so that another relay need not wait for it to end."""
        await self._store["relay"].update_one({"_id": "relay", "holder": self._me}, {"$set": {"holder": None}})

    async def _relay(self) -> None:
        await self._bus.prepare(written_by(self._service))  # those that went missing meanwhile
        own = [topic.name for topic in TOPICS.values() if topic.writer == self._service]
        if await self._lease() is None:
            raise Deposed  # before it fences whoever holds it now
        async with Acknowledged(self._store, self._bus, own) as acknowledged:
            producer = self._bus.producer(f"{self._store.name}.relay")
            async with (
                Sending(producer, acknowledged, self._metrics) as sending,
                self._store.driver_session() as session,
            ):
                state = await self._lease()
                if state is None:
                    raise Deposed
                await acknowledged.look()
                cursor, token = await self._open(session, state, sending)
                for topic in acknowledged.owed:
                    await self._refill(topic, session, sending, acknowledged)
                await self._follow(session, cursor, token, sending, acknowledged)

    async def _open(self, session: DriverSession, state: Document, sending: Sending) -> tuple[int, Document]:
        """Open the stream where the token says; without one, or with one the server forgot, open it now and scan what was before."""
        if state["token"] is not None:
            try:
                return await self._watch(session, {"resumeAfter": state["token"]})
            except PyMongoError as error:
                if is_transient(error):
                    raise
                log.warning("resume token is of no use to the server: scanning", extra={"service": self._service})
        cursor, token = await self._watch(session, {})
        see_all_before(session)  # the stream begins after what is applied, of which a scan sees what a majority has
        since = state.get("at")
        where = {"_id": {"$gte": first_id_of(since - LOOK_BACK)}} if since else {}
        async for batch in self._said(where, session):
            await self._send(batch, sending)
        await self._save(token)
        return cursor, token

    async def _said(self, where: Document, session: DriverSession) -> AsyncIterator[list[Document]]:
        """What the outbox has, each subject in its order, in batches of one transaction."""
        batch: list[Document] = []
        async for letter in self._store["outbox"].find(where, session=session).sort([("sequence", 1), ("_id", 1)]):
            batch.append(letter)
            if len(batch) == self._settings.relay_commit_events:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _refill(self, topic: str, session: DriverSession, sending: Sending, acknowledged: Acknowledged) -> None:
        """Send all of a topic again. Then one record more of each partition: a reader that stood just where the refilled partition
        ends would see nothing new, and never learn that it must read it again."""
        there, sent = await self._store["outbox"].count_documents({"topic": topic}), 0
        last: dict[int, Document] = {}
        async for batch in self._said({"topic": topic}, session):
            placed = await self._send(batch, sending)
            last |= {each.partition: letter for each, letter in zip(placed, batch, strict=True)}
            sent += len(batch)
            await acknowledged.progress(topic, sent, there)
        await asyncio.sleep(NUDGE)
        if last:
            await self._send(list(last.values()), sending)
        await acknowledged.refilled(topic)
        log.warning("topic was refilled", extra={"service": self._service, "topic": topic, "records": sent})

    async def _watch(self, session: DriverSession, start: Document) -> tuple[int, Document]:
        stages = [{"$changeStream": start}, {"$match": {"operationType": "insert"}}, {"$project": {"fullDocument": 1}}]
        command = {
            "aggregate": "outbox",
            "pipeline": stages,
            "cursor": {"batchSize": 0},
            "readConcern": {"level": "majority"},
        }
        answer = (await self._store.db.command(command, session=session))["cursor"]
        return answer["id"], answer["postBatchResumeToken"]

    async def _follow(
        self, session: DriverSession, cursor: int, token: Document, sending: Sending, acknowledged: Acknowledged
    ) -> None:
        """Send as letters come; commit when enough time has passed or enough are sent. BusLost when something is to be refilled."""
        loop = asyncio.get_running_loop()
        period = self._settings.relay_commit_ms / 1000
        began, saved, looked = 0.0, loop.time(), loop.time()
        while True:
            patience = max(0.001, began + period - loop.time()) if sending.pending else period
            letters, token = await self._more(session, cursor, patience)
            if letters and not sending.pending:
                began = loop.time()
            await sending.add(letters)
            full = len(sending.pending) >= self._settings.relay_commit_events
            if sending.pending and (full or loop.time() - began >= period):
                await sending.commit()
                await self._save(token)
                saved = loop.time()
            elif not sending.pending and loop.time() - saved > IDLE_SAVE:
                await self._save(token)
                saved = loop.time()
            if not sending.pending and loop.time() - looked > LOOK:
                await acknowledged.look()
                looked = loop.time()
                if acknowledged.owed:
                    raise BusLost(", ".join(acknowledged.owed))
            await self._keep()

    async def _more(self, session: DriverSession, cursor: int, patience: float) -> tuple[list[Document], Document]:
        """What the stream has, waiting so many seconds for it, and the token to resume after it."""
        more = {"getMore": cursor, "collection": "outbox", "maxTimeMS": max(1, int(patience * 1000)), "batchSize": 1000}
        answer = (await self._store.db.command(more, session=session))["cursor"]
        return [change["fullDocument"] for change in answer["nextBatch"]], answer["postBatchResumeToken"]

    async def _send(self, letters: list[Document], sending: Sending) -> Sequence[Any]:
        """In one transaction; where each record stands."""
        await self._keep()
        await sending.add(letters)
        return await sending.commit()

    async def _keep(self) -> None:
        """Renew the lease when a quarter of it has passed. Raises Deposed when it is another's."""
        if (
            asyncio.get_running_loop().time() - self._renewed > LEASE.total_seconds() / 4
            and await self._lease() is None
        ):
            raise Deposed

    async def _save(self, token: Document) -> None:
        """Only while the lease is ours: a relay that was deposed must not set the token back."""
        change = [{"$set": {"token": {"$literal": token}, "at": "$$NOW"}}]
        result = await self._store["relay"].update_one({"_id": "relay", "holder": self._me}, change)
        if result.matched_count == 0:
            raise Deposed


def _reason(error: BaseException) -> str:
    known = {ProducerFenced: "fenced", Deposed: "deposed", BusLost: "bus lost"}
    return next((reason for kind, reason in known.items() if isinstance(error, kind)), "engine")


def first_id_of(moment: datetime) -> str:
    """The smallest UUIDv7 made at that moment: ids begin with the milliseconds since 1970."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"
