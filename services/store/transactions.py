"""The end of a transaction: commit or abort, and then the end of its session.

Invariant: none of them blocks the event loop, also when MongoDB is silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from functools import partial
from threading import Thread
from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import PyMongoError

from services.store.errors import Uncertain, backoff
from services.store.workarounds import driver_of

Transaction = AsyncIOMotorClientSession  # with a transaction begun: what the body of `Store.transaction` receives
InAThread = Callable[[Callable[[], Any]], Awaitable[Any]]
COMMIT_TRIES = 8
ABORTING = 2.0  # seconds


def try_commit(transaction: Transaction) -> PyMongoError | None:
    """Commit; return the error. It blocks, and is for a thread."""
    try:
        driver_of(transaction).commit_transaction()
    except PyMongoError as error:
        return error
    return None


async def commit(transaction: Transaction, in_a_thread: InAThread, error: PyMongoError | None) -> None:
    """Finish a commit whose first attempt ended with `error`, or None. Raises Uncertain when the result stays unknown.

    An unknown result retries the commit alone: a second commit is harmless, a second run of the body is not.
    """
    attempt = 0
    while error is not None:
        if not error.has_error_label("UnknownTransactionCommitResult"):
            raise error
        attempt += 1
        if attempt == COMMIT_TRIES:
            raise Uncertain(f"the result of the commit is unknown: {type(error).__name__}") from error
        await asyncio.sleep(backoff(attempt + 3))
        error = await in_a_thread(partial(try_commit, transaction))


async def abort(transaction: Transaction) -> None:
    """Abort, so that others need not wait for what it has written.

    Errors are dropped: the server aborts by itself in the end, and the caller raises the first error. It runs in a new context, because
    the time limit of the failed block (`within`) may be over.
    """
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(ABORTING):
            await asyncio.get_running_loop().create_task(_abort_in_time(transaction), context=Context())


async def _abort_in_time(transaction: Transaction) -> None:
    with pymongo.timeout(ABORTING):
        await transaction.abort_transaction()


def end(transaction: Transaction) -> None:
    """End the session. With an open transaction on a silent server this blocks, so then another thread does it."""
    session = driver_of(transaction)
    if session.in_transaction:
        # A daemon thread does not keep the process from ending.
        Thread(target=session.end_session, daemon=True).start()
    else:
        session.end_session()
