"""Waits for what comes by events, with a limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from services.runtime.service import Service


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    """Repeat `check` until it gives something true, and return that. A failure shows its last answer."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        last = await check()
        if last:
            return last
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s; last seen: {last!r}")


async def projected(service: Service) -> bool:
    """True when the service's own projections have taken whatever its outbox holds. `late` does not ask for what was not sent yet."""
    name, topics = next(each for each in (await service.consumers()).items() if each[0].startswith("projections"))
    where = {"topic": {"$in": sorted(topics)}, "sequence": {"$gt": 0}}
    rows = service.store["outbox"].find(where, {"topic": 1, "key": 1}).sort("sequence", 1)
    newest = {(each["topic"], each["key"]): each["_id"] async for each in rows}
    marks = {each["id"] async for each in service.store["marks"].find({"consumer": name}, {"id": 1})}
    return {*newest.values()} <= marks


async def late(services: Iterable[Service]) -> list[str]:
    """Names of consumers that have not taken all records. They are asked together, since each answers when its reader has."""
    consumers = [(f"{each.name} {name}", c) for each in services for name, c in each.runners.items()]
    level = await asyncio.gather(*(c.caught_up() for _, c in consumers))
    return [name for (name, _), is_level in zip(consumers, level, strict=True) if not is_level]
