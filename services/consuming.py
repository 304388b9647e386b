"""A consumer that runs: batches from the bus, each in one transaction; what goes wrong is tried in halves, at last one event at a time.

Invariants: nothing is acknowledged but by the transaction that took it; on assignment a partition is read from the offset kept with the
effects; one that was refilled after a loss is read again from its first record, and marks drop what was taken; an engine's failure is
waited out and never counts against an event; whatever escapes stops the process, since FastStream would go on with the next batch; many
subjects failing one after the other stop it too, because that is a bad deploy and not a bad event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka import KafkaBroker

from services.acknowledged import generation_of
from services.bus import Bus, Records, failure_of
from services.consumer import Effect, Letter, Spoiled, Turn, take
from services.dead import withdraw
from services.failures import Row, TooManyFailures, reason_of
from services.inbox import Inbox, now_utc
from services.store import PyMongoError, Session, Store, UpdateOne, backoff, passes
from services.telemetry import Metrics

log = logging.getLogger(__name__)
ATTEMPTS = 5
PATIENCE = 5.0  # seconds in which a batch is tried as it is, before it is tried in halves
LOOK = 5.0  # seconds for a look at how far it is
PARKED_EVERY = 0.1  # seconds between looks at what is parked
BACK = 16  # records: so far before its place a reader begins, to see whether what stands there is what stood there
T = TypeVar("T")
Start = Callable[[Session], tuple[Effect, Callable[[], Awaitable[Any]]]]


@dataclass(eq=False)
class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One consumer of one service: `start` makes the effect of one transaction, and what ends it."""

    name: str
    topics: Sequence[str]
    store: Store
    bus: Bus
    start: Start
    metrics: Metrics
    fatal: Callable[[BaseException], None]
    alike: int  # subjects failing one after the other that stop it; 0: none do
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _row: Row = field(init=False)
    _parked: bool = True
    _in_hand: int = 0
    _subscriber: Any = None
    _task: asyncio.Task[None] | None = None
    _generations: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._row = Row(self.name, self.alike)

    async def run_on(self, broker: KafkaBroker) -> None:
        """Subscribe, and start."""
        self._subscriber = self.bus.subscribe(broker, self.topics, f"{self.store.name}.{self.name}", self._batch, self)
        await self._subscriber.start()
        self._task = asyncio.create_task(self._look_at_parked(), name=f"parked of {self.name}")

    async def stop(self) -> None:
        """Finish the batch in hand, unless it waits for an engine or has failed, and leave the group."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._subscriber is not None:
            async with self._lock:
                pass  # the batch in hand is done; one that comes now is left, and must not wait for the lock
            await self._subscriber.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to do: a batch in hand either commits where it stood, or finds that another copy did."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read on from where the effects are. Until that is known nothing is read, or it would be from a place of aiokafka's own."""
        consumer = self._subscriber.consumer
        consumer.pause(*assigned)
        wanted = [self._place(each.topic, each.partition) for each in assigned]
        try:
            kept = await self._patiently(partial(self.store.by_id, "offsets", wanted))
            for each in assigned:
                stored = kept.get(self._place(each.topic, each.partition), {})
                self._generations[each.topic, each.partition] = stored.get("generation", 0)
                consumer.seek(each, max(0, stored.get("next", 0) - BACK))
            consumer.resume(*assigned)
        except Exception as error:
            if not self._stopping.is_set():
                self.fatal(error)  # aiokafka would swallow it, and leave them paused for ever
            raise

    async def places(self) -> dict[tuple[str, int], int]:
        """What it reads next of each partition this copy holds, between two batches, however long one takes."""
        consumer = self._subscriber.consumer
        async with self._lock:
            return {each: await consumer.position(each) for each in (consumer.assignment() if consumer else ())}

    def _place(self, topic: str, partition: int) -> str:
        return f"{self.name}|{topic}|{partition}"

    async def level(self) -> tuple[int, int]:
        """How many records were taken of how many there are now, over the partitions this copy holds. Waits for no batch: it may hang."""
        if (consumer := self._subscriber.consumer) is None:
            return 0, 1
        held = list(consumer.assignment())
        try:
            async with asyncio.timeout(LOOK):  # a partition that is just being handed over has no position to wait for
                ends = await consumer.end_offsets(held) if held else {}
                read = [min(await consumer.position(each), ends[each]) for each in held]
        except (TimeoutError, IllegalStateError):
            return 0, 1
        return max(0, sum(read) - self._in_hand), sum(ends.values()) if held else 1

    def holds_all(self) -> bool:
        """Whether it holds of every topic: what Kafka's metadata lacks at first comes with a later assignment, and counts for nothing
        in `level` until then."""
        consumer = self._subscriber.consumer
        return consumer is not None and {each.topic for each in consumer.assignment()} >= {*self.topics}

    async def behind(self) -> int:
        """How many records of the partitions this copy holds it has not taken; 0 when it holds none."""
        read, there = await self.level()
        return max(0, there - read) if self._subscriber.consumer and self._subscriber.consumer.assignment() else 0

    async def caught_up(self) -> bool:
        """Whether everything that was there at this moment is taken and nothing waits its turn."""
        read, there = await self.level()
        waiting = await self.store["parked"].find_one({"c": self.name, "why": {"$regex": "^not yet"}})
        return read >= there and waiting is None

    async def _batch(self, records: Records) -> None:
        letters = [Letter(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
        self._in_hand = len(letters)
        try:
            async with self._lock:
                if not self._stopping.is_set():
                    anew = await self._begin_anew(letters)
                    await self._take([each for each in letters if (each.topic, each.partition) not in anew])
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # FastStream would swallow it and go on
            self.fatal(error)
            await self._stopping.wait()
        finally:
            self._in_hand = 0

    async def _begin_anew(self, letters: Sequence[Letter]) -> set[tuple[str, int]]:
        """The partitions that were refilled since they were read: what was before this reader's place may be new to it."""
        found: dict[tuple[str, int], int] = {}
        for each in letters:
            place = (each.topic, each.partition)
            found[place] = max(found.get(place, 0), generation_of(each))
        anew = {place: made for place, made in found.items() if made > self._generations.get(place, 0)}
        for (topic, partition), made in anew.items():
            where: dict[str, Any] = {"topic": topic, "partition": partition}
            log.warning("partition was refilled: reading it again", extra={"consumer": self.name, **where})
            start = {**where, "next": 0, "generation": made}
            write = UpdateOne({"_id": self._place(topic, partition)}, {"$set": start}, upsert=True)
            await self._patiently(partial(self.store.transaction, partial(self.store.write, "offsets", [write])))
            self._generations[topic, partition] = made
            self._subscriber.consumer.seek(TopicPartition(topic, partition), 0)
        return set(anew)

    async def _take(self, letters: Sequence[Letter], keys: Sequence[str] = ()) -> None:
        """All of it in one transaction. Whatever goes wrong with several is tried again in halves: so what fails by itself is found, and
        what was too much for one transaction, in time or in size, becomes less."""
        try:
            await self._once(letters, keys)
        except TooManyFailures:
            raise
        except Exception as error:  # noqa: BLE001  # tried again, in parts
            self._tell("batch is tried in halves, or its events one by one", error)
            if len(letters) + len(keys) > 1:
                await self._halve(letters, keys)
            else:
                await self._alone(letters, keys)

    async def _halve(self, letters: Sequence[Letter], keys: Sequence[str]) -> None:
        middle = len(keys) // 2 or len(keys)
        for part in (keys[:middle], keys[middle:]):
            if part:
                await self._take((), part)
        middle = len(letters) // 2 or len(letters)
        for some in (letters[:middle], letters[middle:]):
            if some:
                await self._take(some)

    async def _alone(self, letters: Sequence[Letter], keys: Sequence[str]) -> None:
        """One event a transaction, then one by one what was parked behind it, so that a failure is the one event's whose turn it is.
        What passes is waited out and does not count."""
        doom, failures, waits = None, 0, 0
        while letters or keys:
            try:
                turn = await self._once(letters, keys, limit=1, doom=doom)
            except TooManyFailures:
                raise
            except Exception as error:
                if passes(error):
                    waits += 1
                    self._tell("event waits for an engine", error)
                    await self._pause(backoff(waits + 5, cap=5.0))
                    continue
                if doom is not None:
                    raise  # what cannot even be buried
                failures += 1
                log.warning("event failed", extra={"consumer": self.name, "attempt": failures}, exc_info=error)
                doom = reason_of(error) if failures >= ATTEMPTS else None
                await self._pause(backoff(failures + 3))
            else:
                letters, keys, doom, failures, waits = (), turn.put_off, None, 0, 0

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, however long an engine is away."""
        waits = 0
        while True:
            try:
                return await work()
            except PyMongoError as error:
                if not passes(error):
                    raise
                self._tell("waiting for an engine", error)
                waits += 1
                await self._pause(backoff(waits + 5, cap=5.0))

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try. Who stops meanwhile leaves everything as it is: what was not taken comes again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise asyncio.CancelledError

    def _tell(self, what: str, error: Exception, **more: Any) -> None:
        log.warning(what, extra={"consumer": self.name, "error": type(error).__name__, **more})

    async def _once(
        self, letters: Sequence[Letter], keys: Sequence[str], limit: int | None = None, doom: str | None = None
    ) -> Turn:
        spoiled: dict[str, str] = {}

        async def body(session: Session) -> tuple[Turn, int]:
            effect, end = self.start(session)
            desk = Inbox(self.name, self.store, session)
            turn = await take(letters, desk, effect, now_utc(), keys, doom, spoiled, limit)
            self._row.refuse(turn)
            return turn, await end() or 0

        while True:
            try:
                turn, said = await self.store.transaction(body, PATIENCE)
            except Spoiled as waiting:
                spoiled[waiting.event] = waiting.why
            except TooManyFailures:
                await self._take_back()
                raise
            else:
                self._took(turn, said)
                return turn

    async def _take_back(self) -> None:
        """What was buried in a row was not at fault either."""
        try:
            await withdraw(self.store, self.name, self._row.names)
        except PyMongoError as error:
            self._tell("dead letters are left for `ama dead redrive`", error, count=len(self._row.names))

    def _took(self, turn: Turn, said: int) -> None:
        """It is committed: count it, and tell what an operator must know of."""
        counts = turn.tally.counts
        self._row.took(turn)
        self._parked = self._parked or bool(counts.get("parked") or counts.get("still parked") or turn.put_off)
        self.metrics.took(self.name, counts)
        self.metrics.said(said)
        if turn.holes:
            log.warning(
                "events wait for a predecessor that is missing", extra={"consumer": self.name, "count": turn.holes}
            )
        for each in turn.dead:
            place = {"topic": each.letter.topic, "offset": each.letter.offset}
            log.error("dead letter: see `ama dead list`", extra={"consumer": self.name, **place})

    async def _look_at_parked(self) -> None:
        """Try again what waits for something that came by another road."""
        while True:
            await asyncio.sleep(PARKED_EVERY if self._parked else 2.0)
            if (dead := failure_of(self._subscriber.consumer)) is not None:
                self.fatal(dead)
                return
            try:
                await self._retry_due()
            except Exception as error:  # noqa: BLE001  # told to the process, which ends or begins again
                if not passes(error):
                    self.fatal(error)
                    return
                self._tell("what is parked cannot be looked at", error)

    async def _retry_due(self) -> None:
        waiting = {"c": self.name, "why": {"$regex": "^not yet"}}
        held = {(each.topic, each.partition) for each in self._subscriber.consumer.assignment()}
        due = self.store["parked"].find({**waiting, "retry": {"$lte": now_utc()}}).sort("retry", 1).limit(500)
        keys = [each["k"] async for each in due if (each["topic"], each["partition"]) in held]
        if keys:
            async with self._lock:
                await self._take((), list(dict.fromkeys(keys)))
        else:
            self._parked = await self.store["parked"].find_one(waiting) is not None
