"""The offsets of partitions that a consumer is assigned or gives up.

Invariants: a consumer takes no record of a partition before its offset document is there, and an erasure conflicts with the making of one.
So a transaction of a consumer either sees the register of the erased, or writes an offset that the erasure has fenced. What a consumer
keeps of a topic that it does not read any more is removed, but for its marks: if it reads the topic again, nothing takes effect twice.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from services.events.delivery.state import Partition
from services.events.inbox.dead_letters import supersede
from services.events.inbox.documents import OffsetDocument, offset_document
from services.store.fence import ASSIGNMENTS, conflict
from services.store.mongo import Document, Store, Transaction, UpdateOne


async def begin_partitions(store: Store, consumer: str, partitions: Iterable[Partition]) -> dict[str, Document]:
    """Return the offset documents of these partitions, by id; those that are missing are made, for the first record."""
    first = {each["_id"]: each for each in (offset_document(consumer, place, 0) for place in partitions)}
    kept = await store.by_id("offsets", list(first))
    missing = [each for id, each in first.items() if id not in kept]
    if missing:
        await store.transaction(partial(_make, store, missing))
        kept = await store.by_id("offsets", list(first))
    return kept


async def _make(store: Store, missing: Sequence[OffsetDocument], transaction: Transaction) -> None:
    made = [UpdateOne({"_id": each["_id"]}, {"$setOnInsert": each}, upsert=True) for each in missing]
    await store.write_all({ASSIGNMENTS: [conflict()], "offsets": made}, transaction)


async def give_up(store: Store, consumer: str, reads: Collection[str]) -> None:
    """Delete what the consumer keeps of topics other than these. Open dead letters of them are closed, and their subjects go on."""
    unread = {"consumer": consumer, "topic": {"$nin": list(reads)}}
    if await store["offsets"].find_one(unread, {"_id": 1}) is None:
        return
    await store["parked"].delete_many(unread)
    stopped = await store["dead"].distinct("subject_key", unread)
    await store["marks"].update_many(
        {"consumer": consumer, "subject_key": {"$in": stopped}}, {"$unset": {"stopped": ""}}
    )
    await supersede(store, unread, "its consumer does not read the topic any more")
    # Last, because they tell that there is something to delete.
    await store["offsets"].delete_many(unread)
