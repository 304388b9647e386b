"""Copies of a service that start at the same moment, on a database where nothing is yet."""

import asyncio

import pytest

import enrolment.app
from services.settings import Misconfigured, Settings
from services.store.collections import COLLECTIONS, prepare
from services.store.mongo import Store


async def test_copies_that_start_at_once_on_a_new_database_all_start(settings: Settings) -> None:
    copies = [enrolment.app.build(settings) for _ in range(8)]
    try:
        await asyncio.gather(*(prepare(each.store, each.aggregates) for each in copies))
        assert {*COLLECTIONS, "worker"} <= set(await copies[0].store.db.list_collection_names())
    finally:
        for each in copies:
            await each.store.close()


@pytest.mark.parametrize(("collection", "document"), [("outbox", {"seq": 1, "p": "jobs2"}), ("marks", {"k": "a|b"})])
async def test_a_database_with_short_field_names_is_refused(
    settings: Settings, collection: str, document: dict[str, object]
) -> None:
    store = Store(settings.mongo, settings.database_of("before_the_release"))
    try:
        await store[collection].insert_one(document)
        with pytest.raises(Misconfigured, match="short field names"):
            await prepare(store, ())
        await store[collection].delete_many({})
        await prepare(store, ())
    finally:
        await store.close()
