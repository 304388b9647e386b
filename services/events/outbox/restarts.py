"""The pause before a background task that failed starts again, and the release of its lease after repeated failures.

Invariant: a copy that fails again and again gives up its lease and waits, because the cause may be this copy alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from services.store.errors import backoff
from services.store.mongo import PyMongoError

STABLE = 30.0  # seconds; a life that was longer ends a run of failures
FAILING = 3  # failures one after the other, from which on another copy may try
GIVEN_WAY = 1.2  # seconds; the other copies try to take the lease every second


class RestartPolicy:
    """Restarts of one background task that holds a lease. `release` gives the lease up."""

    def __init__(self, release: Callable[[], Awaitable[None]]) -> None:
        self._release, self._failures, self._started = release, 0, 0.0

    def started(self) -> None:
        """Note the start of the task."""
        self._started = asyncio.get_running_loop().time()

    async def failed(self) -> None:
        """Wait until the task may start again: 0.1 s to 5.1 s with jitter, more by `GIVEN_WAY` after `FAILING` failures."""
        lived = asyncio.get_running_loop().time() - self._started
        self._failures = self._failures + 1 if lived < STABLE else 1
        if self._failures >= FAILING:
            with suppress(PyMongoError):
                await self._release()
            await asyncio.sleep(GIVEN_WAY)
        await asyncio.sleep(0.1 + backoff(min(self._failures, 9), cap=5.0))
