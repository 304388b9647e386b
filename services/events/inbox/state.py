"""The state of a consumer in the service's own MongoDB, written in the transaction of its effects.

Invariant: a partition's offset moves only from the version that this transaction read or remembers (`services.events.inbox.memory`). So
two copies that both believe they own a partition cannot both take its records, and nothing that is no longer true is acted on.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
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
    offset_move,
    origin_of,
    parked_document,
    parked_id,
    parked_of,
    without_generation,
)
from services.events.inbox.memory import Remembered, Version
from services.kernel import new_id
from services.store.errors import Conflict
from services.store.fence import new_fence
from services.store.mongo import DeleteOne, Document, InsertOne, ReplaceOne, Store, Transaction, UpdateOne
from services.store.unit import Unit

LARGEST = 900 * 1024  # bytes of a record that the bus takes again with a reason added


class Inbox:
    """Implements `services.events.delivery.state.ConsumerState` for one consumer and one transaction."""

    def __init__(
        self, consumer: str, store: Store, session: Transaction, unit: Unit, known: Remembered | None = None
    ) -> None:
        """`unit`: of the same transaction. `known`: what the consumer remembers; None: everything is read."""
        self._consumer, self._store, self._session, self._unit = consumer, store, session, unit
        self.known = known or Remembered()
        if known is not None:
            unit.erased.remember(known.erased)
        self._asked: set[Partition] = set()
        self._parked_in: set[Partition] = set()
        self._fenced = False
        self._new: set[str] = set()  # keys of which no mark was looked for
        self._stored: set[str] = set()  # keys of the marks that are there

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition; a partition without an entry is taken from its first record."""
        self._asked, versions = set(partitions), self.known.versions
        self._unit.fence.spared = [offset_id(self._consumer, each) for each in partitions]
        if not versions.keys() >= set(partitions):
            await self._read_versions({*partitions, *versions})
        found = {each: self.known.versions[each].next for each in partitions}
        return {each: following for each, following in found.items() if following is not None}

    async def _read_versions(self, partitions: Collection[Partition]) -> None:
        """Read also those that are remembered. Where one has changed, nothing that is remembered counts."""
        ids = {offset_id(self._consumer, each): each for each in partitions}
        found = await self._store.by_id("offsets", list(ids), self._session)
        read = {partition: _version(found.get(id)) for id, partition in ids.items()}
        if any(read[each] != version for each, version in self.known.versions.items()):
            self.known.clear()
            self._unit.erased.remember(None)
        self.known.versions = read

    async def marks(self, keys: Collection[str], begun: Collection[str] = ()) -> dict[str, Mark]:
        """The marks that exist, by key. Of a key that begins none is looked for: if there is one, `save` meets a duplicate, and the next
        attempt looks for all."""
        known = {key: mark for key in keys if (mark := self.known.mark(key)) is not None}
        self._new = {*begun} - known.keys() if self.known.expects_new else set()
        asked = [mark_id(key, self._consumer) for key in keys if key not in known and key not in self._new]
        found = await self._store.by_id("marks", asked, self._session)
        marks = known | {each["subject_key"]: mark_of(each) for each in found.values()}
        self._stored = set(marks)
        return marks

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """The parked events, by key and sequence. They are rare, so a cheap query first finds out whether there are any."""
        parked: dict[str, dict[int, Parked]] = {}
        if not keys or not await self._any_parked():
            return parked
        where = {"consumer": self._consumer, "subject_key": {"$in": list(keys)}}
        async for each in self._store["parked"].find(where, session=self._session):
            parked.setdefault(each["subject_key"], {})[each["sequence"]] = parked_of(each)
            self._parked_in.add((each["topic"], each["partition"]))
        return parked

    async def _any_parked(self) -> bool:
        if self.known.any_parked is None:
            self.known.any_parked = await self._any("parked", self._consumer)
        return self.known.any_parked

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        """Those names that were dismissed. Dismissals are rare, so a cheap query first finds out whether there are any."""
        consumer = without_generation(self._consumer)
        if names and self.known.any_dismissed is None:
            self.known.any_dismissed = await self._any("dismissed", consumer)
        if not names or not self.known.any_dismissed:
            return {}
        found = await self._store.by_id("dismissed", [dead_id(consumer, name) for name in names], self._session)
        return {each["name"]: each["keeps"] for each in found.values()}

    async def _any(self, collection: str, consumer: str) -> bool:
        where = {"consumer": consumer}
        return await self._store[collection].find_one(where, {"_id": 1}, session=self._session) is not None

    async def save(self, result: BatchResult) -> None:
        """Write everything that the batch changed right before the commit, in a bulk write per collection. The commit raises Conflict when
        another copy took the records."""
        consumer = self._consumer
        await self._fence_unmoved(result)
        marks = [self._mark(key, mark) for key, mark in result.marks.items() if mark.dirty]
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
            "offsets": [self._move(result, partition) for partition in result.offsets],
            "marks": marks,
            "parked": [*parking.values(), *gone],
            "dead": [
                UpdateOne({"_id": dead_id(consumer, each.name)}, dead_change(consumer, each, result.now), upsert=True)
                for each in result.dead
            ],
            "outbox": [InsertOne(self._on_the_bus(each)) for each in result.dead],
        }
        expected = len(result.offsets.keys() & result.before.keys())

        def check(matched: dict[str, int]) -> None:
            if matched["offsets"] != expected:
                raise Conflict("another transaction took these records, or changed what is remembered of them")

        self._store.write_last(writes, self._session, check)

    def _mark(self, key: str, mark: Mark) -> Any:
        where: Document = {"_id": mark_id(key, self._consumer)}
        if key in self._new:
            where["sequence"] = None  # matches no mark: beside one, this inserts a duplicate
        return ReplaceOne(where, mark_document(self._consumer, key, mark), upsert=True)

    async def _fence_unmoved(self, result: BatchResult) -> None:
        """Give a new fence to partitions whose offset does not move, though this transaction takes parked events of them, or has spared
        them when it fenced the consumers. Neither an erasure that it does not see nor the memory of another copy would conflict with it."""
        still = (self._parked_in | (self._asked if self._unit.fence.given else set())) - result.offsets.keys()
        ids, fresh = sorted(offset_id(self._consumer, each) for each in still), {"$set": {"fence": new_fence()}}
        await self._store.write("offsets", [UpdateOne({"_id": each}, fresh) for each in ids], self._session)
        self._fenced = bool(ids) or self._unit.fence.given

    def _move(self, result: BatchResult, partition: Partition) -> Any:
        following, version = result.offsets[partition], self.known.versions[partition]
        if version.next is None:
            # Of two copies that both begin a partition, one fails at the `_id`.
            return InsertOne(offset_document(self._consumer, partition, following))
        return offset_move(self._consumer, partition, version, following)

    def learned(self, result: BatchResult) -> Remembered:
        """Return the knowledge of the consumer after the commit of this result."""
        if self._fenced or not result.offsets.keys() <= result.before.keys():
            # There are fences that this transaction gave. That is rare, so the next one reads them.
            self.known.clear()
            return self.known
        for partition, following in result.offsets.items():
            self.known.versions[partition] = replace(self.known.versions[partition], next=following)
        self.known.note(result, self._stored)
        self.known.erased = self._unit.erased.everybody
        return self.known

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


def _version(document: Document | None) -> Version:
    return Version(None) if document is None else Version(document["next"], document.get("fence"))
