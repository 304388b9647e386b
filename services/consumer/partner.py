"""A consumer as a partner writes one: what to do with each entry, a store of its own, and the feed.

Invariant: where it reads on is what its store says; Kafka is told how far it is so that others can see it, and is never asked.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from services.consumer.anew import Report, build_anew
from services.consumer.feed import Feed, FeedStopped, NotThere
from services.consumer.stores import Kept, Store, Transaction, transact
from services.consumer.taker import BATCH, Superseded, Taker, live
from services.events.delivery.declare import Projection, Reactions

log = logging.getLogger(__name__)
LOOK = 5.0  # seconds between looks at what waits, and at a ledger that stands still
RECONNECT = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is: entries it has not taken, entries that wait or are dead, and why it stands still, if it does."""

    behind: int
    aside: int
    stopped: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that failed (or waits: then `why` begins with "not yet"), and how many of its person wait behind it."""

    sequence: int
    why: str
    since: str
    behind: int
    entry: dict[str, Any]


class Consumer:
    """Take each entry of a feed once: give it a `Projection`, or `Reactions` and a name. Without `feed` it is the environment's."""

    def __init__(
        self, what: Projection | Reactions, store: Store, feed: Feed | None = None, *, name: str | None = None
    ) -> None:
        self._what, self._store, self._feed = what, store, feed
        self.name = name or (what.name if isinstance(what, Projection) else "")
        if not self.name:
            raise TypeError("a consumer of functions needs a name, under which its marks are kept: Consumer(…, name=…)")

    @property
    def feed(self) -> Feed:
        """What it reads. FeedStopped when the environment does not say."""
        self._feed = self._feed or Feed.from_environment()
        return self._feed

    async def run(self) -> None:
        """Take what is there and what comes, for ever. FeedStopped when it cannot go on by itself."""
        while True:
            try:
                await self._follow(await self._taker())
            except Superseded:
                log.warning("%s was built anew: reading on in the new generation", self.name)
            except NotThere as reason:
                log.warning("%s Looked for again every %.0f s.", reason, RECONNECT)
                await asyncio.sleep(RECONNECT)
            except TopicAuthorizationFailedError as error:
                raise FeedStopped(f"{self.feed.user} may not read {self.feed.topic} any more.") from error
            except (KafkaError, OSError) as error:
                log.warning(
                    "Kafka at %s is away or refuses to log %s in; tried again: %r",
                    self.feed.kafka,
                    self.feed.user,
                    error,
                )
                await asyncio.sleep(RECONNECT)

    async def lag(self) -> Lag:
        """How far it is now, whether or not it runs."""
        last = await self.feed.last()

        async def look(transaction: Transaction) -> Lag:
            own = f"{self.name}.g{await live(transaction, self.name)}"
            marks = await transaction.recall("mark", [f"{own}|{last.source}"] if last else [])
            waiting = await transaction.browse("waiting", f"{own}|")
            stopped = await transaction.recall("stopped", [own])
            taken = sum(int(mark["sequence"]) for mark in marks.values())
            aside = sum(len(each["entries"]) for each in waiting.values())
            return Lag(last.sequence - taken if last else 0, aside, stopped[own]["why"] if stopped else None)

        return await transact(self._store, look)

    async def dead(self) -> list[DeadLetter]:
        """What is set aside, in the order of the feed."""

        async def look(transaction: Transaction) -> dict[str, Kept]:
            return await transaction.browse("waiting", f"{self.name}.g{await live(transaction, self.name)}|")

        waiting, letters = await transact(self._store, look), []
        for each in waiting.values():
            first, *behind = each["entries"]
            letters.append(
                DeadLetter(first["sequence"], each["why"], each["since"], len(behind), orjson.loads(first["text"]))
            )
        return sorted(letters, key=lambda letter: letter.sequence)

    async def redrive(self, sequence: int) -> bool:
        """Try it again, and what waits behind it; whether something waits at this place. What fails again stays, with the new reason."""
        return await (await self._taker()).within(lambda ledger: ledger.redrive(sequence))

    async def dismiss(self, sequence: int) -> bool:
        """Let it have no effect, also when the projection is built anew; what waits behind it goes on."""
        return await (await self._taker()).within(lambda ledger: ledger.dismiss(sequence))

    async def rebuild(self, report: Report = lambda _done, _there: None) -> int:
        """Build the projection anew from the first entry, beside the live one, which may run meanwhile; when level, switch readers over.

        `report(done, there)` tells progress, in records. Returns the generation that is read now. TypeError for functions: what they did
        is not the kit's to undo.
        """
        if not isinstance(self._what, Projection):
            raise TypeError("only a projection can be built anew")
        return await build_anew(self._what, self.name, self._store, self.feed, report)

    async def _follow(self, taker: Taker) -> None:
        looked = time.monotonic()
        async with self.feed.reading(await self._offset(taker), self.feed.group(self.name)) as reader:
            while True:
                if await self._turn(reader, taker) == 0 and time.monotonic() - looked > LOOK:
                    await taker.retry()
                    looked = time.monotonic()

    async def _turn(self, reader: AIOKafkaConsumer, taker: Taker) -> int:
        """Take the next batch; how many records that were."""
        found = await reader.getmany(self.feed.partition, timeout_ms=500, max_records=BATCH)
        records = found.get(self.feed.partition, [])
        if not records:
            return 0
        taken = await taker.take([(each.offset, each.value) for each in records])
        if taken.stopped is not None:
            log.error("%s stands still at %s: %s", self.name, self.feed.topic, taken.stopped)
            reader.seek(self.feed.partition, 0)  # what is missing may be elsewhere: the topic may be a new one
            await asyncio.sleep(LOOK)
        elif self.feed.group(self.name):
            await self._show(reader, records[-1].offset + 1)
        return len(records)

    async def _show(self, reader: AIOKafkaConsumer, offset: int) -> None:
        try:
            await reader.commit({self.feed.partition: offset})
        except KafkaError as error:  # it is for watching: the entries are taken
            log.warning("Kafka does not note how far %s is: %r", self.name, error)

    async def _taker(self) -> Taker:
        generation = await transact(self._store, lambda transaction: live(transaction, self.name))
        return Taker(self._what, self.name, self._store, generation)

    async def _offset(self, taker: Taker) -> int:
        marks = await transact(self._store, lambda transaction: transaction.browse("mark", f"{taker.own}|"))
        return max((int(mark["offset"]) for mark in marks.values()), default=0)
