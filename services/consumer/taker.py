"""One generation of a consumer that takes entries: its transactions and retries, and the entries that it gives up.

Invariants: a transient error (an engine away, another writer) never counts against an entry. An entry that fails is tried `ATTEMPTS`
times and then set aside. `ALIKE` entries that die one after the other end the consumer, because then no entry is at fault. A taker that
follows the live generation writes nothing once another generation is live.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from services.consumer.feed import FeedStopped
from services.consumer.ledger import CLOSING, Cause, Effect, Failed, Ledger, Taken
from services.consumer.stores import Changes, Kept, Store, Transaction, transact
from services.contracts import Event
from services.contracts.envelope import read
from services.events.delivery.declare import Projection, Reactions
from services.events.delivery.state import ParkedStatus
from services.kernel import NotYet

log = logging.getLogger(__name__)
T = TypeVar("T")
BATCH = 500  # entries in one transaction
ATTEMPTS = 5
ALIKE = 25
PATIENCE = timedelta(minutes=30)  # for an entry whose handler raises NotYet


class Superseded(Exception):
    """Another generation of the consumer is live now."""


class Taker:
    """Takes entries into one generation of a consumer. `follows`: only while it is the live one."""

    def __init__(
        self, what: Projection | Reactions, name: str, store: Store, generation: int, *, follows: bool = True
    ) -> None:
        self._store, self.name, self.generation, self._follows = store, name, generation, follows
        self._fields = what.fields if isinstance(what, Projection) else ()
        self._effect = projecting(what, name, generation) if isinstance(what, Projection) else reacting(what, store)
        self._projects, self._prepared, self._failures = isinstance(what, Projection), False, 0

    @property
    def own(self) -> str:
        """The name under which its marks are stored."""
        return f"{self.name}.g{self.generation}"

    async def take(self, records: Sequence[tuple[int, bytes | None]]) -> Taken:
        """Take a batch of offsets and values, in one transaction."""
        return await self.within(lambda ledger: ledger.take(records))

    async def retry(self) -> None:
        """Try waiting entries again. An entry that has waited for longer than `PATIENCE` is dead."""
        for each in (await self._not_yet()).values():
            await self.within(partial(Ledger.redrive, sequence=each["entries"][0]["sequence"]))
        # Looked up again below: some of them were taken just now.
        old = datetime.now(UTC) - PATIENCE
        tired = {
            key: each for key, each in (await self._not_yet()).items() if datetime.fromisoformat(each["since"]) < old
        }

        async def bury(transaction: Transaction) -> None:
            for key, each in (await transaction.recall("waiting", tired)).items():
                # Another transaction may have gone on with this person meanwhile.
                if each["entries"][0] == tired[key]["entries"][0]:
                    dead = {"status": ParkedStatus.DEAD.value, "reason": f"waited too long, not yet: {each['reason']}"}
                    await transaction.remember("waiting", key, each | dead)

        if tired:
            await transact(self._store, bury)

    async def _not_yet(self) -> dict[str, Kept]:
        waiting = await transact(self._store, lambda transaction: transaction.browse("waiting", f"{self.own}|"))
        return {key: each for key, each in waiting.items() if each["status"] == ParkedStatus.NOT_YET}

    async def within(self, body: Callable[[Ledger], Awaitable[T]]) -> T:
        """Run `body` with the ledger in one transaction, again and again until every entry that fails is set aside."""
        aside, tries = dict[str, Cause](), Counter[str]()
        while True:
            try:
                return await self._once(body, aside)
            except Failed as failed:
                tries[failed.event.id] += 1
                # Trying an entry again at once does not help when it needs what is not there.
                if isinstance(failed.__cause__, NotYet) or tries[failed.event.id] == ATTEMPTS:
                    # First: when the program is at fault it raises, and the entry is taken after the repair.
                    self._give_up(failed)
                    aside[failed.event.id] = failed.cause
                else:
                    await asyncio.sleep(random.uniform(0, 0.02 * 2 ** tries[failed.event.id]))  # noqa: S311  # jitter is no secret

    async def _once(self, body: Callable[[Ledger], Awaitable[T]], aside: dict[str, Cause]) -> T:
        async def once(transaction: Transaction) -> tuple[T, int]:
            if self._follows and await live(transaction, self.name) != self.generation:
                raise Superseded
            if self._projects and not self._prepared:
                await transaction.prepare(self.name, self.generation, self._fields)
            ledger = Ledger(
                self.name,
                self.own,
                transaction,
                self._effect,
                datetime.now(UTC),
                self._store.is_transient,
                aside,
                self._failures,
            )
            return await body(ledger), ledger.failures

        # Only after the commit: a rollback takes back the table that was prepared.
        done, self._failures = await transact(self._store, once)
        self._prepared = True
        return done

    def _give_up(self, failed: Failed) -> None:
        if isinstance(failed.__cause__, NotYet):
            return
        log.error("place %d is dead: %s", failed.event.sequence, failed.cause.reason, exc_info=failed.__cause__)
        if failed.failures + 1 >= ALIKE:
            raise FeedStopped(
                f"{self.name} stopped: {ALIKE} entries failed one after the other, the last with {failed.cause.reason!r}. "
                "That is not one bad entry; mend the program and start it again."
            ) from failed.__cause__


async def live(transaction: Transaction, name: str) -> int:
    """The generation that readers see."""
    found = await transaction.recall("live", [name])
    return int(found[name]["generation"]) if found else 1


def projecting(projection: Projection, name: str, generation: int) -> Effect:
    """The effect that sets the facts of an entry, and deletes a person's rows at a `CLOSING` entry."""
    handlers = projection.handlers()

    async def effect(event: Event[Any], transaction: Transaction) -> bool:
        changes, handler = Changes(), handlers.get(event.type)
        # Whether or not the projection has a handler: the partner is obliged to delete.
        if event.type in CLOSING:
            changes.forget(event.subject)
        if handler is not None:
            handler(read(event), changes)
        await transaction.change(name, generation, changes)
        return handler is not None or event.type in CLOSING

    return effect


def reacting(reactions: Reactions, store: Store) -> Effect:
    """The effect that gives an entry to its functions, with the store's transaction."""

    async def effect(event: Event[Any], transaction: Transaction) -> bool:
        handlers = reactions.handlers.get(event.type, [])
        for handler in handlers:
            with store.guard(transaction.given):
                await handler(read(event), transaction.given)
        return bool(handlers)

    return effect
