"""Notes of accesses that are written together: one transaction for all callers who wait at that moment.

Invariants: nobody is answered before their notes are committed; one transaction of a process writes notes at a time.

Ten operators who open the same page read of the same people. Ten transactions beside each other would touch the same keys, conflict, and be
repeated until each had its turn.
"""

import asyncio
from contextlib import suppress
from contextvars import Context

from services.store.accesses import Accesses, write_all
from services.store.clock import now_utc
from services.store.mongo import Store, Transaction, within

PATIENCE = 8.0  # seconds in which a transaction is tried again
LONGEST = 20.0  # seconds of one transaction, whatever the database does
MOST = 2_000  # notes of one transaction, unless one caller has more

Waiting = tuple[Accesses, "asyncio.Future[None]"]


class Noting:
    """The writer of the notes of one service in this process. Used by one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, accesses: Accesses) -> None:
        """Write the notes and return once they are committed. Raises what the transaction raised, as do all that it was for."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((accesses, written))
        if self._writer is None:
            # In a context of its own: the time limit of one caller is not that of the others.
            self._writer = asyncio.get_running_loop().create_task(self._write(), context=Context())
        await written

    async def _write(self) -> None:
        try:
            while some := self._next():
                error = await self._committed([accesses for accesses, _ in some])
                for _, written in some:
                    if written.done():  # its caller was cancelled meanwhile
                        continue
                    if error is None:
                        written.set_result(None)
                    else:
                        written.set_exception(error)
        finally:
            self._writer = None
            # Only when the loop ends: nobody of them may be answered.
            for _, written in self._waiting:
                written.cancel()

    def _next(self) -> list[Waiting]:
        """Take those who wait, in their order, up to MOST notes."""
        some: list[Waiting] = []
        notes = 0
        while self._waiting and (not some or notes + len(self._waiting[0][0]) <= MOST):
            notes += len(self._waiting[0][0])
            some.append(self._waiting.pop(0))
        return some

    async def _committed(self, several: list[Accesses]) -> Exception | None:
        """Commit these notes; return the error."""

        async def body(transaction: Transaction) -> None:
            await write_all(self._store, transaction, several, now_utc())

        with suppress(asyncio.CancelledError):
            try:
                async with asyncio.timeout(LONGEST):
                    with within(LONGEST):
                        await self._store.transaction(body, PATIENCE)
            except Exception as error:  # noqa: BLE001  # given to everybody whose notes these are
                return error
            return None
        raise asyncio.CancelledError
