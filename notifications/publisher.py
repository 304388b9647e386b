"""Delivery of partners' ledgers, each on its own topic: in order, without a gap, exactly once.

Invariants: the position of a feed is read from the topic itself, after every earlier producer was fenced, so that neither a death
between sending and remembering nor a frozen copy that wakes can repeat or skip an entry; consent is asked again for every entry that
is delivered, and nothing is delivered while the events of enrolment are consumed too late; a topic that lost its tail goes on where
it ends now, so that it has no gap; a topic that holds the records of another ledger is left alone, and a ledger stops before an entry
that cannot be written: each with its reason in the log and at `/feeds`, while the other feeds go on. What one programme brings (feeds,
entries, topics that fail) is taken in parts, in turn, and tried alone when it failed, so that the feeds of the others go on.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from notifications.consumer_lag import ConsumerLag
from notifications.deliveries import Delivered, Deliveries
from notifications.domain import LedgerEntry
from notifications.feed_failures import FeedFailures
from notifications.feed_position import UNREADABLE, FeedPosition, TailLost, feeds_of
from notifications.feed_start import find_positions, shared
from notifications.ledger import midnight, record, topic_of
from notifications.ledger_entries import consenting, entries_after
from services.events.bus.client import close_in_time
from services.events.outbox.restarts import RestartPolicy
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.lease import Lease, LeaseLost
from services.store.mongo import PyMongoError
from services.store.unasked import asked_for

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between polls when there is nothing new
MOST, TOGETHER = 500, 2000  # entries of a feed, and of all feeds, in one transaction
AT_ONCE = 25  # feeds that are begun at once, between two deliveries
CHECK = 5.0  # seconds between checks that the topics still have what was put there
BEGINNING = 30.0  # seconds for the topics and positions of feeds that begin
PATIENCE = 60.0  # seconds for a transaction; Kafka itself ends one after thirty
ALONE = 10.0  # seconds for one feed that is tried alone
MOST_LAG = 3.0  # seconds; a withdrawal of consent must be consumed within them, or nothing is delivered
FAILURES = (
    KafkaError,
    IllegalOperation,  # of a producer that was fenced while it sent
    Misconfigured,  # of a topic that was made otherwise
    PyMongoError,
    LeaseLost,
    TailLost,
    OSError,  # TimeoutError and ConnectionError are
    AssertionError,  # aiokafka's, of a cluster that is just starting
)
HEADERS = [("content-type", b"application/cloudevents+json")]


async def publish(service: Service) -> None:
    """Deliver the feeds as a background task. Any number of copies may run it; the holder of the lease delivers, and starts again after
    any failure."""
    lease = Lease(service.store, "feeds")
    restarts, failures = RestartPolicy(lease.release), FeedFailures()
    try:
        while True:
            restarts.started()
            try:
                if await lease.take() is not None:
                    await Publisher(service, lease, failures).run()
                await asyncio.sleep(1.0)
            except asyncio.CancelledError as error:
                if asked_for():
                    raise
                await _again(service, restarts, error)
            except FAILURES as error:
                await _again(service, restarts, error)
            except Exception as error:
                log.exception("publisher fails", extra={"service": service.name})  # a defect: with its trace
                await _again(service, restarts, error)
    finally:
        await lease.release()


async def _again(service: Service, restarts: RestartPolicy, error: BaseException) -> None:
    log.warning("publisher starts again", extra={"service": service.name, "error": repr(error)[:300]})
    await restarts.failed()


class Publisher:
    """One life of the publisher: from fencing its predecessor to the first failure. `failures` outlive it."""

    def __init__(self, service: Service, lease: Lease, failures: FeedFailures | None = None) -> None:
        self._name, self._store, self._bus, self._lease = service.name, service.store, service.bus, lease
        self._deliveries, self._failures = Deliveries(service.store), failures or FeedFailures()
        self._checked = 0.0
        self._rules = service.rules
        self.feeds: list[FeedPosition] = []  # those that have begun, the one that was served last at the end
        # The transactional id: copies that share a ledger share it, so that Kafka fences all but one of them.
        self.producer = f"{service.settings.database}.{service.name}.feeds"

    async def run(self) -> None:
        """Deliver until something fails. Feeds begin and end with their agreements, while the others go on."""
        await self._lease.keep()
        producer = self._bus.producer(self.producer)
        await producer.start()  # fences every earlier producer
        reader = self._bus.reader()
        try:
            await reader.start()
            async with ConsumerLag(self._store, self._bus, "ama.enrolment") as lag:
                while True:
                    await self._lease.keep()
                    begun = await self.begin()
                    await self._lease.keep()
                    await self.check_topics(reader)
                    if not await self.deliver(producer, lag) and not begun:
                        await asyncio.sleep(POLL)
        finally:
            await close_in_time(reader.stop)
            await producer.stop()

    async def begin(self) -> bool:
        """Begin some of the feeds that agreements name and that have not begun, and end those without an agreement. True when there were
        any to begin."""
        agreed = {each.key: each for each in feeds_of(self._rules.values())}
        ended = {each.partner for each in self.feeds if each.key not in agreed}
        # A partner whose agreement with one programme ended begins anew with the other, which may have stopped because of it.
        self.feeds = [each for each in self.feeds if each.partner not in ended]
        begun = {each.key for each in self.feeds}
        new = self._first([each for key, each in agreed.items() if key not in begun], AT_ONCE)
        if new and await self._begun(new):
            self.feeds += new
            await self.stop_shared()
        return bool(new)

    def _first(self, feeds: Sequence[FeedPosition], most: int) -> list[FeedPosition]:
        """The feeds to be tried next: some of those that did not fail, or else one of the others, alone."""
        tried = [each for each in feeds if not self._failures.waits(each.key)]
        return [each for each in tried if not self._failures.suspects(each.key)][:most] or tried[:1]

    async def _begun(self, new: Sequence[FeedPosition]) -> bool:
        """Make the topics that are missing, and find the positions. False when the topic of a feed that was tried alone fails."""
        try:
            async with asyncio.timeout(ALONE if len(new) == 1 else BEGINNING):
                await find_positions(self._store, self._bus, self._name, new)
        except (KafkaError, Misconfigured, TimeoutError) as error:
            await self._failed(new, error)
            if len(new) == 1:
                return False
            raise
        for feed in new:
            await self._note(feed)
        return True

    async def _failed(self, feeds: Sequence[FeedPosition], error: Exception) -> None:
        """Have these tried alone. The one that failed alone waits, and says why."""
        self._failures.failed([each.key for each in feeds])
        if len(feeds) == 1:
            reason = f"its topic fails: {type(error).__name__}"
            log.error("feed waits", extra={"partner": feeds[0].partner, "reason": reason})
            await self._deliveries.note_failure(*feeds[0].key, reason)

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

    async def stop_shared(self) -> None:
        """Stop the feeds of a partner of several programmes, unless its topic holds the records of one alone."""
        for feed in shared(self.feeds):
            feed.stop("it is a partner of several programmes")
            await self._note(feed)

    async def deliver(self, producer: AIOKafkaProducer, lag: ConsumerLag) -> bool:
        """Send the entries that follow in the ledgers, in one transaction. True when there were entries, and they were delivered."""
        waiting = await self._waiting()
        if not waiting or await lag.exceeds(MOST_LAG):
            return False
        feeds = [feed for feed, _ in waiting]
        try:
            async with asyncio.timeout(ALONE if len(feeds) == 1 else PATIENCE):
                delivered = await self._send(producer, waiting)
        except ProducerFenced:
            raise  # by another copy: no topic is at fault
        except (KafkaError, TimeoutError) as error:
            await self._failed(feeds, error)
            raise
        self._failures.succeeded([each.key for each in feeds])
        self.feeds = [*(each for each in self.feeds if each not in feeds), *feeds]
        for feed, last in delivered:
            feed.last = last
            await self._note(feed)
        return True

    async def _waiting(self) -> list[tuple[FeedPosition, list[LedgerEntry]]]:
        """The feeds that have entries, with the next of them. Of a feed that failed with others: it alone."""
        waiting, room = list[tuple[FeedPosition, list[LedgerEntry]]](), TOGETHER
        # Suspects first; Python keeps the order of the others, who was served last at the end.
        for feed in sorted(self.feeds, key=lambda each: not self._failures.suspects(each.key)):
            if self._failures.waits(feed.key) or not (entries := await self._following(feed, min(MOST, room))):
                continue
            waiting.append((feed, entries))
            room -= len(entries)
            if self._failures.suspects(feed.key) or not room:
                break
        return waiting

    async def _following(self, feed: FeedPosition, most: int) -> list[LedgerEntry]:
        """The next entries of a ledger. None of one that is stopped; an entry that cannot be read stops it."""
        if feed.stopped is not None:
            return []
        try:
            return await entries_after(self._store, feed.programme, feed.partner, feed.last, most)
        except UNREADABLE:
            feed.stop(f"entry {feed.last + 1} cannot be read")
            await self._note(feed)
            return []

    async def _send(
        self, producer: AIOKafkaProducer, waiting: Sequence[tuple[FeedPosition, list[LedgerEntry]]]
    ) -> list[tuple[FeedPosition, int]]:
        """Send the entries, up to one that cannot be written. Returns the last sequence of each feed."""
        delivered = []
        await producer.begin_transaction()
        for feed, entries in waiting:
            sent, last, topic = [], feed.last, topic_of(feed.partner)
            for entry, key, value in await self._written(feed, entries):
                day = int(midnight(entry.written).timestamp() * 1000)  # the time of the record is a day as well
                sent.append(await producer.send(topic, value, key, partition=0, timestamp_ms=day, headers=HEADERS))
                last = entry.sequence
            if sent:
                feed.move_to(max(each.offset for each in await asyncio.gather(*sent)) + 1)
            delivered.append((feed, last))
        await producer.commit_transaction()
        return delivered

    async def _written(
        self, feed: FeedPosition, entries: Sequence[LedgerEntry]
    ) -> list[tuple[LedgerEntry, bytes, bytes]]:
        """Each entry with its record, by the consent of this moment. One that cannot be written stops its feed."""
        written, number = list[tuple[LedgerEntry, bytes, bytes]](), feed.last + 1
        try:
            consents = await consenting(self._store, feed.programme, {each.worker for each in entries if each.worker})
            for entry in entries:
                number = entry.sequence
                written.append((entry, *record(entry, feed.programme, consents=entry.worker in consents)))
        except UNREADABLE:
            feed.stop(f"entry {number} cannot be written")
        return written

    async def _note(self, feed: FeedPosition) -> None:
        delivered = Delivered(partner=feed.partner, delivered=feed.last, stopped=feed.stopped)
        await self._deliveries.note(feed.programme, delivered)
