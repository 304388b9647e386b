"""MongoDB: one database per service, majority everywhere, transactions that retry what is worth retrying.

Invariant: nothing else of ours imports motor, so that changing the driver is a change of this file. Read and write concerns are set
here, in code, never in an address.

Motor runs PyMongo in threads, a hop there and back for every call; what a transaction does most goes to PyMongo's objects behind
motor's (`delegate`) in one hop for several statements, since a hop costs as much as a statement.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import Context, copy_context
from datetime import UTC
from threading import Thread
from typing import Any, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import DeleteMany, DeleteOne, InsertOne, ReadPreference, ReplaceOne, UpdateOne
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.store.errors import AlreadyStored, Conflict, Uncertain, backoff, duplicates, is_transient

__all__ = [
    "DeleteMany",
    "DeleteOne",
    "InsertOne",
    "PyMongoError",
    "ReplaceOne",
    "Session",
    "Store",
    "UpdateOne",
]

T = TypeVar("T")
Session = AsyncIOMotorClientSession
Document = dict[str, Any]
THREADS = 32  # statements under way at once; motor's own threads are ten on a small machine, and each relay holds one
MAJORITY = WriteConcern("majority", wtimeout=20_000)
ABORTING = 2.0  # seconds
SILENCE_MS = 30_000  # no single answer takes longer; who hears nothing for so long hangs up, or would wait for ever
NAMESPACE_EXISTS = 48


def within(seconds: float) -> AbstractContextManager[None]:
    """A block in which everything asked of MongoDB, waiting for a primary included, is given up after so many seconds altogether."""
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
        self.recalls = False  # whether it was restored, and knows what was said before (services.store.restored)
        self.db = self._client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            read_concern=ReadConcern("majority"),
            write_concern=MAJORITY,
            read_preference=ReadPreference.PRIMARY,
        )

        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=database)
        self._collections: dict[str, Any] = {}

    def __getitem__(self, collection: str) -> Any:
        return self.db[collection]

    @property
    def bare(self) -> Any:
        """PyMongo's own database, for long work in a thread of its own."""
        return self.db.delegate

    def _behind(self, collection: str) -> Any:
        """PyMongo's own collection."""
        if collection not in self._collections:
            self._collections[collection] = self.db[collection].delegate
        return self._collections[collection]

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        """In the caller's context, which may hold how long there is (`within`)."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)

    async def ping(self) -> None:
        """Raises PyMongoError when no primary answers."""
        await self.db.command("ping")

    async def make(self, collection: str) -> None:
        """Create an empty collection, unless it is there, also when another copy does so at this moment."""
        try:
            await self.db.create_collection(collection, check_exists=False)
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session of one's own (a change stream's aggregate and getMore must share one)."""
        with self._dropping():
            async with await self._client.start_session() as session:
                yield session

    async def transaction(self, body: Callable[[Session], Awaitable[T]], patience: float = 20.0) -> T:
        """Run `body` in one snapshot transaction and commit it with majority, retrying what is_transient for `patience` seconds.

        `body` may run several times and must not act outside of its session. What does not pass is raised after an abort.
        """
        loop = asyncio.get_running_loop()
        deadline, attempt = loop.time() + patience, 0
        while True:
            try:
                with self._dropping():
                    return await self._once(body)
            except (PyMongoError, Conflict) as error:
                attempt += 1
                if attempt >= 5 and duplicates(error):
                    raise AlreadyStored("what is to be inserted was there before") from error
                if isinstance(error, Uncertain) or not is_transient(error) or loop.time() > deadline:
                    raise
                await asyncio.sleep(backoff(attempt))

    async def _once(self, body: Callable[[Session], Awaitable[T]]) -> T:
        begun = self._client.delegate.start_session()  # asks nobody: no hop
        session: Session = AsyncIOMotorClientSession(begun, self._client)
        try:
            session.start_transaction(
                ReadConcern("snapshot"), MAJORITY, ReadPreference.PRIMARY, max_commit_time_ms=10_000
            )
            try:
                result = await body(session)
            except BaseException:
                await _abort(session)
                raise
            await self._commit(session)
            return result
        finally:
            _end(session)

    async def _commit(self, session: Session) -> None:
        """An unknown result retries the commit alone: committing again what is committed is harmless, running the body again is not."""
        for attempt in range(8):
            try:
                await self._in_a_thread(session.delegate.commit_transaction)
                return
            except PyMongoError as error:
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                if attempt == 7:
                    raise Uncertain(f"whether it was committed is not known: {type(error).__name__}") from error
                await asyncio.sleep(backoff(attempt + 4))

    async def insert(self, collection: str, documents: Sequence[Mapping[str, Any]], session: Session) -> None:
        """Insert in the given order, in one command."""
        await self.write_all({collection: [InsertOne(each) for each in documents]}, session)

    async def write(self, collection: str, writes: Sequence[Any], session: Session | None = None) -> int:
        """Bulk-write; returns how many existing documents were matched."""
        return (await self.write_all({collection: writes}, session))[collection]

    async def write_all(self, writes: Mapping[str, Sequence[Any]], session: Session | None = None) -> dict[str, int]:
        """Bulk-write to one collection after the other; returns how many existing documents were matched in each. Where there are
        inserts alone, they are made in the given order."""
        if not any(writes.values()):
            return dict.fromkeys(writes, 0)
        given = None if session is None else session.delegate

        def run() -> dict[str, int]:
            return {name: _written(self._behind(name), some, given) for name, some in writes.items()}

        return await self._in_a_thread(run)

    async def by_id(self, collection: str, ids: Sequence[str], session: Session | None = None) -> dict[str, Document]:
        """Those of the documents that exist, by id, in one query."""
        if not ids:
            return {}
        where, given = {"_id": {"$in": list(ids)}}, None if session is None else session.delegate
        found = await self._in_a_thread(lambda: list(self._behind(collection).find(where, session=given)))
        return {document["_id"]: document for document in found}

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        """Drop every connection when one has no sessions: it was made while the server had just begun and knew of no replica set yet.
        PyMongo keeps such a one for ever, takes it again and again, and has no public way to part with it."""
        try:
            yield
        except ConfigurationError:
            for server in list(self._client.delegate._topology._servers.values()):  # noqa: SLF001
                server.pool.reset_without_pause()
            raise

    async def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._threads.shutdown(wait=False)


def see_all_before(session: Session) -> None:
    """What this session reads from now on holds all that the server had begun to write when it last answered: a read waits for it."""
    time: Any = session.cluster_time
    if time is not None:
        session.advance_operation_time(time["clusterTime"])


async def _abort(session: Session) -> None:
    """What does not succeed the server does by itself: nothing was committed, and the first error is the one to tell. In a context of
    its own, since the time of the block in which it failed may be over (`within`), and others wait for what it has written."""
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(ABORTING):
            await asyncio.get_running_loop().create_task(_aborted(session), context=Context())


async def _aborted(session: Session) -> None:
    with within(ABORTING):
        await session.abort_transaction()


def _end(session: Session) -> None:
    """Motor ends a session on the loop. That is quick, unless a transaction is open still, because MongoDB is silent: then everything
    would stand still, and so another thread ends it, whenever it can."""
    if session.delegate.in_transaction:
        Thread(target=session.delegate.end_session, daemon=True).start()
    else:
        session.delegate.end_session()


def _written(collection: Any, writes: Sequence[Any], session: Any) -> int:
    if not writes:
        return 0
    ordered = all(isinstance(each, InsertOne) for each in writes)
    return int(collection.bulk_write(writes, ordered=ordered, session=session).matched_count)
