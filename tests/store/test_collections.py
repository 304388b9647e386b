"""Copies of a service that start at the same moment, on a database where nothing is yet."""

import asyncio

import enrolment.app
from services.settings import Settings
from services.store.collections import COLLECTIONS, prepare


async def test_copies_that_start_at_once_on_a_new_database_all_start(settings: Settings) -> None:
    copies = [enrolment.app.build(settings) for _ in range(8)]
    try:
        await asyncio.gather(*(prepare(each.store, each.aggregates) for each in copies))
        assert {*COLLECTIONS, "worker"} <= set(await copies[0].store.db.list_collection_names())
    finally:
        for each in copies:
            await each.store.close()
