"""Work of a service that falls due on a day without any other event: a background task looks for it in every programme, and again soon
after a programme has changed.

Invariants: any number of copies may look at once, since a command decides anew on the state that it finds. The programmes wait for
each other in nothing: each has a task of its own, and what fails or takes long in one is its own affair.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from services.kernel import Unavailable
from services.programmes import Programme
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between two looks
STEP = 1.0  # seconds in which a change of a programme is noticed, at most `EVERY`
Look = Callable[[Service, Programme, datetime], Awaitable[None]]
T = TypeVar("T")


async def look_again_and_again(service: Service, look: Look) -> None:
    """Look at every programme once a minute, and when it has changed, for as long as the service runs. Waits while the database is away."""
    looks: dict[str, tuple[asyncio.Task[None], Programme, float]] = {}
    # The group passes a cancellation on. None of its tasks raises, and one that is cancelled by nobody is begun again.
    async with asyncio.TaskGroup() as together:
        while True:
            for id in list(service.rules):
                rules, now = service.rules[id], time.monotonic()
                if id not in looks or _is_due(*looks[id], rules, now):
                    task = together.create_task(_look(service, look, id), name=f"{look.__name__} of {id}")
                    looks[id] = task, rules, now
            await asyncio.sleep(min(STEP, EVERY))


def _is_due(last: "asyncio.Task[None]", seen: Programme, began: float, rules: Programme, now: float) -> bool:
    """Tell whether a programme is looked at again: the last look has ended, and it was long ago or of another version."""
    changed = seen is not rules and seen != rules
    return last.done() and (changed or now - began >= EVERY)


async def _look(service: Service, look: Look, programme: str) -> None:
    """Look at one programme. Whatever fails is logged, and tried again with the next look."""
    try:
        await look(service, service.rules[programme], now_utc())
    except Exception as error:
        extra = {
            "service": service.name,
            "programme": programme,
            "reason": look.__name__,
            "error": type(error).__name__,
        }
        if isinstance(error, Unavailable) or is_transient(error):
            log.warning("what falls due waits", extra=extra)
        else:
            log.exception("what falls due fails", extra=extra)


async def in_parts(service: Service, items: Sequence[T], work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
    """Do the work on all of these at once. When that fails for another reason than the engine, on each alone: one that cannot be read,
    or is refused, is logged and keeps no other back."""
    try:
        await work(items)
    except (PyMongoError, Unavailable):
        raise
    except Exception:
        log.exception("what falls due fails", extra={"service": service.name, "count": len(items)})
        for each in items if len(items) > 1 else ():
            await in_parts(service, [each], work)
