"""MongoDB: one database per service, majority everywhere, and transactions that retry what is worth retrying.

Invariant: no other package imports Motor, so that a change of the driver is a change of this package. Read and write concerns are set
here, in code, never in an address.

Motor runs PyMongo in threads, a hop there and back for every call. The statements of a transaction run in one hop together, through
PyMongo's own objects (`workarounds.driver_of`), since a hop costs as much as a statement.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from datetime import UTC
from functools import partial
from typing import Any, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import DeleteMany, DeleteOne, InsertOne, ReadPreference, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.store.errors import AlreadyStored, Conflict, Overtaken, Uncertain, backoff, duplicates, is_transient
from services.store.threads import Threads
from services.store.transactions import Transaction, abort, commit, end, try_commit
from services.store.workarounds import driver_of, drop_connections, new_session

__all__ = [
    "DeleteMany", "DeleteOne", "Document", "DriverSession", "InsertOne", "PyMongoError", "ReplaceOne", "Store", "Transaction", "UpdateMany",
    "UpdateOne", "within",
]  # fmt: skip

T = TypeVar("T")
DriverSession = AsyncIOMotorClientSession  # without a transaction: what a change stream needs
Document = dict[str, Any]
Check = Callable[[dict[str, int]], None]
THREADS = 32  # statements under way at once; motor's own threads are ten on a small machine, and each relay holds one
# Without `wtimeout` a write waits without end for a majority that is away.
MAJORITY = WriteConcern("majority", wtimeout=20_000)
SILENCE_MS = 30_000  # no single answer takes longer; without a limit, a read from a lost connection would wait for ever
DUPLICATE_TRIES = 5  # a concurrent insert is visible long before; what is still a duplicate was stored earlier
NAMESPACE_EXISTS = 48


def within(seconds: float) -> AbstractContextManager[None]:
    """Limit everything that the block asks of MongoDB, waiting for a primary included, to so many seconds altogether."""
    return pymongo.timeout(seconds)


class Store:
    """One service's database. A collection is `store["name"]`."""

    def __init__(self, uri: str, database: str) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            appname=database,
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=SILENCE_MS,
            retryWrites=True,
            uuidRepresentation="standard",
            maxPoolSize=64,
        )
        self.name = database
        self.was_restored = False  # set by services.store.restored when the service starts
        # Majority and primary: an election cannot roll back what was read or acknowledged here.
        self.db = self._client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            read_concern=ReadConcern("majority"),
            write_concern=MAJORITY,
            read_preference=ReadPreference.PRIMARY,
        )
        self._threads = Threads(THREADS, database)
        self._collections: dict[str, Any] = {}
        self._last: dict[int, list[tuple[Mapping[str, Sequence[Any]], Check]]] = {}  # by the id of an open transaction

    def __getitem__(self, collection: str) -> Any:
        return self.db[collection]

    @property
    def bare(self) -> Any:
        """PyMongo's blocking database, for long work in a thread of its own."""
        return driver_of(self.db)

    def _behind(self, collection: str) -> Any:
        if collection not in self._collections:
            self._collections[collection] = driver_of(self.db[collection])
        return self._collections[collection]

    async def ping(self) -> None:
        """Raise PyMongoError when no primary answers."""
        await self.db.command("ping")

    async def make(self, collection: str) -> None:
        """Create an empty collection unless it exists, also when another copy creates it at this moment."""
        try:
            # A check beforehand proves nothing when copies start together.
            await self.db.create_collection(collection, check_exists=False)
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise

    @asynccontextmanager
    async def driver_session(self) -> AsyncIterator[DriverSession]:
        """A session without a transaction: the `aggregate` and the `getMore` of a change stream must share one."""
        with self._new_connections_after_sessionless():
            async with await self._client.start_session() as session:
                yield session

    async def transaction(self, body: Callable[[Transaction], Awaitable[T]], patience: float = 20.0) -> T:
        """Run `body` in one snapshot transaction and commit it with majority. Transient errors are retried for `patience` seconds.

        `body` may run several times and must not act outside of its transaction. Any other error is raised after an abort; `AlreadyStored`
        when an insert meets the same duplicate in every attempt, `Uncertain` when the result of the commit stays unknown.
        """
        loop = asyncio.get_running_loop()
        deadline, attempt = loop.time() + patience, 0
        while True:
            try:
                with self._new_connections_after_sessionless():
                    return await self._once(body)
            except (PyMongoError, Conflict) as error:
                attempt += 1
                if attempt >= DUPLICATE_TRIES and duplicates(error):
                    raise AlreadyStored("what is to be inserted was there before") from error
                # After `Uncertain` the body may be committed. Only the caller knows whether it may run twice.
                if isinstance(error, Uncertain) or not is_transient(error) or loop.time() > deadline:
                    raise
                await asyncio.sleep(backoff(attempt))

    async def _once(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        transaction = new_session(self._client)
        try:
            transaction.start_transaction(
                ReadConcern("snapshot"), MAJORITY, ReadPreference.PRIMARY, max_commit_time_ms=10_000
            )
            try:
                result = await body(transaction)
                # The last writes and the commit in one change of thread.
                error = await self._threads.run(partial(self._finish, transaction))
            except BaseException:
                # Also when cancelled: an open transaction makes others wait for what it has written.
                await abort(transaction)
                raise
            await commit(transaction, self._threads.run, error)
            return result
        finally:
            self._last.pop(id(transaction), None)
            end(transaction)

    def _finish(self, transaction: Transaction) -> PyMongoError | None:
        """Write what `write_last` was given, and try to commit; return the error of the commit. Blocks."""
        for writes, check in self._last.pop(id(transaction), ()):
            check({name: _written(self._behind(name), some, driver_of(transaction)) for name, some in writes.items()})
        return try_commit(transaction)

    async def insert(self, collection: str, documents: Sequence[Mapping[str, Any]], transaction: Transaction) -> None:
        """Insert in the given order, in one command."""
        await self.write_all({collection: [InsertOne(each) for each in documents]}, transaction)

    async def write(self, collection: str, writes: Sequence[Any], transaction: Transaction | None = None) -> int:
        """Write in bulk; return the number of existing documents that matched."""
        return (await self.write_all({collection: writes}, transaction))[collection]

    async def write_all(
        self, writes: Mapping[str, Sequence[Any]], transaction: Transaction | None = None
    ) -> dict[str, int]:
        """Write in bulk to one collection after the other; return the number of existing documents that matched in each. Writes that are
        all inserts keep their order."""
        if not any(writes.values()):
            return dict.fromkeys(writes, 0)
        given = None if transaction is None else driver_of(transaction)

        # All collections in one change of thread, which costs as much as a statement.
        def run() -> dict[str, int]:
            return {name: _written(self._behind(name), some, given) for name, some in writes.items()}

        return await self._threads.run(run)

    def write_last(
        self, writes: Mapping[str, Sequence[Any]], transaction: Transaction, check: Check = lambda _: None
    ) -> None:
        """Write as `write_all` when the body of the transaction has returned, right before the commit. `check` is given the numbers of
        documents that matched, in a thread, and raises Conflict to abort."""
        self._last.setdefault(id(transaction), []).append((writes, check))

    async def by_id(
        self, collection: str, ids: Sequence[str], transaction: Transaction | None = None
    ) -> dict[str, Document]:
        """Find the documents that exist, by id, in one query."""
        if not ids:
            return {}
        where, given = {"_id": {"$in": list(ids)}}, None if transaction is None else driver_of(transaction)
        found = await self._threads.run(lambda: list(self._behind(collection).find(where, session=given)))
        return {document["_id"]: document for document in found}

    async def find(
        self, collection: str, where: Document, sort: Sequence[tuple[str, int]] = (), skip: int = 0, limit: int = 0
    ) -> list[Document]:
        """Find documents outside of a transaction, all of them in one change of thread; `limit` 0: without a limit."""
        asked = {"sort": list(sort) or None, "skip": skip, "limit": limit}
        # One batch where possible, so that no second statement asks for the rest.
        batch = {"batch_size": limit} if limit else {}
        return await self._threads.run(lambda: list(self._behind(collection).find(where, **asked, **batch)))

    async def find_one(self, collection: str, where: Document) -> Document | None:
        """Find one document outside of a transaction."""
        found: Document | None = await self._threads.run(lambda: self._behind(collection).find_one(where))
        return found

    async def count(self, collection: str, where: Document, most: int) -> int:
        """Count documents outside of a transaction, and no more than `most`."""
        return int(await self._threads.run(lambda: self._behind(collection).count_documents(where, limit=most)))

    @contextmanager
    def _new_connections_after_sessionless(self) -> Iterator[None]:
        """Drop every connection when one of them has no sessions (`workarounds.drop_connections` says why there is such a one)."""
        try:
            yield
        except ConfigurationError:
            drop_connections(self._client)
            raise

    async def close(self) -> None:
        """Close the connections and the threads."""
        self._client.close()
        # A thread may wait up to `SILENCE_MS` for a silent server.
        self._threads.close()


def see_all_before(session: DriverSession) -> None:
    """Make every later read of this session wait for all that the server had begun to write when it last answered."""
    time: Any = session.cluster_time
    if time is not None:
        session.advance_operation_time(time["clusterTime"])


def _written(collection: Any, writes: Sequence[Any], session: Any) -> int:
    if not writes:
        return 0
    # An abort may overtake this thread when its caller is cancelled. PyMongo would then write outside of any transaction.
    if session is not None and not session.in_transaction:
        raise Overtaken("the transaction ended before this write")
    # The change stream shows inserts of a transaction in this order, and the relay sends them in it.
    ordered = all(isinstance(each, InsertOne) for each in writes)
    return int(collection.bulk_write(writes, ordered=ordered, session=session).matched_count)
