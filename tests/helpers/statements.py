"""The statements of MongoDB that a service sends within its transactions, as the driver tells them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

LASTING = "commitTransaction", "abortTransaction"  # commands that name no collection


class Statements(CommandListener):
    """Lists `command collection` for each statement of a transaction, by database; and `alone` for a write of offsets outside of one."""

    def __init__(self) -> None:
        self._sent: dict[str, list[str]] = {}
        self._databases: dict[str, str] = {}

    def started(self, event: CommandStartedEvent) -> None:
        command = event.command
        if "autocommit" not in command:  # outside of a transaction
            if command.get("update") == "offsets":
                self._sent.setdefault(event.database_name, []).append("alone")
            return
        session = str(command["lsid"]["id"])
        if event.command_name in LASTING:  # these go to `admin`
            self._sent.setdefault(self._databases[session], []).append(event.command_name)
            return
        self._databases[session] = event.database_name
        self._sent.setdefault(event.database_name, []).append(f"{event.command_name} {command[event.command_name]}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignored: a statement counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignored, for the same reason."""

    def taken(self, database: str) -> list[str]:
        """Those of this database since the last call."""
        return self._sent.pop(database, [])


@contextmanager
def listened() -> Iterator[Statements]:
    """Listen to every store that is made within the block."""
    statements = Statements()
    with patch("services.store.mongo.AsyncIOMotorClient", partial(AsyncIOMotorClient, event_listeners=[statements])):
        yield statements
