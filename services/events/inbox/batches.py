"""A consumer's batches: each in one transaction; one that fails is tried in halves, and at last one event at a time.

Invariants: an engine's failure is waited out and never counts against an event. Many subjects failing one after the other stop the
consumer, because that is a bad deploy and not a bad event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.events.delivery.declare import Deferred
from services.events.delivery.state import BatchResult, Record
from services.events.delivery.take import take
from services.events.delivery.unread import bury_unread
from services.events.inbox.dead_letters import withdraw
from services.events.inbox.failures import FailureRun, TooManyFailures, reason_of
from services.events.inbox.memory import Memory
from services.events.inbox.progress import Progress
from services.events.inbox.skipping import skip
from services.events.inbox.state import Inbox
from services.store.clock import now_utc
from services.store.errors import backoff, is_transient
from services.store.mongo import PyMongoError, Store, Transaction
from services.telemetry import Metrics

log = logging.getLogger(__name__)
ATTEMPTS = 5
PATIENCE = 5.0  # seconds in which a batch is tried whole, before it is tried in halves
T = TypeVar("T")
Taking = Callable[..., Awaitable[BatchResult]]
Start = Callable[[Transaction], tuple[Any, Callable[[], Awaitable[Any]]]]


@dataclass(eq=False)
class Batches:
    """Batches of one consumer. `start` makes the effect of one transaction, as `taking` uses it, and the function that ends it."""

    name: str
    store: Store
    start: Start
    metrics: Metrics
    alike: int  # subjects failing one after the other that stop the consumer; 0: it never stops
    taking: Taking = take  # the order in which events take effect
    concerns: Callable[[Record], bool] | None = None  # False: the record is none of this consumer's; None: all are
    parked: bool = True  # an event may be parked that is tried again
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    memory: Memory = field(default_factory=Memory)
    progress: Progress = field(default_factory=Progress)
    _failures: FailureRun = field(init=False)

    def __post_init__(self) -> None:
        self._failures = FailureRun(self.name, self.alike)

    async def take(self, records: Sequence[Record], keys: Sequence[str] = ()) -> None:
        """Take these records, and what is parked under these keys, in one transaction; when it fails, in halves.

        Halving finds the event that fails by itself. It also shrinks what is too large or too slow for one transaction.
        """
        try:
            if not await self._skip(records, keys):
                await self._once(records, keys)
        except TooManyFailures:
            raise
        except Exception as error:  # noqa: BLE001  # tried again, in parts
            self.warn("batch is tried in halves, or its events one by one", error)
            if len(records) + len(keys) > 1:
                await self._halve(records, keys)
            else:
                await self._alone(records, keys)

    async def _skip(self, records: Sequence[Record], keys: Sequence[str]) -> bool:
        """Pass over records of which none concerns this consumer. False: they have to be taken."""
        if self.concerns is None or keys or any(self.concerns(each) for each in records):
            return False
        if (result := await skip(self.name, self.store, self.memory, records)) is not None:
            self._committed(result, 0)
        return result is not None

    async def _halve(self, records: Sequence[Record], keys: Sequence[str]) -> None:
        # Parked events first: new records of their subjects come behind them.
        middle = len(keys) // 2 or len(keys)
        for part in (keys[:middle], keys[middle:]):
            if part:
                await self.take((), part)
        middle = len(records) // 2 or len(records)
        for some in (records[:middle], records[middle:]):
            if some:
                await self.take(some)

    async def _alone(self, records: Sequence[Record], keys: Sequence[str]) -> None:
        """Take one event per transaction, then one by one what was parked behind it: a failure is then that of the one event tried.
        A transient error is waited out and does not count. A record that cannot even be buried is given up unread."""
        failure, failures, waits, taking = None, 0, 0, self.taking
        while records or keys:
            try:
                result = await self._once(records, keys, limit=1, failure=failure, taking=taking)
            except TooManyFailures:
                raise
            except Exception as error:
                if is_transient(error):
                    waits += 1
                    self.warn("event waits for an engine", error)
                    await self._pause(backoff(waits + 5, cap=5.0))
                    continue
                if taking is bury_unread or (failure is not None and not records):
                    raise  # not even the dead letter can be written
                if failure is not None:
                    taking = bury_unread
                    continue
                failures += 1
                log.warning("event failed", extra={"consumer": self.name, "attempt": failures}, exc_info=error)
                failure = reason_of(error) if failures >= ATTEMPTS else None
                await self._pause(backoff(failures + 3))
            else:
                records, keys, failure, failures, waits, taking = (), result.postponed, None, 0, 0, self.taking

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work` until no transient error of MongoDB stops it. Other errors are raised."""
        waits = 0
        while True:
            try:
                return await work()
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                self.warn("waiting for an engine", error)
                waits += 1
                await self._pause(backoff(waits + 5, cap=5.0))

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try. A stop during the pause leaves all as it is: records that were not taken are delivered again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
            raise asyncio.CancelledError

    # Only the type of the error is logged: its text may quote a person.
    def warn(self, what: str, error: Exception, **more: Any) -> None:
        log.warning(what, extra={"consumer": self.name, "error": type(error).__name__, **more})

    async def _once(
        self,
        records: Sequence[Record],
        keys: Sequence[str],
        limit: int | None = None,
        failure: str | None = None,
        taking: Taking | None = None,
    ) -> BatchResult:
        take_them = taking or self.taking
        deferred: dict[str, str] = {}

        async def body(session: Transaction) -> tuple[Inbox, BatchResult, int]:
            # Made anew for each attempt: an aborted one leaves its changes in memory.
            effect, end = self.start(session)
            # Without a record no offset moves, and nothing would conflict where something else is true by now.
            state = Inbox(self.name, self.store, session, effect.unit, self.memory.lend() if records else None)
            result = await take_them(records, state, effect, now_utc(), keys, failure, deferred, limit)
            # Before the commit: what fails because of a bad deploy must not be stored.
            self._failures.check(result)
            return state, result, await end() or 0

        while True:
            try:
                state, result, published = await self.store.transaction(body, PATIENCE)
            except Deferred as waiting:
                # All of it again, without this event: its handler had already changed something.
                deferred[waiting.event] = waiting.why
            except TooManyFailures:
                await self._withdraw()
                raise
            else:
                # Only now: an attempt that was rolled back counts nothing.
                if records:
                    self.memory.keep(state.learned(result))
                else:
                    self.memory.forget()
                self._committed(result, published)
                return result

    async def _withdraw(self) -> None:
        """Take back the dead letters of the run: no event of it was at fault either."""
        try:
            await withdraw(self.store, self.name, self._failures.names)
        except PyMongoError as error:
            # The caller raises the reason for the stop, which an operator must see also when MongoDB is away.
            self.warn("dead letters are left for `ama dead redrive`", error, count=len(self._failures.names))

    def _committed(self, result: BatchResult, published: int) -> None:
        """Count it, and log what an operator must know."""
        counts = result.tally.counts
        self.progress.reached(result.before | result.offsets)
        self._failures.add(result)
        self.parked = self.parked or bool(counts.get("parked") or counts.get("still parked") or result.postponed)
        self.metrics.took(self.name, counts)
        self.metrics.recorded(published)
        if result.gaps:
            log.warning(
                "events wait for a predecessor that is missing", extra={"consumer": self.name, "count": result.gaps}
            )
        for each in result.dead:
            place = {"topic": each.record.topic, "offset": each.record.offset}
            log.error("dead letter: see `ama dead list`", extra={"consumer": self.name, **place})
