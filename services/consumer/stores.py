"""What the kit asks of a store: one transaction that holds what it remembers, the rows of projections and a function's own effect.

Invariant: all that happens within one transaction is there afterwards, or none of it; two transactions that change the same thing do
not both end well.
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
Kept = dict[str, Any]  # what JSON can hold


class Transaction(Protocol):
    """One that is open."""

    given: Any  # what a function is given, to have its effect in this transaction

    async def recall(self, kind: str, ids: Collection[str]) -> dict[str, Kept]:
        """What is remembered of this kind under these ids."""

    async def browse(self, kind: str, prefix: str) -> dict[str, Kept]:
        """What is remembered of this kind under ids that begin so, by id."""

    async def remember(self, kind: str, id: str, what: Kept | None) -> None:
        """Replace what is remembered; None forgets it."""

    async def prepare(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Make room for the rows of a generation, unless there is."""

    async def change(self, name: str, generation: int, changes: "Changes") -> None:
        """Write rows of a generation."""

    async def flip(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Readers read this generation from now on."""

    async def discard(self, name: str, generation: int) -> None:
        """The rows of a generation are no more."""


class Store(Protocol):
    """A store of the partner's own."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open one; it is committed at the end of the block, and undone when the block raises."""

    def guard(self, given: Any) -> AbstractContextManager[None]:
        """While a function of the partner runs."""

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same may succeed when tried again: nobody's fault but the moment's."""


async def transact(store: Store, body: Callable[[Transaction], Awaitable[T]]) -> T:
    """What `body` does, in one transaction; tried again for as long as what hinders it passes by itself."""
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
    """What one entry changes in a projection. Implements `services.consumer.Rows`."""

    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self.persons: dict[str, str] = {}
        self.dropped: set[str] = set()
        self.forgotten: set[str] = set()

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        """Replace these facts of the row."""
        self.facts.setdefault(key, {}).update({name: plain(value) for name, value in facts.items()})
        if person is not None:
            self.persons[key] = person

    def drop(self, key: str) -> None:
        """The row is no more."""
        self.facts.pop(key, None)
        self.dropped.add(key)

    def forget(self, person: str) -> None:
        """Every row about the person is no more."""
        self.forgotten.add(person)


def plain(value: Any) -> Any:
    """As JSON keeps it: a day or an instant as its ISO text, an enumeration as its value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(each) for each in value]
    return value
