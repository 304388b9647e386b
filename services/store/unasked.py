"""A cancellation that nobody asked for, of which aiokafka raises some: the work that it ended begins again.

Invariant: who cancels a task is obeyed. `Task.cancelling` counts those requests, and none of them stands behind a cancellation that a
library raises by itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.store.errors import backoff

log = logging.getLogger(__name__)
T = TypeVar("T")


def asked_for() -> bool:
    """Tell if somebody cancels the current task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _never() -> bool:
    return False


async def until_asked(begin: Callable[[], Awaitable[T]], name: str, over: Callable[[], bool] = _never) -> T:
    """Do the work, and begin it again whenever a cancellation ends it that nobody asked for: after 0.1 s to 5.1 s, longer each time.
    `over`: true when the work itself ends in this way, because it is to stop."""
    times = 0
    while True:
        try:
            return await begin()
        except asyncio.CancelledError as error:
            if asked_for() or over():
                raise
            log.error("cancelled by nobody: begins again", extra={"reason": name}, exc_info=error)  # noqa: TRY400  # with its trace
        times += 1
        await asyncio.sleep(0.1 + backoff(min(times, 10), cap=5.0))
