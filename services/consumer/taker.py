"""One generation of a consumer, being taken: transactions, what is tried again, what is given up.

Invariants: what passes by itself (an engine away, another writer) never counts against an entry; what fails is tried `ATTEMPTS` times
and then set aside; `ALIKE` entries that die one after the other end the consumer, because then no entry is at fault. One that follows
the live generation writes nothing to a generation that is live no more.
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
from services.consumer.ledger import CLOSING, NOT_YET, Effect, Failed, Ledger, Taken
from services.consumer.stores import Changes, Kept, Store, Transaction, transact
from services.contracts import Event
from services.contracts.envelope import read
from services.events.delivery.declare import Projection, Reactions
from services.kernel import NotYet

log = logging.getLogger(__name__)
T = TypeVar("T")
BATCH = 500  # entries in one transaction
ATTEMPTS = 5
ALIKE = 25
PATIENCE = timedelta(minutes=30)  # how long an entry may say "not yet"


class Superseded(Exception):
    """Another generation is live now."""


class Taker:
    """`generation` of the consumer `name`. `follows`: only while it is the live one."""

    def __init__(
        self, what: Projection | Reactions, name: str, store: Store, generation: int, *, follows: bool = True
    ) -> None:
        self._store, self.name, self.generation, self._follows = store, name, generation, follows
        self._fields = what.indexes if isinstance(what, Projection) else ()
        self._effect = projecting(what, name, generation) if isinstance(what, Projection) else reacting(what, store)
        self._projects, self._prepared, self._row = isinstance(what, Projection), False, 0

    @property
    def own(self) -> str:
        """Under which its marks are kept."""
        return f"{self.name}.g{self.generation}"

    async def take(self, records: Sequence[tuple[int, bytes | None]]) -> Taken:
        """Take a batch of offsets and values."""
        return await self.within(lambda ledger: ledger.take(records))

    async def retry(self) -> None:
        """Try again what was not yet possible; what has waited too long, and still is not, is dead."""
        for each in (await self._not_yet()).values():
            await self.within(partial(Ledger.redrive, sequence=each["entries"][0]["sequence"]))
        old = datetime.now(UTC) - PATIENCE
        tired = {
            key: each for key, each in (await self._not_yet()).items() if datetime.fromisoformat(each["since"]) < old
        }

        async def bury(transaction: Transaction) -> None:
            for key, each in (await transaction.recall("waiting", tired)).items():
                if each["entries"][0] == tired[key]["entries"][0]:
                    await transaction.remember("waiting", key, each | {"why": f"waited too long, {each['why']}"})

        if tired:
            await transact(self._store, bury)

    async def _not_yet(self) -> dict[str, Kept]:
        waiting = await transact(self._store, lambda transaction: transaction.browse("waiting", f"{self.own}|"))
        return {key: each for key, each in waiting.items() if each["why"].startswith(NOT_YET)}

    async def within(self, body: Callable[[Ledger], Awaitable[T]]) -> T:
        """What `body` does with the ledger, in one transaction, which is tried again until it is clear what must stand aside."""
        aside, tries = dict[str, str](), Counter[str]()
        while True:
            try:
                return await self._once(body, aside)
            except Failed as failed:
                tries[failed.event.id] += 1
                if isinstance(failed.__cause__, NotYet) or tries[failed.event.id] == ATTEMPTS:
                    self._give_up(failed)
                    aside[failed.event.id] = failed.why
                else:
                    await asyncio.sleep(random.uniform(0, 0.02 * 2 ** tries[failed.event.id]))  # noqa: S311  # jitter is no secret

    async def _once(self, body: Callable[[Ledger], Awaitable[T]], aside: dict[str, str]) -> T:
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
                self._row,
            )
            return await body(ledger), ledger.row

        done, self._row = await transact(self._store, once)
        self._prepared = True
        return done

    def _give_up(self, failed: Failed) -> None:
        if isinstance(failed.__cause__, NotYet):
            return
        log.error("place %d is dead: %s", failed.event.sequence, failed.why, exc_info=failed.__cause__)
        if failed.row + 1 >= ALIKE:
            raise FeedStopped(
                f"{self.name} stopped: {ALIKE} entries failed one after the other, the last with {failed.why!r}. "
                "That is not one bad entry; mend the program and start it again."
            ) from failed.__cause__


async def live(transaction: Transaction, name: str) -> int:
    """The generation that is read."""
    found = await transaction.recall("live", [name])
    return int(found[name]["generation"]) if found else 1


def projecting(projection: Projection, name: str, generation: int) -> Effect:
    """Set the facts that an entry tells; what is told of a person is deleted when nothing may be known of them any more."""
    handlers = projection.handlers()

    async def effect(event: Event[Any], transaction: Transaction) -> bool:
        changes, handler = Changes(), handlers.get(event.type)
        if event.type in CLOSING:
            changes.forget(event.subject)
        if handler is not None:
            handler(read(event), changes)
        await transaction.change(name, generation, changes)
        return handler is not None or event.type in CLOSING

    return effect


def reacting(reactions: Reactions, store: Store) -> Effect:
    """Give an entry to its functions, with what they need to have their effect in this transaction."""

    async def effect(event: Event[Any], transaction: Transaction) -> bool:
        handlers = reactions.handlers.get(event.type, [])
        for handler in handlers:
            with store.guard(transaction.given):
                await handler(read(event), transaction.given)
        return bool(handlers)

    return effect
