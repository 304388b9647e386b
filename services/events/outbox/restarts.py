"""What begins again by itself after whatever goes wrong: how long it waits, and when it lets another copy try.

Invariant: who fails again and again gives up its lease, since the reason may be this copy alone: another one waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from services.store.errors import backoff
from services.store.mongo import PyMongoError

STEADY = 30.0  # seconds; a life that was longer ends a row of failures
AILING = 3  # failures in a row after which another copy may try
GIVEN_WAY = 1.2  # seconds; the others ask every second


class RestartPolicy:
    """Lives of one worker that holds a lease. `release` gives it up."""

    def __init__(self, release: Callable[[], Awaitable[None]]) -> None:
        self._release, self._failures, self._began = release, 0, 0.0

    def begins(self) -> None:
        """A life begins."""
        self._began = asyncio.get_running_loop().time()

    async def failed(self) -> None:
        """It ended: wait as long as is due until the next."""
        lived = asyncio.get_running_loop().time() - self._began
        self._failures = self._failures + 1 if lived < STEADY else 1
        if self._failures >= AILING:
            with suppress(PyMongoError):
                await self._release()
            await asyncio.sleep(GIVEN_WAY)
        await asyncio.sleep(0.1 + backoff(min(self._failures, 9), cap=5.0))
