"""Rebuild of a projection in a new generation, beside the live one.

Invariant: readers see the old rows until the new generation has taken every entry that the old one had, and then the new rows.
"""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer

from services.consumer.feed import Feed, FeedStopped
from services.consumer.stores import Store, Transaction, transact
from services.consumer.taker import BATCH, Taker, live
from services.events.delivery.declare import Projection

GRACE = 1.0  # seconds for readers that opened the old rows just before the switch
Report = Callable[[int, int], None]


async def rebuild_beside(projection: Projection, name: str, store: Store, feed: Feed, report: Report) -> int:
    """Build from the first entry to the last, and switch readers over. Returns the new generation. FeedStopped when the feed stops it."""

    async def begin(transaction: Transaction) -> int:
        generation = await live(transaction, name)
        for other in (generation - 1, generation + 1):  # what an earlier one left unfinished
            await forget(transaction, name, other)
            await transaction.discard(name, other)
        return generation

    old = await transact(store, begin)
    taker = Taker(projection, name, store, old + 1, follows=False)

    async def switch(transaction: Transaction) -> bool:
        held, holds = await _places(transaction, name, old), await _places(transaction, name, old + 1)
        if any(place > holds.get(source, 0) for source, place in held.items()):
            return False  # the live one has taken more meanwhile
        await transaction.prepare(name, old + 1, projection.fields)
        await transaction.remember("live", name, {"generation": old + 1})
        await transaction.flip(name, old + 1, projection.fields)
        await forget(transaction, name, old)  # conflicts with a transaction that writes there now
        return True

    async with feed.reading() as reader:
        await _catch_up(reader, feed, taker, report)
        while not await transact(store, switch):
            await asyncio.sleep(0.05)
            await _catch_up(reader, feed, taker, report)
    await asyncio.sleep(GRACE)
    await transact(store, lambda transaction: transaction.discard(name, old))
    return old + 1


async def forget(transaction: Transaction, name: str, generation: int) -> None:
    """Delete the marks of a generation, and what it has set aside."""
    own = f"{name}.g{generation}"
    for kind in ("mark", "waiting"):
        for id in await transaction.browse(kind, f"{own}|"):
            await transaction.remember(kind, id, None)
    await transaction.remember("stopped", own, None)


async def _catch_up(reader: AIOKafkaConsumer, feed: Feed, taker: Taker, report: Report) -> None:
    there = (await reader.end_offsets([feed.partition]))[feed.partition]
    while (done := await reader.position(feed.partition)) < there:
        report(done, there)
        found = await reader.getmany(feed.partition, timeout_ms=500, max_records=BATCH)
        taken = await taker.take([(each.offset, each.value) for each in found.get(feed.partition, [])])
        if taken.stopped is not None:
            raise FeedStopped(f"{taker.name} cannot be rebuilt from {feed.topic}: {taken.stopped}.")
    report(there, there)


async def _places(transaction: Transaction, name: str, generation: int) -> dict[str, int]:
    own = f"{name}.g{generation}|"
    return {id.removeprefix(own): mark["sequence"] for id, mark in (await transaction.browse("mark", own)).items()}
