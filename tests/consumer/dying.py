"""A consumer that dies again and again, each time in a process of its own: `dying.py STORE WHERE POINTS`.

It reads the feed of the environment into a journal, in batches of three, and dies (no handler runs, nothing is closed) when the store has
been spoken to POINT times: just before a statement or command, and with MongoDB also just after its answer. The last life
takes what is left. Prints one line per life: died, or finished.
"""

import asyncio
import os
import sys
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.monitoring import CommandListener

from services.consumer import Feed, Mongo, Sqlite, Store, partner
from tests.consumer.stores import journalling, places

DIED = 9


class Countdown(CommandListener):
    """Ends the process at zero."""

    def __init__(self, point: int) -> None:
        self.left = point

    def started(self, event: object) -> None:
        """Just before a statement or command."""
        self.left -= 1
        if self.left == 0:
            os._exit(DIED)

    succeeded = started

    def failed(self, event: object) -> None:
        """Statements that are not counted."""


class Watched(Sqlite):
    """An SQLite store that counts its statements."""

    def __init__(self, path: str, point: int) -> None:
        super().__init__(path)
        self._countdown = Countdown(point)

    def _opened(self) -> Any:
        connection = super()._opened()
        connection.set_trace_callback(self._countdown.started)
        return connection


def stores(kind: str, where: str, point: int) -> tuple[Store, Store]:
    """One that dies, and one to look on."""
    if kind == "sqlite":
        return Watched(where, point), Sqlite(where)
    database = os.environ["DATABASE"]
    dying: AsyncMongoClient[Any] = AsyncMongoClient(where, event_listeners=[Countdown(point)])
    return Mongo(dying, database), Mongo(MongoClient(where), database)


async def live(kind: str, where: str, point: int) -> None:
    """Until all is taken, or it dies."""
    store, looking = stores(kind, where, point)
    feed = Feed.from_environment()
    there = await feed.last()
    assert there is not None
    running = asyncio.ensure_future(journalling(store, feed=feed).run())
    while not running.done() and len(await places(looking)) < there.sequence:
        await asyncio.sleep(0.05)
    if running.done():
        running.result()


def main() -> None:
    """A life for each point, and one that dies of nothing."""
    kind, where, points = sys.argv[1], sys.argv[2], [int(each) for each in sys.argv[3].split(",")]
    partner.BATCH = 3  # type: ignore[attr-defined]
    for point in [*points, 10**9]:
        child = os.fork()
        if child == 0:
            asyncio.run(live(kind, where, point))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print({0: "finished", DIED: "died"}.get(status, f"failed with {status}"), flush=True)
        if status != DIED:
            return


if __name__ == "__main__":
    main()
