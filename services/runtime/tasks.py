"""The asyncio tasks of a service, which run until it stops.

Invariant: a task that ends by itself ends the service, loudly; one that is cancelled by nobody begins again; stopping takes bounded
time, also when no engine answers.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from services.store.unasked import until_asked

log = logging.getLogger(__name__)
TIMES = 3  # a task is cancelled
STOPPING = 20.0  # seconds for what is in hand to finish; then the transactions behind it abort by themselves


class Tasks:
    """The tasks of one service. `ended` exists from `begin` on, and fails with the error that ended the service."""

    def __init__(self, service: str) -> None:
        self.ended: asyncio.Future[None] | None = None
        self._service = service
        self._running: list[asyncio.Task[Any]] = []

    def begin(self) -> None:
        """Make `ended`: from now on, a task that ends also ends the service."""
        self.ended = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        """True when the service has not begun, or has ended."""
        return self.ended is None or self.ended.done()

    def spawn(self, begin: Callable[[], Coroutine[Any, Any, Any]], name: str) -> None:
        """Run a task whose end, other than by `stop`, ends the service. `begin` is called again after a cancellation by nobody."""
        called = f"{self._service} {name}"
        task = asyncio.get_running_loop().create_task(until_asked(begin, called), name=called)
        task.add_done_callback(self._ended)
        self._running.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """End the service. `stop` removes this callback first, so a task that was cancelled here was so by an order of somebody else."""
        error = None if task.cancelled() else task.exception()
        self.fail(error or RuntimeError(f"{task.get_name()} ended"))

    def fail(self, error: BaseException) -> None:
        """End the service with this error."""
        log.critical("service ends", extra={"service": self._service, "error": type(error).__name__}, exc_info=error)
        # The first error counts; later ones are often its consequence.
        if self.ended is not None and not self.ended.done():
            self.ended.set_exception(error)

    async def stop(self) -> None:
        """Cancel all tasks and wait for their end."""
        for task in self._running:
            # Otherwise each task that is cancelled here would end the service with an error.
            task.remove_done_callback(self._ended)
        stuck = {*self._running}
        for _ in range(TIMES if stuck else 0):
            for task in stuck:
                task.cancel()  # repeatedly, since aiokafka swallows a cancellation while it closes a reader
            if not (stuck := (await asyncio.wait(stuck, timeout=STOPPING / TIMES))[1]):
                break
        for task in stuck:
            log.error("task does not end", extra={"service": self._service, "error": task.get_name()})
        self._running.clear()

    async def end(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Await the stop of one other part (`what`, for the log) for a bounded time. Without an engine it may not stop in order, and
        aiokafka then raises CancelledError; the other parts are stopped all the same."""
        task = asyncio.ensure_future(work)
        # `wait` does not raise what the task raised: aiokafka's CancelledError would end the whole stop.
        done, _ = await asyncio.wait([task], timeout=STOPPING)
        if not done:
            task.cancel()
        if not done or task.cancelled() or task.exception() is not None:
            why = "it takes too long" if not done else "cancelled" if task.cancelled() else repr(task.exception())[:300]
            log.warning("not stopped in order", extra={"service": self._service, "reason": what, "error": why})
