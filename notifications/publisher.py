"""Partners' ledgers go out, each on its own topic: in order, without a gap, exactly once.

Invariants: where to go on is read from the topic itself, after every earlier producer was fenced, so that neither a death between
sending and remembering nor a frozen copy that wakes can repeat or skip a place; consent is asked again for every place that goes
out, and none goes out while what enrolment said is taken too late; a topic that lost its tail goes on where it ends now, so that
there is no gap in it; one that holds another ledger's records is left alone, loudly.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError

from notifications.commands import agreed_with
from notifications.domain import Entry
from notifications.ledger import midnight, record, topic_of
from notifications.punctuality import Punctuality
from notifications.store import consenting, note_delivery, place, places_after
from services.contracts import Topic
from services.contracts.topics import FEED
from services.events.bus.client import Bus, close_in_time
from services.events.outbox.restarts import RestartPolicy
from services.programmes import Programme
from services.runtime.service import Service
from services.store.lease import Lease, LeaseLost
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between looks when there is nothing new
MOST = 500  # places in one transaction
LOOK = 5.0  # seconds between looks at whether the topics still have what was put there
PATIENCE = 60.0  # seconds for a transaction; Kafka itself ends one after thirty
PUNCTUAL = 3.0  # seconds; a withdrawal of consent must be taken within them, or nothing goes out
HEADERS = [("content-type", b"application/cloudevents+json")]


@dataclass(slots=True)
class Delivery:
    """One ledger on its way: the last place on the topic, or why nothing more is put there."""

    programme: str
    partner: str
    last: int = 0
    end: int = 0  # the offset behind it on the topic
    stopped: str | None = None

    @property
    def partition(self) -> TopicPartition:
        """Where it goes."""
        return TopicPartition(topic_of(self.partner), 0)

    def holds(self, end: int) -> None:
        """The topic reaches so far. Raises TailLost when it had reached further."""
        if end < self.end:
            raise TailLost(f"{self.partition.topic} ends at {end}, not {self.end}")
        self.end = end


class TailLost(Exception):
    """A topic no longer has what it had acknowledged."""


async def publish(service: Service) -> None:
    """The worker that delivers. Any number may run; the holder of the lease does, and begins again after whatever goes wrong."""
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
                log.warning("publisher begins again", extra={"service": service.name, "error": repr(error)[:300]})
                await restarts.failed()
    finally:
        await lease.release()


class Publisher:
    """One life of the one that delivers: from fencing the one before to the first thing that goes wrong."""

    def __init__(self, service: Service, lease: Lease) -> None:
        self._store, self._bus, self._lease = service.store, service.bus, lease
        self._looked = 0.0
        self.deliveries = feeds_of(service.rules.values())
        self.topics = [
            Topic(topic_of(each.partner), service.name, partitions=FEED.partitions) for each in self.deliveries
        ]
        self.producer = (
            f"{service.settings.database}.{service.name}.feeds"  # the transactional id: who shares a ledger shares it
        )

    async def run(self) -> None:
        """Deliver until something fails; without any agreement there is nothing to do, for ever."""
        await self._bus.prepare(self.topics)
        await self._lease.keep()
        producer = self._bus.producer(self.producer)
        await producer.start()  # fences whoever sent before
        reader = self._bus.reader()
        try:
            await reader.start()
            await self._lease.keep()
            for delivery in self.deliveries:
                await self.find_place(delivery)
            async with Punctuality(self._store, self._bus, "ama.enrolment") as punctuality:
                while True:
                    await self._lease.keep()
                    await self.look(reader)
                    if not await self.deliver(producer, punctuality):
                        await asyncio.sleep(POLL)
        finally:
            await close_in_time(reader.stop)
            await producer.stop()

    async def look(self, reader: AIOKafkaConsumer) -> None:
        """Whether every topic still has what was put there. Raises TailLost."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < LOOK or not self.deliveries:
            return
        self._looked = now
        async with asyncio.timeout(LOOK):
            ends = await reader.end_offsets([each.partition for each in self.deliveries])
        for each in self.deliveries:
            each.holds(ends[each.partition])

    async def find_place(self, delivery: Delivery) -> None:
        """Where the topic ends, and whether it is this ledger that it holds."""
        last = await last_record(self._bus, topic_of(delivery.partner))
        delivery.end = 0 if last is None else last.offset + 1
        if last is not None:
            body = orjson.loads(last.value)
            delivery.last = int(body["sequence"])
            mine = await place(self._store, delivery.programme, delivery.partner, delivery.last)
            if mine is None or mine.event != body["id"]:
                delivery.stopped = f"the topic's place {delivery.last} is not of this ledger"
                log.error("feed stopped", extra={"partner": delivery.partner, "reason": delivery.stopped})
        await self._note(delivery)

    async def deliver(self, producer: AIOKafkaProducer, punctuality: Punctuality) -> bool:
        """Send what follows in every ledger, in one transaction; whether there was something, and it went out."""
        waiting = []
        for each in self.deliveries:
            if each.stopped is None:
                places = await places_after(self._store, each.programme, each.partner, each.last, MOST)
                waiting += [(each, places)] if places else []
        if not waiting or await punctuality.behind(PUNCTUAL):
            return False
        async with asyncio.timeout(PATIENCE):
            await self._send(producer, waiting)
        for delivery, places in waiting:
            delivery.last = places[-1].sequence
            await self._note(delivery)
        return True

    async def _send(self, producer: AIOKafkaProducer, waiting: Sequence[tuple[Delivery, list[Entry]]]) -> None:
        """These places, in one transaction."""
        await producer.begin_transaction()
        for delivery, places in waiting:
            sent = []
            told = await consenting(self._store, delivery.programme, {entry.worker for entry in places if entry.worker})
            for entry in places:
                key, value = record(entry, delivery.programme, told=entry.worker in told)
                written = int(midnight(entry.written).timestamp() * 1000)  # the record's own time is a day as well
                topic = topic_of(delivery.partner)
                sent.append(await producer.send(topic, value, key, partition=0, timestamp_ms=written, headers=HEADERS))
            delivery.holds(max(each.offset for each in await asyncio.gather(*sent)) + 1)
        await producer.commit_transaction()

    async def _note(self, delivery: Delivery) -> None:
        await note_delivery(self._store, delivery.programme, delivery.partner, delivery.last, delivery.stopped)


def feeds_of(programmes: Iterable[Programme]) -> list[Delivery]:
    """One per partner with an agreement; a partner belongs to one programme."""
    return [
        Delivery(rules.id, each.id) for rules in programmes for each in rules.partners if agreed_with(each.id, rules)
    ]


async def last_record(bus: Bus, topic: str) -> ConsumerRecord | None:
    """The last committed record of the topic's one partition. What ends a partition is mostly a marker, or what was aborted; so
    look ever further back until a record is found."""
    partition, reader = TopicPartition(topic, 0), bus.reader(isolation_level="read_committed")
    await reader.start()
    try:
        reader.assign([partition])
        end, back = (await reader.end_offsets([partition]))[partition], 8
        while end:
            start = max(0, end - back)
            reader.seek(partition, start)
            last = None
            while await reader.position(partition) < end:
                for each in (await reader.getmany(partition, timeout_ms=500)).get(partition, []):
                    last = each
            if last is not None or start == 0:
                return last
            back *= 8
        return None
    finally:
        await reader.stop()
