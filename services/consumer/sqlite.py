"""Store of the kit in an SQLite file. The rows of a projection are read with plain SQL, from the view of its name.

Invariants: one writer at a time (`BEGIN IMMEDIATE`); a function that is given the connection cannot end the transaction it stands in.
Nothing else may be written through the connection; readers open their own.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from services.consumer.stores import Changes, Kept, StoreAway

TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
CLOSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}


class Sqlite:
    """Implements `services.consumer.Store` on one file."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Transaction"]:
        """Open the only write transaction. Statements run on the event loop: they are short and wait for nothing but the disk."""
        # A connection has one transaction at a time.
        async with self._alone:
            connection = self._opened()
            # The write lock at once: SQLite refuses it to a reader that another writer has overtaken.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # After some errors, such as a full disk, SQLite has rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def guard(self, given: sqlite3.Connection) -> Iterator[None]:
        """Have SQLite refuse a commit by the function, which would separate its effect from the mark."""
        given.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_TRANSACTION else sqlite3.SQLITE_OK
        )
        try:
            yield
        finally:
            given.set_authorizer(None)

    def is_transient(self, error: BaseException) -> bool:
        """True for another writer, and for a disk that is full."""
        # The low byte is the primary code; an extended code adds detail above it.
        return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in TRANSIENT

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        """The connection, opened when it is first needed. StoreAway when the file cannot be a database of ours."""
        if self._connection is None:
            try:
                self._connection = _open(self.path)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in CLOSED:
                    raise
                raise StoreAway(f"The store {self.path.absolute()} cannot be used: {error}.") from error
        return self._connection


def _open(path: Path) -> sqlite3.Connection:
    # Without None for `isolation_level`, the module would begin transactions by itself.
    connection = sqlite3.connect(path, timeout=2.0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")  # a page may read while this writes
        connection.execute(
            "CREATE TABLE IF NOT EXISTS kit (kind TEXT, id TEXT, what TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.given = connection

    async def recall(self, kind: str, ids: Collection[str]) -> dict[str, Kept]:
        # One parameter for all ids, since SQLite limits the number of parameters.
        wanted = json.dumps(list(ids))
        rows = self.given.execute(
            "SELECT id, what FROM kit WHERE kind = ? AND id IN (SELECT value FROM json_each(?))", (kind, wanted)
        )
        return {id: json.loads(what) for id, what in rows}

    async def browse(self, kind: str, prefix: str) -> dict[str, Kept]:
        # Not LIKE, for which `_` and `%` in an id are wildcards.
        like = "SELECT id, what FROM kit WHERE kind = ? AND substr(id, 1, ?) = ? ORDER BY id"
        rows = self.given.execute(like, (kind, len(prefix), prefix))
        return {id: json.loads(what) for id, what in rows}

    async def remember(self, kind: str, id: str, what: Kept | None) -> None:
        if what is None:
            self.given.execute("DELETE FROM kit WHERE kind = ? AND id = ?", (kind, id))
        else:
            self.given.execute("REPLACE INTO kit VALUES (?, ?, ?)", (kind, id, json.dumps(what)))

    async def prepare(self, name: str, generation: int, fields: Collection[str]) -> None:
        table = _quoted(f"{name}_g{generation}")
        self.given.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, person TEXT, facts TEXT NOT NULL)"
        )
        self.given.execute(f"CREATE INDEX IF NOT EXISTS {_quoted(f'{name}_g{generation}_person')} ON {table} (person)")
        # Only for the first generation: a rebuild switches the view at its end.
        if not self.given.execute("SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?", (name,)).fetchone():
            await self.flip(name, generation, fields)

    async def change(self, name: str, generation: int, changes: Changes) -> None:
        table = _quoted(f"{name}_g{generation}")
        self.given.executemany(f"DELETE FROM {table} WHERE person = ?", [(each,) for each in changes.forgotten])
        self.given.executemany(f"DELETE FROM {table} WHERE key = ?", [(each,) for each in changes.dropped])
        for key, facts in changes.facts.items():
            known = self.given.execute(f"SELECT facts FROM {table} WHERE key = ?", (key,)).fetchone()
            row = (
                key,
                changes.persons.get(key),
                json.dumps((json.loads(known[0]) if known else {}) | facts, ensure_ascii=False),
            )
            self.given.execute(
                # `coalesce`, because facts that name no person must not remove the person of the row.
                f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET facts = excluded.facts, "
                "person = coalesce(excluded.person, person)",
                row,
            )

    async def flip(self, name: str, generation: int, fields: Collection[str]) -> None:
        columns = "".join(f", json_extract(facts, {_text('$.' + _quoted(each))}) AS {_quoted(each)}" for each in fields)
        self.given.execute(f"DROP VIEW IF EXISTS {_quoted(name)}")
        self.given.execute(
            f"CREATE VIEW {_quoted(name)} AS SELECT key, person{columns}, facts FROM {_quoted(f'{name}_g{generation}')}"
        )

    async def discard(self, name: str, generation: int) -> None:
        self.given.execute(f"DROP TABLE IF EXISTS {_quoted(f'{name}_g{generation}')}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
