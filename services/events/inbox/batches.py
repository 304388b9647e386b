"""What a consumer does with a batch: one transaction; what goes wrong is tried in halves, at last one event at a time.

Invariants: an engine's failure is waited out and never counts against an event; many subjects failing one after the other stop the
consumer, because that is a bad deploy and not a bad event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.events.delivery.declare import Spoiled
from services.events.delivery.state import BatchResult, Effect, Letter
from services.events.delivery.take import take
from services.events.inbox.dead_letters import withdraw
from services.events.inbox.failures import Row, TooManyFailures, reason_of
from services.events.inbox.state import Inbox
from services.store.clock import now_utc
from services.store.errors import backoff, is_transient
from services.store.mongo import PyMongoError, Store, Transaction
from services.telemetry import Metrics

log = logging.getLogger(__name__)
ATTEMPTS = 5
PATIENCE = 5.0  # seconds in which a batch is tried as it is, before it is tried in halves
T = TypeVar("T")
Start = Callable[[Transaction], tuple[Effect, Callable[[], Awaitable[Any]]]]


@dataclass(eq=False)
class Batches:
    """Those of one consumer: `start` makes the effect of one transaction, and what ends it."""

    name: str
    store: Store
    start: Start
    metrics: Metrics
    alike: int  # subjects failing one after the other that stop it; 0: none do
    parked: bool = True  # whether something may wait for what came by another road
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _row: Row = field(init=False)

    def __post_init__(self) -> None:
        self._row = Row(self.name, self.alike)

    async def take(self, letters: Sequence[Letter], keys: Sequence[str] = ()) -> None:
        """All of it in one transaction. Whatever goes wrong with several is tried again in halves: so what fails by itself is found, and
        what was too much for one transaction, in time or in size, becomes less."""
        try:
            await self._once(letters, keys)
        except TooManyFailures:
            raise
        except Exception as error:  # noqa: BLE001  # tried again, in parts
            self.tell("batch is tried in halves, or its events one by one", error)
            if len(letters) + len(keys) > 1:
                await self._halve(letters, keys)
            else:
                await self._alone(letters, keys)

    async def _halve(self, letters: Sequence[Letter], keys: Sequence[str]) -> None:
        middle = len(keys) // 2 or len(keys)
        for part in (keys[:middle], keys[middle:]):
            if part:
                await self.take((), part)
        middle = len(letters) // 2 or len(letters)
        for some in (letters[:middle], letters[middle:]):
            if some:
                await self.take(some)

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
                if is_transient(error):
                    waits += 1
                    self.tell("event waits for an engine", error)
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

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, however long an engine is away."""
        waits = 0
        while True:
            try:
                return await work()
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                self.tell("waiting for an engine", error)
                waits += 1
                await self._pause(backoff(waits + 5, cap=5.0))

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try. Who stops meanwhile leaves everything as it is: what was not taken comes again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
            raise asyncio.CancelledError

    def tell(self, what: str, error: Exception, **more: Any) -> None:
        log.warning(what, extra={"consumer": self.name, "error": type(error).__name__, **more})

    async def _once(
        self, letters: Sequence[Letter], keys: Sequence[str], limit: int | None = None, doom: str | None = None
    ) -> BatchResult:
        spoiled: dict[str, str] = {}

        async def body(session: Transaction) -> tuple[BatchResult, int]:
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
            self.tell("dead letters are left for `ama dead redrive`", error, count=len(self._row.names))

    def _took(self, turn: BatchResult, said: int) -> None:
        """It is committed: count it, and tell what an operator must know of."""
        counts = turn.tally.counts
        self._row.took(turn)
        self.parked = self.parked or bool(counts.get("parked") or counts.get("still parked") or turn.put_off)
        self.metrics.took(self.name, counts)
        self.metrics.recorded(said)
        if turn.holes:
            log.warning(
                "events wait for a predecessor that is missing", extra={"consumer": self.name, "count": turn.holes}
            )
        for each in turn.dead:
            place = {"topic": each.letter.topic, "offset": each.letter.offset}
            log.error("dead letter: see `ama dead list`", extra={"consumer": self.name, **place})
