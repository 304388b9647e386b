"""The programmes that a service serves follow what is published, without a restart.

Invariant: what is stored counts before the file of the folder; a service that never heard of a programme begins with the file, which
is what enrolment publishes first. A version that cannot be read changes nothing, and keeps no other programme back.
"""

import asyncio
import logging
from datetime import datetime

from services.programmes import Programme, ServedProgrammes
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store
from services.store.programmes import changed_programmes

log = logging.getLogger(__name__)
EVERY = 1.0  # seconds between looks


class Follower:
    """Follows the stored programmes of one service."""

    def __init__(self, store: Store, served: ServedProgrammes) -> None:
        self._store, self.served = store, served
        self._known: dict[str, tuple[int, datetime]] = {}

    async def look(self) -> None:
        """Serve the newest stored versions from now on."""
        changed = await changed_programmes(self._store, self._known)
        readable: dict[str, Programme] = {}
        for each in changed:
            try:
                readable[each.id] = each.programme
            except ValueError:
                # Once, and not at every look: it is known from now on.
                extra = {"service": self._store.name, "programme": each.id, "version": each.version}
                log.exception("programme cannot be read: what was in force stays", extra=extra)
        self.served.follow(readable)
        self._known |= {each.id: (each.version, each.recorded) for each in changed}

    async def run(self) -> None:
        """Look every second, for as long as the service runs. While MongoDB is away, what is known stays in force."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                extra = {"service": self._store.name, "error": type(error).__name__}
                log.warning("programmes cannot be read", extra=extra)
