"""The loops of the formation engine are compiled in the background, where the set-up has not done it: an installation from a wheel.

Invariant: the service starts and answers meanwhile. Another process compiles, at a low priority, so that this one needs no memory for it.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

from grouping.formation import caching
from services.runtime.service import Service

log = logging.getLogger(__name__)
NICE = 10
COMMAND = (sys.executable, "-m", "grouping.formation")


async def compile_in_advance(service: Service) -> None:
    """Compile once, then wait for as long as the service runs: a task that ends would end it."""
    if not await asyncio.to_thread(caching.is_complete):
        log.warning(
            "groups are formed slowly until the engine is compiled, in a minute", extra={"service": service.name}
        )
        if status := await _compiled():
            log.error("the engine was not compiled in advance", extra={"service": service.name, "error": status})
    await asyncio.Event().wait()


async def _compiled() -> int:
    """Exit status of the process that compiles. It ends with the service."""
    process = await asyncio.create_subprocess_exec(*COMMAND, start_new_session=True)
    try:
        # It may have ended already: asyncio collects its status in a thread.
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        return await process.wait()
    except asyncio.CancelledError:
        # The group: it has two processes of its own.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
