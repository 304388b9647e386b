"""Of the erased nothing comes back: what a second copy wrote about somebody while the first took their erasure is deleted again.

Two transactions that write different documents do not conflict: one that began before the erasure was stored may set a row after the
rows were deleted. Invariant: no transaction lives as long as an erasure is looked after here, so that after it no such row is left.
"""

import asyncio
import logging
from datetime import timedelta

from services.events.inbox.projections import ReadModels, collection_of
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store

log = logging.getLogger(__name__)
EVERY = 20.0  # seconds between looks
LOOKED_AFTER = timedelta(minutes=5)  # a transaction lives for one minute at most, and each look must find MongoDB there


async def forget_again(store: Store, read_models: ReadModels) -> None:
    """Look for as long as the service runs."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await sweep(store, read_models)
        except PyMongoError as error:
            if not is_transient(error):
                raise
            log.warning("the erased are looked after later", extra={"error": type(error).__name__})


async def sweep(store: Store, read_models: ReadModels) -> int:
    """Delete every row about those who were erased lately, also of a generation that is being built; returns how many there were."""
    recent = [each async for each in store["erased"].find({"at": {"$gt": now_utc() - LOOKED_AFTER}}, {"programme": 1})]
    found = 0
    for name in read_models.projections if recent else ():
        live = await read_models.live(name)
        for generation in (live, live + 1):
            for each in recent:
                about = {"programme": each["programme"], "person": each["_id"].partition("/")[2]}
                found += int((await store[collection_of(name, generation)].delete_many(about)).deleted_count)
    return found
