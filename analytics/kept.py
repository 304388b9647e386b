"""Results of costly reads, kept for a short while, so that a page costs the same however large the programme is.

Invariant: what is shown is at most SECONDS old and says its moment; one read at a time is made for each programme, whoever waits for it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from services.store.clock import now_utc

T = TypeVar("T")
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A result, and the moment before which it was read."""

    value: T
    at: datetime


@dataclass(slots=True)
class _Place(Generic[T]):
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken: Taken[T] | None = None
    until: float = 0.0


class Kept(Generic[T]):
    """Keeps the latest result for each programme. `clock` counts seconds from any start."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._places: dict[str, _Place[T]] = {}

    async def of(self, programme: str, read: Callable[[datetime], Awaitable[T]]) -> Taken[T]:
        """Return the kept result, or that of `read`, which is given the present moment. An error of `read` is kept for nobody."""
        place = self._places.setdefault(programme, _Place())
        async with place.lock:
            if place.taken is None or self._clock() >= place.until:
                at = now_utc()
                place.taken = Taken(await read(at), at)
                place.until = self._clock() + self._seconds
            return place.taken
