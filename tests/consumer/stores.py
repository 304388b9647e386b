"""Every store of the kit, and a journal in it: the effect of a function, which shows what took effect twice."""

import inspect
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from services.consumer import Consumer, Feed, Mongo, Reactions, Sqlite, Store
from services.contracts import Event
from services.contracts.feed import Admitted, ConsentWithdrawn, Declined, Erased, Referred, Seated
from services.engines import Engines

KINDS = (Referred, Admitted, Declined, Seated, ConsentWithdrawn, Erased)
CLIENTS: dict[str, Callable[[str], Any]] = {
    "motor": AsyncIOMotorClient,
    "pymongo": AsyncMongoClient,
    "plain": MongoClient,
}
NAMES = ("sqlite", *CLIENTS)
NOWHERE = Feed("nowhere:9092", "ama.feed.cgil", "cgil", "x")
Line = tuple[int, str, str]


def make(name: str, engines: Engines, folder: Path) -> Store:
    """An empty store. A database is emptied and not made anew, which takes a second."""
    if name == "sqlite":
        return Sqlite(folder / f"{uuid.uuid4().hex}.db")
    with MongoClient[dict[str, Any]](engines.mongo) as client:
        for collection in client["kit"].list_collection_names():
            client["kit"][collection].delete_many({})
    return Mongo(CLIENTS[name](engines.mongo), "kit")


async def now(value: Any) -> Any:
    """The plain client's answers are there at once."""
    return await value if inspect.isawaitable(value) else value


async def append(given: Any, event: Event[Any]) -> None:
    """A line in the journal, in the transaction that is given."""
    if hasattr(given, "session"):
        line = {"sequence": event.sequence, "type": event.type, "subject": event.subject}
        await now(given["journal"].insert_one(line, session=given.session))
    else:
        given.execute("CREATE TABLE IF NOT EXISTS journal (sequence, type, subject)")
        given.execute("INSERT INTO journal VALUES (?, ?, ?)", (event.sequence, event.type, event.subject))


async def journal(store: Store) -> list[Line]:
    """Its lines, in the order in which they were written."""
    async with store.transaction() as transaction:
        given = transaction.given
        if hasattr(given, "session"):
            lines = await now(given["journal"].find({}, session=given.session).sort("_id", 1).to_list(None))
            return [(each["sequence"], each["type"], each["subject"]) for each in lines]
        if not given.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
            return []
        return [tuple(each) for each in given.execute("SELECT * FROM journal ORDER BY rowid")]


async def places(store: Store) -> list[int]:
    """The places that took effect, in order."""
    return [sequence for sequence, _, _ in await journal(store)]


def journalling(
    store: Store, before: Callable[[Event[Any]], None] = lambda _event: None, feed: Feed = NOWHERE
) -> Consumer:
    """A consumer that writes down what it takes; `before` may fail, after the effect, so that what it leaves would be seen."""
    reactions = Reactions()

    async def note(event: Event[Any], given: Any) -> None:
        await append(given, event)
        before(event)

    for kind in KINDS:
        reactions.on(kind)(note)
    return Consumer(reactions, store, feed, name="journal")


async def take(consumer: Consumer, values: list[bytes], first: int = 0) -> str | None:
    """Take these records, as the consumer does with what it reads; returns the reason why it stopped, if it did."""
    taker = await consumer._taker()
    return (await taker.take(list(enumerate(values, first)))).stopped
