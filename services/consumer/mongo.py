"""A database of MongoDB as the store, through the client that the partner hands in: Motor's, or PyMongo's asynchronous or plain one.

Invariants: each transaction is a snapshot with majority, so that of two that change the same thing one is tried again; a commit whose
result is unknown is committed again, and nothing else is repeated. No driver is imported: what is used of one is the same in all.
"""

import inspect
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from services.consumer.stores import Changes, Kept

Document = dict[str, Any]
AWAY, SESSIONLESS = "ConnectionFailure", "ConfigurationError"  # the driver's classes, by name


class Refused(Exception):
    """The server refused a write."""


class Given:
    """What a function is given: `given["name"]` is a collection, and every call on it must say `session=given.session`."""

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
        """Write in a snapshot."""
        reading, writing = type(self.database.read_concern)("snapshot"), type(self.database.write_concern)("majority")
        session = await _now(self._client.start_session())
        try:
            await _now(session.start_transaction(reading, writing))
            try:
                yield _Transaction(Given(self.database, session))
            except BaseException as error:
                await self._abort(session)
                if _is(error, SESSIONLESS):
                    await self._drop_connections()
                raise
            await self._commit(session)
        finally:
            await _now(session.end_session())

    @contextmanager
    def guard(self, given: Given) -> Iterator[None]:  # noqa: ARG002  # ending the session's transaction makes what follows fail
        """Nothing to do."""
        yield

    def is_transient(self, error: BaseException) -> bool:
        """An engine that is away, electing or just begun, or somebody else's change of the same."""
        labels = getattr(error, "has_error_label", None)
        away = _is(error, AWAY) or _is(error, SESSIONLESS)
        return away or (labels is not None and bool(labels("TransientTransactionError")))

    async def rows(self, name: str) -> Any:
        """The collection that holds the projection's rows now: `key` as `_id`, `person`, and the facts."""
        pointer = await _now(self.database["kit"].find_one({"_id": f"live|{name}"}))
        return self.database[f"{name}.g{pointer['what']['generation'] if pointer else 1}"]

    async def _drop_connections(self) -> None:
        """One was made while the server had just begun and knew of no replica set yet, and has no sessions. The driver keeps such a
        one for ever, takes it again and again, and has no public way to part with it."""
        driver = vars(self._client).get("delegate", self._client)  # Motor's has PyMongo's behind it
        for server in list(driver._topology._servers.values()):  # noqa: SLF001
            await _now(server.pool.reset_without_pause())

    async def _abort(self, session: Any) -> None:
        try:
            await _now(session.abort_transaction())
        except Exception as error:
            if not self.is_transient(error):
                raise  # else the server aborts it by itself, and the first error is the one to tell

    async def _commit(self, session: Any) -> None:
        for attempt in range(8):
            try:
                await _now(session.commit_transaction())
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
        found = await _now(self.given["kit"].find(where, session=self.given.session).sort("_id", 1).to_list(None))
        return {each["_id"].removeprefix(f"{kind}|"): each["what"] for each in found}

    async def remember(self, kind: str, id: str, what: Kept | None) -> None:
        if what is None:
            await self._run("delete", "kit", deletes=[{"q": {"_id": f"{kind}|{id}"}, "limit": 1}])
        else:
            await self._run(
                "update", "kit", updates=[{"q": {"_id": f"{kind}|{id}"}, "u": {"what": what}, "upsert": True}]
            )

    async def prepare(self, name: str, generation: int, fields: Collection[str]) -> None:
        """A collection is made by its first row."""

    async def change(self, name: str, generation: int, changes: Changes) -> None:
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
        """Readers follow what is remembered as live."""

    async def discard(self, name: str, generation: int) -> None:
        await self._run("delete", f"{name}.g{generation}", deletes=[{"q": {}, "limit": 0}])

    async def _run(self, verb: str, collection: str, **arguments: Any) -> None:
        answer = await _now(self.given.database.command(verb, collection, **arguments, session=self.given.session))
        if answer.get("writeErrors"):
            raise Refused(f"{collection}: {answer['writeErrors'][0].get('errmsg')}")


def _is(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


async def _now(value: Any) -> Any:
    """The plain client answers at once, the others are waited for."""
    return await value if inspect.isawaitable(value) else value
