"""Store of the kit in a MongoDB database, through the client that the partner gives: Motor's, PyMongo's asynchronous or its plain one.

Invariants: each transaction is a snapshot with majority, so that of two that change the same document one is tried again. A commit
whose result is unknown is committed again, and nothing else is repeated. No driver is imported: all three have the methods used here.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from services.consumer.stores import Changes, Kept
from services.consumer.workarounds import drop_connections, now

Document = dict[str, Any]
AWAY, SESSIONLESS = "ConnectionFailure", "ConfigurationError"  # the driver's classes, by name


class Refused(Exception):
    """The server refused a write of the kit."""


class Given:
    """The argument for functions: `given["name"]` is a collection, and every call on it must pass `session=given.session`."""

    def __init__(self, database: Any, session: Any) -> None:
        self.database, self.session = database, session

    def __getitem__(self, collection: str) -> Any:
        return self.database[collection]


class Mongo:
    """Implements `services.consumer.Store` on one database of the client."""

    def __init__(self, client: Any, database: str) -> None:
        self._client, self.database = client, client[database]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Transaction"]:
        """Open a transaction on a snapshot, committed with majority."""
        # The classes of the partner's own driver, because this module imports none.
        reading, writing = type(self.database.read_concern)("snapshot"), type(self.database.write_concern)("majority")
        session = await now(self._client.start_session())
        try:
            await now(session.start_transaction(reading, writing))
            try:
                yield _Transaction(Given(self.database, session))
            except BaseException as error:
                await self._abort(session)
                if _is(error, SESSIONLESS):
                    await drop_connections(self._client)
                raise
            await self._commit(session)
        finally:
            await now(session.end_session())

    @contextmanager
    def guard(self, given: Given) -> Iterator[None]:  # noqa: ARG002  # when a function ends the transaction, the next write fails
        """Do nothing: the server refuses writes after the transaction has ended."""
        yield

    def is_transient(self, error: BaseException) -> bool:
        """True for a server that is away, electing or just starting, and for a write conflict."""
        labels = getattr(error, "has_error_label", None)
        away = _is(error, AWAY) or _is(error, SESSIONLESS)
        return away or (labels is not None and bool(labels("TransientTransactionError")))

    async def rows(self, name: str) -> Any:
        """The collection with the projection's live rows: `key` as `_id`, `person`, and the facts."""
        pointer = await now(self.database["kit"].find_one({"_id": f"live|{name}"}))
        return self.database[f"{name}.g{pointer['what']['generation'] if pointer else 1}"]

    async def _abort(self, session: Any) -> None:
        try:
            await now(session.abort_transaction())
        except Exception as error:
            if not self.is_transient(error):
                raise  # after a transient error the server aborts it, and the first error is the one to raise

    async def _commit(self, session: Any) -> None:
        # A commit can be repeated without harm, so an unknown result does not have to run the body again.
        for attempt in range(8):
            try:
                await now(session.commit_transaction())
                return
            except Exception as error:
                labels = getattr(error, "has_error_label", None)
                if attempt == 7 or labels is None or not labels("UnknownTransactionCommitResult"):
                    raise


class _Transaction:
    def __init__(self, given: Given) -> None:
        self.given = given

    async def recall(self, kind: str, ids: Collection[str]) -> dict[str, Kept]:
        return await self._found({"_id": {"$in": [f"{kind}|{each}" for each in ids]}}, kind)

    async def browse(self, kind: str, prefix: str) -> dict[str, Kept]:
        return await self._found({"_id": {"$gte": f"{kind}|{prefix}", "$lt": f"{kind}|{prefix}\uffff"}}, kind)

    async def _found(self, where: Document, kind: str) -> dict[str, Kept]:
        found = await now(self.given["kit"].find(where, session=self.given.session).sort("_id", 1).to_list(None))
        return {each["_id"].removeprefix(f"{kind}|"): each["what"] for each in found}

    async def remember(self, kind: str, id: str, what: Kept | None) -> None:
        if what is None:
            await self._run("delete", "kit", deletes=[{"q": {"_id": f"{kind}|{id}"}, "limit": 1}])
        else:
            await self._run(
                "update", "kit", updates=[{"q": {"_id": f"{kind}|{id}"}, "u": {"what": what}, "upsert": True}]
            )

    async def prepare(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Do nothing: the first row creates the collection."""

    async def change(self, name: str, generation: int, changes: Changes) -> None:
        # Deletions first, so that a row may be set again after it was dropped.
        gone = [{"q": {"person": each}, "limit": 0} for each in sorted(changes.forgotten)]
        gone += [{"q": {"_id": each}, "limit": 1} for each in sorted(changes.dropped)]
        if gone:
            await self._run("delete", f"{name}.g{generation}", deletes=gone)
        updates = []
        for key, facts in changes.facts.items():
            person = {"person": changes.persons[key]} if key in changes.persons else {}
            updates.append({"q": {"_id": key}, "u": {"$set": facts | person}, "upsert": True})
        if updates:
            await self._run("update", f"{name}.g{generation}", updates=updates)

    async def flip(self, name: str, generation: int, fields: Collection[str]) -> None:
        """Do nothing: readers use the generation that is stored as live."""

    async def discard(self, name: str, generation: int) -> None:
        # MongoDB drops no collection within a transaction.
        await self._run("delete", f"{name}.g{generation}", deletes=[{"q": {}, "limit": 0}])

    async def _run(self, verb: str, collection: str, **arguments: Any) -> None:
        # A command, because bulk writes take objects of a driver.
        answer = await now(self.given.database.command(verb, collection, **arguments, session=self.given.session))
        # A command reports a failed write in its answer and raises nothing.
        if answer.get("writeErrors"):
            raise Refused(f"{collection}: {answer['writeErrors'][0].get('errmsg')}")


def _is(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
