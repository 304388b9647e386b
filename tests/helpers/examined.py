"""Reads of a page in MongoDB, as the server's own profile tells them: how many statements, and how many documents each looked at."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from services.events.inbox.projections import generation_in
from services.store.mongo import Store


class Asked(NamedTuple):
    """The collections that were read, one for each statement, and the largest number of documents that one of them looked at."""

    statements: tuple[str, ...]
    documents: int


async def asked_of(store: Store, nouns: Collection[str], act: Callable[[], Awaitable[Any]]) -> Asked:
    """Profile the reads of rows, and of the aggregates of these nouns, while `act` runs. Relay, consumers and gauges read other
    collections meanwhile."""
    await store.db.command("profile", 0)
    await store["system.profile"].drop()
    await store.db.command("profile", 2)
    try:
        await act()
    finally:
        await store.db.command("profile", 0)
    where = {"op": {"$in": ["query", "command", "getmore"]}, "ns": {"$not": {"$regex": r"(\$cmd|system\.)"}}}
    found = await store["system.profile"].find(where).sort("ts", 1).to_list(None)
    read = [(str(each["ns"]).partition(".")[2], each.get("docsExamined", 0)) for each in found]
    ours = [each for each in read if each[0] in nouns or generation_in(each[0]) is not None]
    return Asked(tuple(each for each, _ in ours), max((documents for _, documents in ours), default=0))
