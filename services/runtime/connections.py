"""Limits of connections: their number, and the times and sizes of what a client sends and reads.

Invariant: a client that is slow or silent keeps a connection for a bounded time, and takes bounded memory. When all places are taken,
those that wait for their client give way to new ones, whatever they wait for: a request, its body, or that the answer is read.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one process. The times are seconds."""

    connections: int = 500
    headers: int = 64 * 1024  # bytes of the request line and the headers
    address: int = (
        8 * 1024
    )  # bytes of the path and the query: what is made of them, as links and errors, is many times as long
    ahead: int = 16  # requests in a row that are answered though they were sent before the answer to the former one
    headers_within: float = 10.0  # from the opening of the connection, or from the first byte of a later request
    body_within: float = 30.0  # from the end of the headers
    reads_within: float = 30.0  # a client that takes no byte of its answer for so long is cut off
    closes_within: float = (
        3.0  # for what is still to be sent when a connection is closed, and to be thrown away after a refusal
    )
    idle: float = (
        180.0  # longer than in clients (Caddy: 120), so that none sends on a connection that closes at that moment
    )


class Phase(IntEnum):
    """The thing that a connection waits for. All but ANSWER are up to its client."""

    IDLE = 0
    HEADERS = 1
    BODY = 2
    READING = 3  # the client does not take what was written
    ANSWER = 4


class Connection(Protocol):
    """The part of a connection that the register uses."""

    @property
    def phase(self) -> Phase:
        """The thing that it waits for."""

    def give_way(self) -> None:
        """Close it, so that another one gets its place."""


class Connections:
    """The open connections of a process, the one that was used longest ago first."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: OrderedDict[Connection, None] = OrderedDict()
        self._refused: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Connection) -> bool:
        """Take a place, if need be that of another; False when all others are being answered."""
        if len(self._open) >= self.limits.connections:
            waiting = [each for each in self._open if each.phase < Phase.ANSWER]
            if not waiting:
                return False
            # Idle ones lose nothing. Of the others the one that was used longest ago: an order by phase would have those that were just
            # opened give way to many that stay in a later phase.
            oldest = next((each for each in waiting if each.phase is Phase.IDLE), waiting[0])
            self.leave(oldest)
            oldest.give_way()
        self._open[connection] = None
        return True

    def used(self, connection: Connection) -> None:
        """Note that the client has sent or taken something."""
        if connection in self._open:
            self._open.move_to_end(connection)

    def leave(self, connection: Connection) -> None:
        """Free its place, if it has one."""
        self._open.pop(connection, None)
        self._refused.discard(connection)

    def refuse(self, connection: Connection) -> bool:
        """Free its place; True when it may stay for a moment, so that the client reads the refusal. There are as many such places."""
        self.leave(connection)
        if len(self._refused) >= self.limits.connections:
            return False
        self._refused.add(connection)
        return True
