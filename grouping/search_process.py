"""The search for groups runs in processes of their own, which begin when somebody asks for a proposal and end when nobody has for a while.

Invariants: this process never loads the engine, which takes more memory than all services together. A process that ended in the middle of
a search is replaced once; after a second end the request is refused for now, and the service goes on. A process does not outlive the
service, however that ends.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from services.kernel import Unavailable
from services.runtime.service import Service

R = TypeVar("R")
AT_ONCE = 2  # processes
IDLE = 300.0  # seconds without a search, after which the processes end
AGAIN = 60.0  # seconds after which a search that was ended twice may be asked for again
ENDED = "The search for groups was ended twice, perhaps for want of memory. Nothing is lost: ask for it again later."
LOOK = 1.0  # seconds between two looks whether the service is there
NICE = 5  # a search may take all of a core: services answer meanwhile


class SearchProcesses:
    """Runs functions in the processes. `idle`: seconds without a call, after which they end. Used by one event loop."""

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._pool: ProcessPoolExecutor | None = None
        self._running = 0
        self._last = 0.0  # time.monotonic of the last call

    async def run(self, function: Callable[..., R], *given: object) -> R:
        """Call a function of a module with arguments that pickle; return or raise what it does. Unavailable when the process ended
        twice."""
        self._running += 1
        try:
            try:
                return await self._once(function, given)
            except BrokenProcessPool:
                # The system may have ended it, for want of memory.
                return await self._once(function, given)
        except BrokenProcessPool as error:
            raise Unavailable(ENDED, after=int(AGAIN)) from error
        finally:
            self._running -= 1
            self._last = time.monotonic()

    async def _once(self, function: Callable[..., R], given: tuple[object, ...]) -> R:
        if self._pool is None:
            # Not a copy of this process, whose threads and connections it would have.
            fresh = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(AT_ONCE, fresh, _begin, (os.getpid(),))
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, function, *given)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            raise

    async def end_idle(self) -> None:
        """End the processes when they are idle, for as long as the service runs; and all of them with it."""
        try:
            while True:
                await asyncio.sleep(min(LOOK, self._idle))
                if not self._running and time.monotonic() - self._last >= self._idle:
                    self.close()
        finally:
            self.close()

    def close(self) -> None:
        """End the processes without waiting for a search."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # Its processes are asked by a signal: a search would go on for seconds.
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(service: int) -> None:
    """Begin a process: it ends with the service of this process id."""
    # Ctrl-C reaches all processes of a terminal: the service decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    threading.Thread(target=_follow, args=(service,), daemon=True).start()


def _follow(service: int) -> None:
    while os.getppid() == service:
        time.sleep(LOOK)
    os._exit(1)


async def end_idle_searches(service: Service) -> None:
    """The background task of the processes."""
    await service.app.state.searching.end_idle()


async def _searching(request: Request) -> SearchProcesses:
    found: SearchProcesses = request.app.state.searching
    return found


Searching = Annotated[SearchProcesses, Depends(_searching)]
