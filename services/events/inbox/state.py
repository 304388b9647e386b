"""The state of a consumer in the service's own MongoDB, written in the transaction of its effects.

Invariant: a partition's offset moves only from the value that this transaction read. So two copies that both believe they own a
partition cannot both take its records.
"""

from collections.abc import Collection, Mapping
from typing import Any

from services.events.delivery.state import BatchResult, Dead, Mark, Parked, Partition
from services.events.inbox.documents import (
    dead_change,
    dead_id,
    mark_document,
    mark_id,
    mark_of,
    offset_document,
    offset_id,
    origin_of,
    parked_document,
    parked_id,
    parked_of,
    without_generation,
)
from services.kernel import new_id
from services.store.errors import Conflict
from services.store.mongo import DeleteOne, Document, InsertOne, ReplaceOne, Store, Transaction, UpdateOne

LARGEST = 900 * 1024  # bytes of a record that the bus takes again with a reason added


class Inbox:
    """Implements `services.events.delivery.state.ConsumerState` for one consumer and one transaction."""

    def __init__(self, consumer: str, store: Store, session: Transaction) -> None:
        self._consumer, self._store, self._session = consumer, store, session
        self._parked_in: set[Partition] = set()

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition; a partition without an entry is taken from its first record."""
        wanted = [offset_id(self._consumer, each) for each in partitions]
        found = await self._store.by_id("offsets", wanted, self._session)
        return {(each["topic"], each["partition"]): each["next"] for each in found.values()}

    async def marks(self, keys: Collection[str]) -> dict[str, Mark]:
        """The marks that exist, by key."""
        found = await self._store.by_id("marks", [mark_id(key, self._consumer) for key in keys], self._session)
        return {each["subject_key"]: mark_of(each) for each in found.values()}

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """The parked events, by key and sequence."""
        where = {"consumer": self._consumer, "subject_key": {"$in": list(keys)}}
        parked: dict[str, dict[int, Parked]] = {}
        async for each in self._store["parked"].find(where, session=self._session):
            parked.setdefault(each["subject_key"], {})[each["sequence"]] = parked_of(each)
            self._parked_in.add((each["topic"], each["partition"]))
        return parked

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        """Those names that were dismissed. Dismissals are rare, so a cheap query first finds out whether there are any."""
        consumer, store = without_generation(self._consumer), self._store
        if not await store["dismissed"].find_one({"consumer": consumer}, {"_id": 1}, session=self._session):
            return {}
        found = await store.by_id("dismissed", [dead_id(consumer, name) for name in names], self._session)
        return {each["name"]: each["keeps"] for each in found.values()}

    async def save(self, result: BatchResult) -> None:
        """Write everything that the batch changed, in a bulk write per collection. Conflict when another copy took the records."""
        consumer = self._consumer
        # Without records no offset moves, and an erasure that this transaction does not see would not conflict with it.
        turns = [offset_id(consumer, each) for each in sorted(self._parked_in - result.offsets.keys())]
        await self._store.write(
            "offsets", [UpdateOne({"_id": each}, {"$inc": {"turn": 1}}) for each in turns], self._session
        )
        marks = [
            ReplaceOne({"_id": mark_id(key, consumer)}, mark_document(consumer, key, mark), upsert=True)
            for key, mark in result.marks.items()
            if mark.dirty
        ]
        # One write for each event: a bulk write that is not all inserts has no order.
        parking = {
            (key, sequence): ReplaceOne(
                {"_id": parked_id(key, consumer, sequence)},
                parked_document(consumer, key, sequence, parked),
                upsert=True,
            )
            for key, sequence in result.fresh
            if (parked := result.parked.get(key, {}).get(sequence)) is not None
        }
        gone = [DeleteOne({"_id": parked_id(key, consumer, sequence)}) for key, sequence in result.unparked]
        writes = {
            "marks": marks,
            "offsets": [self._move(result, partition) for partition in result.offsets],
            "parked": [*parking.values(), *gone],
            "dead": [
                UpdateOne({"_id": dead_id(consumer, each.name)}, dead_change(consumer, each, result.now), upsert=True)
                for each in result.dead
            ],
            "outbox": [InsertOne(self._on_the_bus(each)) for each in result.dead],
        }
        matched = await self._store.write_all(writes, self._session)
        if matched["offsets"] != len(result.offsets.keys() & result.before.keys()):
            raise Conflict("another copy took these records")

    def _move(self, result: BatchResult, partition: Partition) -> Any:
        following = result.offsets[partition]
        if (before := result.before.get(partition)) is None:
            # Of two copies that both begin a partition, one fails at the `_id`.
            return InsertOne(offset_document(self._consumer, partition, following))
        moved = {"_id": offset_id(self._consumer, partition), "next": before}
        return UpdateOne(moved, {"$set": {"next": following}})

    def _on_the_bus(self, dead: Dead) -> Document:
        """The outbox row that publishes the record on its topic of dead letters, with reason and origin as headers."""
        record = dead.record
        headers = [["reason", dead.why.encode()[:1000]], ["origin", origin_of(record).encode()]]
        headers.append(["consumer", self._consumer.encode()])
        fits = len(record.value or b"") <= LARGEST
        if not fits:
            headers.append(["left-out", b"too large"])
        return {
            "_id": new_id(),
            "topic": f"{record.topic}.dead",
            # A record that is no event may have any bytes as its key.
            "key": (record.key or b"none")[:1000].decode(errors="replace"),
            "value": record.value if fits else None,
            "headers": headers,
            # 0 keeps it out of the unique index of sequences.
            "sequence": 0,
        }
