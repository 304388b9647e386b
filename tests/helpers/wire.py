"""A TCP proxy between clients and a server that can stop answering in two ways: silent or refusing.

Invariant: bytes that one end sent before a cut are never delivered after it; a wire that is whole again serves new connections.
"""

import asyncio
import threading
from collections.abc import Coroutine
from enum import Enum
from typing import Any

from services.engines.ports import LOOPBACK


class State(Enum):
    """States of the wire: passing bytes, silent, or refusing connections."""

    WHOLE = "whole"
    SILENT = "silent"  # connections are accepted and stay open, and nothing passes
    REFUSING = "refusing"  # nothing listens, and open connections are closed


class HungUp(Exception):
    """Signal that one end closed its connection."""


class Wire:
    """Listens on `port` and passes bytes to `target`. It runs in a thread of its own, so that no test's loop delays it."""

    def __init__(self, port: int, target: int) -> None:
        self._port, self._target = port, target
        self._state = State.WHOLE
        self._connections: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._listen())

    def be(self, state: State) -> None:
        """Change the state. Connections of a silent wire are closed when the silence ends."""
        self._do(self._become(state))

    def close(self) -> None:
        """Close all connections and end the thread."""
        self.be(State.REFUSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self._port)

    async def _become(self, state: State) -> None:
        before, self._state = self._state, state
        if before is State.SILENT or state is State.REFUSING:
            for each in self._connections:
                each.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
        if state is State.REFUSING and self._server is not None:
            self._server.close()
            self._server = None
        if state is not State.REFUSING and self._server is None:
            await self._listen()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes both ways until an end or the wire closes. The set holds the task, since an event loop keeps only a weak reference."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        ends = [writer]
        try:
            await self._passing()
            there, back = await asyncio.open_connection(LOOPBACK, self._target)
            ends.append(back)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, back))
                both.create_task(self._pass(there, writer))
        except* (OSError, HungUp, asyncio.CancelledError):
            pass  # one end is gone, or the wire: both connections end
        finally:
            self._connections.discard(task)
            for each in ends:
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._passing()
            writer.write(data)
            await writer.drain()
        raise HungUp

    async def _passing(self) -> None:
        """Return at once on a whole wire, never on a silent one. HungUp on a refusing one."""
        if self._state is State.REFUSING:
            raise HungUp
        if self._state is State.SILENT:
            await asyncio.Event().wait()
