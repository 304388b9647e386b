"""Generations of the projections of a service: begun beside the live one, read from some moment on, discarded.

Invariants: readers read a generation only after it has taken all that its projections handle. One process at a time builds one, by a lease
in the document of the pointer; the switch is fenced by that lease.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from services.events.inbox.dead_letters import supersede
from services.events.inbox.documents import dead_id, without_generation
from services.events.inbox.projections import PROJECTIONS, ProjectionPointer, ReadModels, generation_in
from services.store.fence import fence
from services.store.lease import Lease, LeaseLost
from services.store.mongo import Document, ReplaceOne, Store, Transaction, UpdateOne

POINTER: Document = {"_id": PROJECTIONS}


def lease_of(models: ReadModels) -> Lease:
    """Return a claim to build a generation."""
    return Lease(models.store, PROJECTIONS, ProjectionPointer.collection)


async def is_whole(models: ReadModels) -> bool:
    """Tell whether the live generation has taken all that its projections handle today. Settles the first one of a new database."""
    pointer, wanted = await models.pointer(), models.handled
    if not wanted:
        return True
    filled = pointer.handled
    if filled is None and not await _consumers_of_before(models.store):
        filled = wanted
    if filled is None or any(not {*kinds} <= {*filled.get(name, ())} for name, kinds in wanted.items()):
        return False
    if pointer.handled != wanted:
        # Also when there are fewer than before: those that are gone are not taken any more, and may come again.
        settled = {"$set": {"handled": wanted}, "$setOnInsert": {"live": 1}}
        await models.store.write(ProjectionPointer.collection, [UpdateOne(POINTER, settled, upsert=True)])
    return True


async def begin(models: ReadModels) -> int:
    """Create a new, empty generation. What an earlier build left unfinished is discarded."""
    before = await _consumers_of_before(models.store)
    following = max([await models.live(), *(generation_in(each) or 0 for each in before)]) + 1
    await discard(models, lambda number: number == following)
    await models.prepare(following)
    await _take_dismissals_over(models.store, sorted({without_generation(each) for each in before}))
    return following


async def switch(models: ReadModels, generation: int, lease: Lease) -> None:
    """Readers read this generation from now on. Raises LeaseLost when another process builds one."""
    live = UpdateOne(lease.mine, {"$set": {"live": generation, "handled": models.handled}})
    if not await models.store.write(ProjectionPointer.collection, [live]):
        raise LeaseLost


async def discard(models: ReadModels, is_gone: Callable[[int], bool]) -> None:
    """Drop generations: their rows, marks, offsets and parked events. Their dead letters are closed."""
    store = models.store
    for collection in await models.collections():
        if is_gone(generation_in(collection) or 0):
            await store[collection].drop()
    for consumer in await store["offsets"].distinct("consumer"):
        number = generation_in(consumer)
        if number is not None and is_gone(number):
            await _discard_consumer(store, consumer)


async def _discard_consumer(store: Store, consumer: str) -> None:
    # Offsets last, because a consumer that is left is found by them.
    await supersede(store, {"consumer": consumer}, "its generation is no more")
    for collection in ("marks", "parked", "offsets"):
        await store[collection].delete_many({"consumer": consumer})


async def _consumers_of_before(store: Store) -> list[str]:
    """Return the consumers by which an older version filled each projection by itself (`path.g1`)."""
    found: list[str] = await store["offsets"].distinct("consumer")
    return [each for each in found if without_generation(each) not in {each, PROJECTIONS}]


async def _take_dismissals_over(store: Store, projections: list[str]) -> None:
    """Let what was dismissed for one of these projections be dismissed for the consumer of all."""
    found: list[Any] = []
    async for each in store["dismissed"].find({"consumer": {"$in": projections}}):
        _id = dead_id(PROJECTIONS, each["name"])
        found.append(ReplaceOne({"_id": _id}, {**each, "_id": _id, "consumer": PROJECTIONS}, upsert=True))
    if found:
        await store.transaction(partial(_store_dismissals, store, found))


async def _store_dismissals(store: Store, dismissals: list[Any], transaction: Transaction) -> None:
    await fence(store, transaction)  # a consumer may remember that nothing was dismissed
    await store.write("dismissed", dismissals, transaction)
