"""A partner's consumer: its projection or functions, its own store, and the feed.

Invariant: it reads on from the offset in its store. It commits offsets to Kafka only so that others can see its lag.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from services.consumer.feed import Feed, FeedStopped, NotThere
from services.consumer.rebuild import Report, rebuild_beside
from services.consumer.stores import Kept, Store, Transaction, transact
from services.consumer.taker import BATCH, Superseded, Taker, live
from services.events.delivery.declare import Projection, Reactions
from services.events.delivery.state import ParkedStatus

log = logging.getLogger(__name__)
LOOK = 5.0  # seconds between tries of waiting entries, and of a ledger that is stopped
RECONNECT = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Lag:
    """Lag of a consumer: entries not taken, entries set aside (they wait or are dead), and the reason why it is stopped, if so."""

    behind: int
    aside: int
    stopped: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that is set aside, and the number of its person's entries that wait `behind` it. `status`: NOT_YET (it is tried again by
    itself) or DEAD. `why` is a sentence for people."""

    sequence: int
    why: str
    since: str
    behind: int
    entry: dict[str, Any]
    status: ParkedStatus


class Consumer:
    """Takes each entry of a feed once: give it a `Projection`, or `Reactions` and a name. Without `feed`, the environment names it."""

    def __init__(
        self, what: Projection | Reactions, store: Store, feed: Feed | None = None, *, name: str | None = None
    ) -> None:
        self._what, self._store, self._feed = what, store, feed
        self.name = name or (what.name if isinstance(what, Projection) else "")
        if not self.name:
            raise TypeError("a consumer of functions needs a name, under which its marks are kept: Consumer(…, name=…)")

    @property
    def feed(self) -> Feed:
        """The feed that it reads. FeedStopped when the environment names none."""
        self._feed = self._feed or Feed.from_environment()
        return self._feed

    async def run(self) -> None:
        """Take entries for ever. FeedStopped when it cannot go on by itself."""
        told = ""
        while True:
            try:
                await self._follow(await self._taker())
            except Superseded:
                log.warning("%s was rebuilt: reading on in the new generation", self.name)
            except NotThere as reason:
                told = self._tell_once(told, f"{reason} Looked for again every {RECONNECT:.0f} s.")
                await asyncio.sleep(RECONNECT)
            except TopicAuthorizationFailedError as error:
                raise FeedStopped(f"{self.feed.user} may not read {self.feed.topic} any more.") from error
            except (KafkaError, OSError) as error:
                why = f"does not answer, or refuses {self.feed.user or 'a reader without a user'} ({type(error).__name__})"
                told = self._tell_once(told, f"Kafka at {self.feed.kafka} {why}: tried again every {RECONNECT:.0f} s.")
                await asyncio.sleep(RECONNECT)

    def _tell_once(self, before: str, sentence: str) -> str:
        """Log the sentence, unless it is the one before: it is met again every two seconds for as long as Kafka is away."""
        if sentence != before:
            log.warning("%s: %s", self.name, sentence)
        return sentence

    async def lag(self) -> Lag:
        """The lag now, also while it does not run."""
        last = await self.feed.last()

        async def look(transaction: Transaction) -> Lag:
            own = f"{self.name}.g{await live(transaction, self.name)}"
            marks = await transaction.recall("mark", [f"{own}|{last.source}"] if last else [])
            waiting = await transaction.browse("waiting", f"{own}|")
            stopped = await transaction.recall("stopped", [own])
            # Places and not offsets: markers of transactions have offsets as well, and are no entries.
            taken = sum(int(mark["sequence"]) for mark in marks.values())
            aside = sum(len(each["entries"]) for each in waiting.values())
            return Lag(last.sequence - taken if last else 0, aside, stopped[own]["reason"] if stopped else None)

        return await transact(self._store, look)

    async def dead(self) -> list[DeadLetter]:
        """The entries that are set aside, in the order of the feed."""

        async def look(transaction: Transaction) -> dict[str, Kept]:
            return await transaction.browse("waiting", f"{self.name}.g{await live(transaction, self.name)}|")

        waiting, found = await transact(self._store, look), []
        for each in waiting.values():
            first, *behind = each["entries"]
            status, entry = ParkedStatus(each["status"]), orjson.loads(first["text"])
            why = f"not yet: {each['reason']}" if status is ParkedStatus.NOT_YET else each["reason"]
            found.append(DeadLetter(first["sequence"], why, each["since"], len(behind), entry, status))
        return sorted(found, key=lambda each: each.sequence)

    async def redrive(self, sequence: int) -> bool:
        """Try an entry that is set aside again, and those behind it. One that fails again stays, with the new reason. Returns False when
        nothing is set aside at this place."""
        return await (await self._taker()).within(lambda ledger: ledger.redrive(sequence))

    async def dismiss(self, sequence: int) -> bool:
        """Exclude an entry that is set aside, also from every rebuild; those behind it go on. Returns False when nothing is set aside at
        this place."""
        return await (await self._taker()).within(lambda ledger: ledger.dismiss(sequence))

    async def rebuild(self, report: Report = lambda _done, _there: None) -> int:
        """Build the projection again from the first entry, beside the live one, which may run meanwhile; then switch readers over.

        `report(done, there)` tells progress in records. Returns the generation that is read now. TypeError for functions: the kit cannot
        undo their effects.
        """
        if not isinstance(self._what, Projection):
            raise TypeError("only a projection can be rebuilt")
        return await rebuild_beside(self._what, self.name, self._store, self.feed, report)

    async def _follow(self, taker: Taker) -> None:
        looked = time.monotonic()
        async with self.feed.reading(await self._offset(taker), self.feed.group(self.name)) as reader:
            while True:
                if await self._take_next(reader, taker) == 0 and time.monotonic() - looked > LOOK:
                    await taker.retry()
                    looked = time.monotonic()

    async def _take_next(self, reader: AIOKafkaConsumer, taker: Taker) -> int:
        """Take the next batch. Returns its number of records."""
        found = await reader.getmany(self.feed.partition, timeout_ms=500, max_records=BATCH)
        records = found.get(self.feed.partition, [])
        if not records:
            return 0
        taken = await taker.take([(each.offset, each.value) for each in records])
        if taken.stopped is not None:
            log.error("%s is stopped at %s: %s", self.name, self.feed.topic, taken.stopped)
            reader.seek(self.feed.partition, 0)  # the topic may be a new one, with the missing entry at another offset
            await asyncio.sleep(LOOK)
        elif self.feed.group(self.name):
            await self._show(reader, records[-1].offset + 1)
        return len(records)

    async def _show(self, reader: AIOKafkaConsumer, offset: int) -> None:
        try:
            await reader.commit({self.feed.partition: offset})
        except KafkaError as error:  # the entries are taken all the same
            log.warning("Kafka does not store the offset of %s: %r", self.name, error)

    async def _taker(self) -> Taker:
        generation = await transact(self._store, lambda transaction: live(transaction, self.name))
        return Taker(self._what, self.name, self._store, generation)

    async def _offset(self, taker: Taker) -> int:
        marks = await transact(self._store, lambda transaction: transaction.browse("mark", f"{taker.own}|"))
        return max((int(mark["offset"]) for mark in marks.values()), default=0)
