"""A consumer that runs: batches from the bus, each in one transaction, retried, halved, and at last buried, one event at a time.

Invariants: nothing is acknowledged but by the transaction that took it; on assignment a partition is read from the offset kept with the
effects; one that was refilled after a loss is read again from its first record, and marks drop what was taken; whatever escapes stops
the process, since FastStream would go on with the next batch; many subjects failing one after the other stop it too, because that is a
bad deploy and not a bad event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka import KafkaBroker

from services.acknowledged import generation_of
from services.bus import Bus, Records
from services.consumer import Effect, Letter, Spoiled, Turn, take
from services.inbox import Inbox, now_utc
from services.store import Session, Store, UpdateOne, backoff, passes
from services.telemetry import Metrics

log = logging.getLogger(__name__)
ATTEMPTS = 5
ALIKE = 25  # subjects buried one after the other, without a success between
LOOK = 5.0  # seconds for a look at how far it is
PARKED_EVERY = 0.1  # seconds between looks at what is parked
BACK = 16  # records: so far before its place a reader begins, to see whether what stands there is what stood there


class TooManyFailures(Exception):
    """One sentence for the operator of the system: every event fails, so no event is at fault."""


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
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _burials: int = 0
    _parked: bool = True
    _subscriber: Any = None
    _task: asyncio.Task[None] | None = None
    _generations: dict[tuple[str, int], int] = field(default_factory=dict)

    async def run_on(self, broker: KafkaBroker) -> None:
        """Subscribe, and start."""
        self._subscriber = self.bus.subscribe(broker, self.topics, f"{self.store.name}.{self.name}", self._batch, self)
        await self._subscriber.start()
        self._task = asyncio.create_task(self._look_at_parked(), name=f"parked of {self.name}")

    async def stop(self) -> None:
        """Finish the batch in hand and leave the group."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._subscriber is not None:
            async with self._lock:
                await self._subscriber.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to do: a batch in hand either commits where it stood, or finds that another copy did."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read on from where the effects are."""
        wanted = [self._place(each.topic, each.partition) for each in assigned]
        kept = await self.store.by_id("offsets", wanted)
        for each in assigned:
            stored = kept.get(self._place(each.topic, each.partition), {})
            self._generations[each.topic, each.partition] = stored.get("generation", 0)
            self._subscriber.consumer.seek(each, max(0, stored.get("next", 0) - BACK))

    def _place(self, topic: str, partition: int) -> str:
        return f"{self.name}|{topic}|{partition}"

    async def level(self) -> tuple[int, int]:
        """How many records were read of how many there are now, over the partitions this copy holds."""
        consumer = self._subscriber.consumer
        if consumer is None:
            return 0, 1
        held = list(consumer.assignment())
        try:
            async with asyncio.timeout(LOOK):  # a partition that is just being handed over has no position to wait for
                ends = await consumer.end_offsets(held) if held else {}
                async with self._lock:
                    read = [min(await consumer.position(each), ends[each]) for each in held]
        except (TimeoutError, IllegalStateError):
            return 0, 1
        return sum(read), sum(ends.values()) if held else 1

    async def behind(self) -> int:
        """How many records of the partitions this copy holds it has not read; 0 when it holds none."""
        read, there = await self.level()
        return max(0, there - read) if self._subscriber.consumer and self._subscriber.consumer.assignment() else 0

    async def caught_up(self) -> bool:
        """Whether everything that was there at this moment is taken and nothing waits its turn."""
        read, there = await self.level()
        waiting = await self.store["parked"].find_one({"c": self.name, "why": {"$regex": "^not yet"}})
        return read >= there and waiting is None

    async def _batch(self, records: Records) -> None:
        letters = [Letter(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
        try:
            async with self._lock:
                anew = await self._begin_anew(letters)
                await self._take([each for each in letters if (each.topic, each.partition) not in anew])
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # FastStream would swallow it and go on
            self.fatal(error)
            await asyncio.Event().wait()

    async def _begin_anew(self, letters: Sequence[Letter]) -> set[tuple[str, int]]:
        """The partitions that were refilled since they were read: what was before this reader's place may be new to it."""
        found: dict[tuple[str, int], int] = {}
        for each in letters:
            place = (each.topic, each.partition)
            found[place] = max(found.get(place, 0), generation_of(each))
        anew = {place: made for place, made in found.items() if made > self._generations.get(place, 0)}
        for (topic, partition), made in anew.items():
            log.warning(
                "partition was refilled: reading it again",
                extra={"consumer": self.name, "topic": topic, "partition": partition},
            )
            start = {"topic": topic, "partition": partition, "next": 0, "generation": made}
            write = UpdateOne({"_id": self._place(topic, partition)}, {"$set": start}, upsert=True)
            await self.store.transaction(partial(self.store.write, "offsets", [write]))
            self._generations[topic, partition] = made
            self._subscriber.consumer.seek(TopicPartition(topic, partition), 0)
        return set(anew)

    async def _take(self, letters: Sequence[Letter], keys: Sequence[str] = ()) -> None:
        """All of it in one transaction; what fails by itself is found by halving."""
        for attempt in range(ATTEMPTS):
            try:
                await self._once(letters, keys)
            except Exception as error:
                if passes(error):
                    log.warning("transaction tried again", extra={"consumer": self.name, "error": repr(error)[:300]})
                    if attempt < 2 or len(letters) + len(keys) == 1:
                        await asyncio.sleep(backoff(attempt + 5, cap=5.0))
                        return await self._take(letters, keys)
                if len(letters) + len(keys) > 1:
                    return await self._halve(letters, keys)
                log.warning("event failed", extra={"consumer": self.name, "attempt": attempt + 1}, exc_info=error)
                if attempt + 1 == ATTEMPTS:
                    return await self._bury(letters, keys, error)
                await asyncio.sleep(backoff(attempt + 3))
            else:
                return None
        return None

    async def _halve(self, letters: Sequence[Letter], keys: Sequence[str]) -> None:
        if keys:
            middle = len(keys) // 2 or len(keys)
            for part in (keys[:middle], keys[middle:]):
                if part:
                    await self._take((), part)
        if letters:
            middle = len(letters) // 2 or len(letters)
            for some in (letters[:middle], letters[middle:]):
                if some:
                    await self._take(some)

    async def _bury(self, letters: Sequence[Letter], keys: Sequence[str], error: Exception) -> None:
        self._burials += 1
        if self._burials >= ALIKE:
            raise TooManyFailures(
                f"{self.name} stopped: {self._burials} subjects failed one after the other, the last with {error!r}. "
                "That is not one bad event; mend the service and start it again."
            ) from error
        await self._once(letters, keys, doom=f"{type(error).__name__}: {error}"[:500])

    async def _once(self, letters: Sequence[Letter], keys: Sequence[str], doom: str | None = None) -> None:
        spoiled: dict[str, str] = {}

        async def body(session: Session) -> tuple[Turn, int]:
            effect, end = self.start(session)
            turn = await take(letters, Inbox(self.name, self.store, session), effect, now_utc(), keys, doom, spoiled)
            return turn, await end() or 0

        turn, said = None, 0
        while turn is None:
            try:
                turn, said = await self.store.transaction(body)
            except Spoiled as waiting:
                spoiled[waiting.event] = waiting.why
        counts = turn.tally.counts
        if counts.get("taken"):
            self._burials = 0
        self._parked = self._parked or bool(counts.get("parked") or counts.get("still parked"))
        self.metrics.took(self.name, counts)
        self.metrics.said(said)

    async def _look_at_parked(self) -> None:
        """Try again what waits for something that came by another road."""
        while True:
            await asyncio.sleep(PARKED_EVERY if self._parked else 2.0)
            try:
                await self._retry_due()
            except Exception as error:  # noqa: BLE001  # told to the process, which ends or begins again
                if not passes(error):
                    self.fatal(error)
                    return

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
