"""Deletes again what another copy of the service wrote about a person while the first copy handled the person's erasure.

Two transactions that write different documents do not conflict. So one that began before the erasure was stored may set a row after
the rows were deleted. Invariant: the search covers a longer time than any transaction lives, so that afterwards no such row is left.
"""

import asyncio
import logging
from datetime import timedelta

from services.events.inbox.projections import ReadModels, collection_of
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store

log = logging.getLogger(__name__)
EVERY = 20.0  # seconds between searches
SEARCHED = timedelta(
    minutes=5
)  # after an erasure; a transaction lives for one minute, and a search may find MongoDB away


async def forget_again(store: Store, read_models: ReadModels) -> None:
    """Search for as long as the service runs."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await sweep(store, read_models)
        except PyMongoError as error:
            if not is_transient(error):
                raise
            log.warning("rows of erased people are deleted later", extra={"error": type(error).__name__})


async def sweep(store: Store, read_models: ReadModels) -> int:
    """Delete every row about a recently erased person, also of a generation that is being built. Returns the number of rows."""
    recent = [each async for each in store["erased"].find({"at": {"$gt": now_utc() - SEARCHED}}, {"programme": 1})]
    deleted = 0
    for name in read_models.projections if recent else ():
        live = await read_models.live(name)
        for generation in (live, live + 1):
            for each in recent:
                about = {"programme": each["programme"], "person": each["_id"].partition("/")[2]}
                result = await store[collection_of(name, generation)].delete_many(about)
                deleted += int(result.deleted_count)
    return deleted
