"""Damaged partitions of Kafka, noticed where the consumers log them.

Invariant: nothing is repaired here. The broker hands a damaged record out, since clients check it. The library that reads it logs the
error and tries again for ever, so that nothing else would tell.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aiokafka.errors import CorruptRecordException

from services.engines.errors import EngineError
from services.engines.kafka import refill

READER = "faststream.bus"  # the logger of the library by which consumers read


class Damage(logging.Handler):
    """Keeps the first error about a damaged record. `folder`: Kafka's files; None for a Kafka that is elsewhere."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(logging.WARNING)
        self.folder = folder
        self.why: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the error of a line."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, CorruptRecordException):
            self.why = self.why or str(error)

    def check(self) -> None:
        """Raise EngineError, which says what to do, when a damaged record was met."""
        if self.why is not None:
            remedy = refill(self.folder) if self.folder else "its operators must repair it."
            raise EngineError(f"A partition of Kafka is damaged ({self.why}): {remedy}")

    async def unless_met(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and end it as soon as a damaged record is met."""
        doing = asyncio.ensure_future(work)
        try:
            while not doing.done():
                self.check()
                await asyncio.wait([doing], timeout=0.5)
            doing.result()
        finally:
            doing.cancel()
            with suppress(BaseException):
                await doing


@contextmanager
def noticing(folder: Path | None) -> Iterator[Damage]:
    """Notice damaged records for as long as the block runs."""
    damage, reader = Damage(folder), logging.getLogger(READER)
    reader.addHandler(damage)
    try:
        yield damage
    finally:
        reader.removeHandler(damage)
