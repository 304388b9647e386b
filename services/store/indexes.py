"""Indexes, described before they are made, and steps that are taken at once.

Invariant: all indexes of a collection are one command, and collections do not wait for each other. MongoDB answers when the journal is
written, so that steps one after the other mostly wait.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

from pymongo import IndexModel

from services.store.mongo import Store

__all__ = ["IndexModel", "ascending", "at_once", "make_indexes"]


def ascending(*fields: str) -> IndexModel:
    """Describe an index of these fields."""
    return IndexModel([(field, 1) for field in fields])


async def make_indexes(store: Store, wanted: Mapping[str, Sequence[IndexModel]]) -> None:
    """Make the indexes that are missing, by collection; a collection that is missing is made with them. PyMongoError."""
    await at_once(store[name].create_indexes(list(models)) for name, models in wanted.items() if models)


async def at_once(steps: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Take all steps beside each other, and raise the first error when every one has ended."""
    for ended in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
