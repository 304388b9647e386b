"""Interface of a store: one transaction holds the kit's own state, the rows of projections and the effects of functions.

Invariant: a transaction commits as a whole or not at all. Of two transactions that change the same document, one fails.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, datetime
from enum import Enum
from itertools import count
from typing import Any, Protocol, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
Kept = dict[str, Any]  # a value that JSON can hold


class StoreAway(Exception):
    """The store cannot be opened, now or later. Its text is one sentence for the person who runs the consumer."""


class Transaction(Protocol):
    """An open transaction of a store."""

    given: Any  # the argument for functions, through which their effects join this transaction

    async def recall(self, kind: str, ids: Collection[str]) -> dict[str, Kept]:
        """The stored values of this kind under these ids."""

    async def browse(self, kind: str, prefix: str) -> dict[str, Kept]:
        """The stored values of this kind under ids with this prefix, by id."""

    async def remember(self, kind: str, id: str, what: Kept | None) -> None:
        """Store a value; None deletes it."""

    async def prepare(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Create the place for the rows of a generation, unless it exists."""

    async def change(self, name: str, generation: int, changes: "Changes") -> None:
        """Write rows of a generation."""

    async def flip(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Let readers read this generation from now on."""

    async def discard(self, name: str, generation: int) -> None:
        """Delete the rows of a generation."""


class Store(Protocol):
    """The database of a partner, as the kit uses it."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction. It commits at the end of the block, and is rolled back when the block raises."""

    def guard(self, given: Any) -> AbstractContextManager[None]:
        """A block around a function of the partner, which must not end the transaction."""

    def is_transient(self, error: BaseException) -> bool:
        """True when the same work can succeed when it is tried again."""


async def transact(store: Store, body: Callable[[Transaction], Awaitable[T]]) -> T:
    """Run `body` in one transaction, again after every transient error. Other errors are raised."""
    # For ever, because an entry must not be given up while the store is away.
    for attempt in count(1):
        try:
            async with store.transaction() as transaction:
                return await body(transaction)
        except Exception as error:
            if not store.is_transient(error):
                raise
            if attempt % 10 == 0:
                log.warning("the store is away, or busy; tried again: %r", error)
            await asyncio.sleep(random.uniform(0, min(2.0, 0.01 * 2 ** min(attempt, 10))))  # noqa: S311  # jitter is no secret
    raise AssertionError("it is tried for ever")


class Changes:
    """Changes of one entry to the rows of a projection. Implements `services.consumer.Rows`."""

    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self.persons: dict[str, str] = {}
        self.dropped: set[str] = set()
        self.forgotten: set[str] = set()

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        """Replace these facts of the row. `person`: a `CLOSING` entry about them deletes it."""
        self.facts.setdefault(key, {}).update({name: plain(value) for name, value in facts.items()})
        if person is not None:
            self.persons[key] = person

    def drop(self, key: str) -> None:
        """Delete the row, if there is one."""
        self.facts.pop(key, None)
        self.dropped.add(key)

    def forget(self, person: str) -> None:
        """Delete every row about the person."""
        self.forgotten.add(person)


def plain(value: Any) -> Any:
    """The value as JSON stores it: a day or an instant as its ISO text, an enumeration as its value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(each) for each in value]
    return value
