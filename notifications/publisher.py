"""Delivery of partners' ledgers, each on its own topic: in order, without a gap, exactly once.

Invariants: the position of a feed is read from the topic itself, after every earlier producer was fenced, so that neither a death
between sending and remembering nor a frozen copy that wakes can repeat or skip an entry; consent is asked again for every entry that
is delivered, and nothing is delivered while the events of enrolment are consumed too late; a topic that lost its tail goes on where
it ends now, so that it has no gap; a topic that holds the records of another ledger is left alone, and a ledger stops before an entry
that cannot be written: each with its reason in the log and at `/feeds`, while the other feeds go on.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError

from notifications.consumer_lag import ConsumerLag
from notifications.deliveries import Delivered, Deliveries
from notifications.domain import LedgerEntry
from notifications.feed_position import FeedPosition, TailLost, feeds_of
from notifications.feed_topic import last_record
from notifications.ledger import midnight, record, topic_of
from notifications.ledger_entries import consenting, entries_after, entry_at
from services.contracts import Topic
from services.contracts.topics import FEED
from services.events.bus.client import close_in_time
from services.events.outbox.restarts import RestartPolicy
from services.runtime.service import Service
from services.store.lease import Lease, LeaseLost
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between polls when there is nothing new
MOST = 500  # entries of a feed in one transaction
CHECK = 5.0  # seconds between checks that the topics still have what was put there
PATIENCE = 60.0  # seconds for a transaction; Kafka itself ends one after thirty
MOST_LAG = 3.0  # seconds; a withdrawal of consent must be consumed within them, or nothing is delivered
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
)  # of data that is not of its form; pydantic's and orjson's are ValueErrors
HEADERS = [("content-type", b"application/cloudevents+json")]


async def publish(service: Service) -> None:
    """Deliver the feeds as a background task. Any number of copies may run it; the holder of the lease delivers, and starts again after
    any failure."""
    lease = Lease(service.store, "feeds")
    restarts = RestartPolicy(lease.release)
    try:
        while True:
            restarts.started()
            try:
                if await lease.take() is not None:
                    await Publisher(service, lease).run()
                await asyncio.sleep(1.0)
            except (
                KafkaError,
                IllegalOperation,  # of a producer that was fenced while it sent
                PyMongoError,
                LeaseLost,
                TailLost,
                ConnectionError,
                TimeoutError,
                AssertionError,
            ) as error:
                log.warning("publisher starts again", extra={"service": service.name, "error": repr(error)[:300]})
                await restarts.failed()
    finally:
        await lease.release()


class Publisher:
    """One life of the publisher: from fencing its predecessor to the first failure."""

    def __init__(self, service: Service, lease: Lease) -> None:
        self._store, self._bus, self._lease = service.store, service.bus, lease
        self._deliveries = Deliveries(service.store)
        self._checked = 0.0
        self._rules = service.rules
        self.feeds = feeds_of(service.rules.values())
        self._served = {(each.programme, each.partner) for each in self.feeds}
        self.topics = [Topic(topic_of(each.partner), service.name, partitions=FEED.partitions) for each in self.feeds]
        # The transactional id: copies that share a ledger share it, so that Kafka fences all but one of them.
        self.producer = f"{service.settings.database}.{service.name}.feeds"

    async def run(self) -> None:
        """Deliver until something fails, or an agreement begins or ends. Without any agreement it waits."""
        await self._bus.prepare(self.topics)
        await self._lease.keep()
        producer = self._bus.producer(self.producer)
        await producer.start()  # fences every earlier producer
        reader = self._bus.reader()
        try:
            await reader.start()
            await self._lease.keep()
            for feed in self.feeds:
                await self.find_position(feed)
            await self.stop_shared()
            async with ConsumerLag(self._store, self._bus, "ama.enrolment") as lag:
                # A programme that changed may have other agreements: the next life delivers their feeds.
                while {(each.programme, each.partner) for each in feeds_of(self._rules.values())} == self._served:
                    await self._lease.keep()
                    await self.check_topics(reader)
                    if not await self.deliver(producer, lag):
                        await asyncio.sleep(POLL)
        finally:
            await close_in_time(reader.stop)
            await producer.stop()

    async def check_topics(self, reader: AIOKafkaConsumer) -> None:
        """Check now and then that every topic still has what was put there. Raises TailLost."""
        now = asyncio.get_running_loop().time()
        if now - self._checked < CHECK or not self.feeds:
            return
        self._checked = now
        async with asyncio.timeout(CHECK):
            ends = await reader.end_offsets([each.partition for each in self.feeds])
        for each in self.feeds:
            each.move_to(ends[each.partition])

    async def find_position(self, feed: FeedPosition) -> None:
        """Read the position from the end of the topic. Stops the feed when its last record is of another ledger."""
        last = await last_record(self._bus, topic_of(feed.partner))
        feed.end = 0 if last is None else last.offset + 1
        if last is not None:
            try:
                body = orjson.loads(last.value)
                feed.last = int(body["sequence"])
                entry = await entry_at(self._store, feed.programme, feed.partner, feed.last)
                if entry is None or entry.event != body["id"]:
                    _stop(feed, f"the topic's record {feed.last} is not of this ledger")
            except UNREADABLE:
                _stop(feed, f"the topic's record at offset {last.offset} is none of a ledger")
        await self._note(feed)

    async def stop_shared(self) -> None:
        """Stop the feeds of a partner of several programmes, unless its topic holds the records of one alone: two ledgers on a topic could
        not be told apart."""
        going = [each for each in self.feeds if each.stopped is None]
        counted = Counter(each.partner for each in going)
        for feed in going:
            if counted[feed.partner] > 1:
                _stop(feed, "it is a partner of several programmes")
                await self._note(feed)

    async def deliver(self, producer: AIOKafkaProducer, lag: ConsumerLag) -> bool:
        """Send the entries that follow in every ledger, in one transaction. True when there were entries, and they were delivered."""
        waiting = [(each, entries) for each in self.feeds if (entries := await self._following(each))]
        if not waiting or await lag.exceeds(MOST_LAG):
            return False
        async with asyncio.timeout(PATIENCE):
            delivered = await self._send(producer, waiting)
        for feed, last in delivered:
            feed.last = last
            await self._note(feed)
        return True

    async def _following(self, feed: FeedPosition) -> list[LedgerEntry]:
        """The next entries of a ledger. None of one that is stopped; an entry that cannot be read stops it."""
        if feed.stopped is not None:
            return []
        try:
            return await entries_after(self._store, feed.programme, feed.partner, feed.last, MOST)
        except UNREADABLE:
            _stop(feed, f"entry {feed.last + 1} cannot be read")
            await self._note(feed)
            return []

    async def _send(
        self, producer: AIOKafkaProducer, waiting: Sequence[tuple[FeedPosition, list[LedgerEntry]]]
    ) -> list[tuple[FeedPosition, int]]:
        """Send the entries, up to one that cannot be written. Returns the last sequence of each feed."""
        delivered = []
        await producer.begin_transaction()
        for feed, entries in waiting:
            sent, last = [], feed.last
            consents = await consenting(self._store, feed.programme, {each.worker for each in entries if each.worker})
            for entry in entries:
                try:
                    key, value = record(entry, feed.programme, consents=entry.worker in consents)
                    written = int(midnight(entry.written).timestamp() * 1000)  # the time of the record is a day as well
                except UNREADABLE:
                    _stop(feed, f"entry {entry.sequence} cannot be written")
                    break
                topic, last = topic_of(feed.partner), entry.sequence
                sent.append(await producer.send(topic, value, key, partition=0, timestamp_ms=written, headers=HEADERS))
            if sent:
                feed.move_to(max(each.offset for each in await asyncio.gather(*sent)) + 1)
            delivered.append((feed, last))
        await producer.commit_transaction()
        return delivered

    async def _note(self, feed: FeedPosition) -> None:
        delivered = Delivered(partner=feed.partner, delivered=feed.last, stopped=feed.stopped)
        await self._deliveries.note(feed.programme, delivered)


def _stop(feed: FeedPosition, reason: str) -> None:
    """Deliver no more of this ledger in this life of the publisher."""
    feed.stopped = reason
    log.error("feed stopped", extra={"partner": feed.partner, "reason": reason})
