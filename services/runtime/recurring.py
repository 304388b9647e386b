"""Work of a service that falls due on a day without any other event: a background task looks for it in every programme.

Invariant: any number of copies may look at once, since a command decides anew on the state that it finds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.kernel import Unavailable
from services.programmes import Programme
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between two looks
Look = Callable[[Service, Programme, datetime], Awaitable[None]]


async def look_again_and_again(service: Service, look: Look) -> None:
    """Look at every programme once a minute, for as long as the service runs. Waits while the database is away."""
    while True:
        try:
            for rules in list(service.rules.values()):
                await look(service, rules, now_utc())
        except (PyMongoError, Unavailable) as error:
            if not (isinstance(error, Unavailable) or is_transient(error)):
                raise
            log.warning(
                "what falls due waits",
                extra={"service": service.name, "reason": look.__name__, "error": type(error).__name__},
            )
        await asyncio.sleep(EVERY)
